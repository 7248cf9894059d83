"""Fetch one file over HTTP and let it appear under its name only when it is complete and the right one."""

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
    """Return ``destination`` as a file whose SHA-256 is ``sha256``, downloading it from ``url`` if need be.

    A file that is already right is returned without a connection; a wrong one is replaced once the right one is there.
    The bytes gather in ``destination`` + ``.part``. When the connection breaks, the download goes on from there, a few
    times in this call and then again in the next; a server that cannot do that makes it begin anew. Several threads
    and processes may ask for the same file: one downloads, the others wait and share it.

    ``timeout`` is the longest silence of the server in seconds, ``max_bytes`` the size at which to stop.

    Raises ``ArgumentError`` for an address that is not http(s) or a hash that is none, and ``DataError`` when there is
    no connection, the server refuses or redirects elsewhere than to http(s), the file is too large or not the expected
    one, or the disk cannot take it. ``destination`` is then as it was before.
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
    """The transfer broke off; what has arrived is in the partial file."""


class _Download:
    """One download under the lock. ``OSError`` from here is the disk; trouble of the network is told apart at once."""

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
        """Fill the partial file, compare its hash, give it its name."""
        resumed = self._size() > 0
        if not (resumed and _is_right(self.part, self.sha256)):
            self._transfer()
            if resumed and not _is_right(self.part, self.sha256):
                self._discard()  # what lay there belonged to something else: once more, from the beginning
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
        """Let the partial file grow to its end, going on after an interruption as long as each attempt gains."""
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
                if error.code == 416 and offset:  # the partial file is no beginning of this one
                    self._discard()
                    return self._attempt(0)
                raise DataError(f"{self.url} answered {error.code}: {error.reason}. Nothing was downloaded.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no address at all
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
                self._discard()  # a full disk gets its room back
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
    """Where in the file this answer begins, and how long the file is in all (None: the server does not say)."""
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
        except ValueError as error:  # passed on with the connection in it, which its receiver closes
            raise urllib.error.HTTPError(
                req.full_url, code, f"a redirection without an address ({error})", headers, fp
            ) from error

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """An opener that knows http and https alone: no ftp, no file, no data addresses."""
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
