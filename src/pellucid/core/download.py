"""Download one file over HTTP; it gets its name only when it is complete and its hash is right."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from pellucid.core.errors import ArgumentError, DataError
from pellucid.core.files import file_sha256
from pellucid.core.locks import file_lock

Progress = Callable[[str, int, int | None], None]
"""Called as ``progress(name of the file, bytes so far, bytes in all or None)``."""

_BLOCK_BYTES = 1 << 16
_MOST_ATTEMPTS = 4


def fetch(
    url: str,
    sha256: str,
    destination: str | os.PathLike[str],
    *,
    max_bytes: int = 2**30,
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> Path:
    """Return ``destination`` as a file whose SHA-256 is ``sha256``, downloading it from ``url`` if necessary.

    A file with that hash is returned without a connection; another one is replaced once the download is complete. The
    bytes are collected in ``destination`` + ``.part``. A broken download is resumed, a few times in this call and then
    in the next one; if the server cannot resume, it starts again. When several threads or processes ask for the same
    file, one downloads it and the others wait.

    ``timeout`` is the longest silence of the server in seconds, ``max_bytes`` the largest size that is accepted.

    Raises ``ArgumentError`` for a URL that is not http(s) or a malformed hash, and ``DataError`` when there is no
    connection, the server refuses or redirects to something other than http(s), the file is too large or has another
    hash, or it cannot be written. ``destination`` is then as it was before.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise ArgumentError(f"url is {url!r}; expected an address that begins with http:// or https://.")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ArgumentError(f"sha256 is {sha256!r}; expected 64 hexadecimal digits.")
    destination, sha256 = Path(destination), sha256.lower()
    try:
        if _is_right(destination, sha256):
            return destination
        destination.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(destination.with_name(f".{destination.name}.lock")):
            if not _is_right(destination, sha256):  # another process may just have finished it
                download = _Download(url, sha256, destination, max_bytes, timeout, progress)
                download.run()
    except OSError as error:
        raise DataError(f"{destination} cannot be read or written: {error.strerror or error}.") from error
    return destination


def _is_right(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


class _BrokenTransferError(Exception):
    """The transfer broke off; the bytes so far are in the partial file."""


class _Download:
    """One download under the lock. It raises ``OSError`` for the disk, and ``DataError`` for the network."""

    def __init__(
        self, url: str, sha256: str, destination: Path, max_bytes: int, timeout: float, progress: Progress | None
    ) -> None:
        self.url = url
        self.sha256 = sha256
        self.destination = destination
        self.part = destination.with_name(destination.name + ".part")
        self.max_bytes = max_bytes
        self.timeout = timeout
        self.progress = progress

    def run(self) -> None:
        """Complete the partial file, check its hash, rename it."""
        resumed = self._size() > 0
        if not (resumed and _is_right(self.part, self.sha256)):
            self._transfer()
            if resumed and not _is_right(self.part, self.sha256):
                self._discard()  # the old part was that of another file: start again
                self._transfer()
        found = file_sha256(self.part)
        if found != self.sha256:
            size = self._size()
            self._discard()
            raise DataError(
                f"{self.url} gave {size} bytes with the SHA-256 {found}; expected {self.sha256}. Nothing was kept. A "
                "proxy or a login page may have answered in place of the server; otherwise the file there was changed."
            )
        os.replace(self.part, self.destination)

    def _transfer(self) -> None:
        """Complete the partial file, resuming after an interruption as long as each attempt gains bytes."""
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            before = self._size()
            try:
                self._attempt(before)
                return
            except _BrokenTransferError as error:
                size = self._size()
                if attempt == _MOST_ATTEMPTS or size <= before:
                    raise DataError(
                        f"The download of {self.url} broke off after {size} bytes ({error}). "
                        "They are kept: the next call goes on from there."
                    ) from error

    def _attempt(self, offset: int) -> None:
        headers = {"User-Agent": "pellucid"} | ({"Range": f"bytes={offset}-"} if offset else {})
        try:
            response = _opener().open(urllib.request.Request(self.url, headers=headers), timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with closing(error):
                if error.code == 416 and offset:  # the partial file is not the beginning of this one
                    self._discard()
                    return self._attempt(0)
                raise DataError(f"{self.url} answered {error.code}: {error.reason}. Nothing was downloaded.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: not a URL
            reason = getattr(error, "reason", error)
            raise DataError(f"{self.url} cannot be reached: {reason}. Is there a connection?") from error
        with response:
            begin, total = _extent(response, offset)
            if begin not in (0, offset):
                self._discard()
                if not offset:
                    raise DataError(f"{self.url} answered with another part of the file than was asked for; try again.")
                return self._attempt(0)
            if total is not None and total > self.max_bytes:
                self._refuse(f"is {total} bytes")
            try:
                with self.part.open("r+b" if begin else "wb") as file:
                    file.seek(begin)
                    self._copy(response, file, begin, total)
            except OSError:
                self._discard()  # frees the space on a full disk
                raise
        return None

    def _copy(self, response: IO[bytes], file: IO[bytes], received: int, total: int | None) -> None:
        while True:
            try:
                block = response.read(_BLOCK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise _BrokenTransferError(str(error) or type(error).__name__) from error
            if not block:
                break
            received += len(block)
            if received > self.max_bytes:
                self._refuse("goes on")
            file.write(block)
            if self.progress is not None:
                self.progress(self.destination.name, received, total)
        if total is not None and received < total:
            raise _BrokenTransferError(f"{total} were announced")

    def _refuse(self, what: str) -> None:
        self._discard()
        raise DataError(f"{self.url} {what}, beyond the limit of {self.max_bytes} bytes. Nothing was kept.")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _discard(self) -> None:
        with suppress(OSError):  # an open file cannot be removed on Windows: then it is overwritten next time
            self.part.unlink(missing_ok=True)


def _extent(response: http.client.HTTPResponse, offset: int) -> tuple[int, int | None]:
    """The byte of the file at which this answer begins, and the size of the file (None: the server does not say)."""
    length = response.headers.get("Content-Length", "")
    num_bytes = int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
    if response.status != 206:
        return 0, num_bytes
    match = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("Content-Range", ""))
    begin = int(match[1]) if match else -1
    return begin, None if num_bytes is None else begin + num_bytes


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows redirections to http and https, and to nothing else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith(("http://", "https://")):
            raise urllib.error.HTTPError(newurl, code, f"a redirection to {newurl}, refused", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError as error:  # an HTTPError holds the connection, so that it is closed where it is caught
            raise urllib.error.HTTPError(
                req.full_url, code, f"a redirection without an address ({error})", headers, fp
            ) from error

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """An opener for http and https alone: no ftp, file or data URLs."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _OnlyHttp(),
    ):
        opener.add_handler(handler)
    return opener
