"""Who may come in: pages of this studio, in the browser that opened its link. Nobody else, by whatever road.

A server on the own machine can be reached by every page that the browser shows and every program that runs here. So:

    Host             must name this studio: else a foreign name was pointed at this machine (DNS rebinding)
    Origin           must be this studio, and be there where something could change
    Sec-Fetch-Site   must not say that another site asks
    token            random for each run, printed with the link; a cookie keeps it, which scripts cannot read
    body             has a limit, counted while it arrives

Each answer carries headers that keep the page from being framed, from loading anything foreign, and from running any script
but its own files.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pellucid.apps.server.requests import most_bytes

READING, CHANGING = ("GET", "HEAD"), ("POST", "DELETE")
METHODS = ", ".join(READING + CHANGING)
OWN_SITE = ("same-origin", "none")  # none: the user typed the address, or opened it from elsewhere
POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:"),
        *("connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_TOKEN = "Open the link that the terminal printed when the studio started: it holds the key to this page."
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pellucid studio</title><h1>Pellucid studio</h1><p>{}</p>'
)


@dataclass(frozen=True)
class Guard:
    """An ASGI application around ``app``, which listens on this port of the loopback address."""

    app: ASGIApp
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def link(self) -> str:
        """What lets a browser in."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """Its name holds the port, since cookies do not tell ports apart."""
        return f"pellucid-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await (self._answer(scope) or self.app)(scope, _counted(scope, receive), _with_headers(send))
        else:  # a web socket
            await send({"type": "websocket.close", "code": 1008})

    def _answer(self, scope: Scope) -> Response | None:
        """None for a request that may come in; else what it gets."""
        try:
            return self._judge(scope)
        except HTTPException as refusal:
            return _say(scope, refusal)

    def _judge(self, scope: Scope) -> Response | None:
        """None, or the answer to a request that brings its token; raises a refusal."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        method = scope["method"]
        if method not in READING + CHANGING:
            raise HTTPException(405, f"{method[:20]} is not used here; expected {METHODS}.", {"Allow": METHODS})
        self._check_host(_values(headers, b"host"))
        self._check_origin(method, _values(headers, b"origin"), _values(headers, b"sec-fetch-site"))
        _check_path(scope["path"])
        answer = self._admit(scope, method, _values(headers, b"cookie"))
        _check_size(scope["path"], _values(headers, b"content-length"))
        return answer

    def _check_host(self, hosts: list[str]) -> None:
        if len(hosts) != 1 or hosts[0] not in self._names():
            raise HTTPException(403, f"this studio answers to {' and '.join(self._names())} alone.")

    def _check_origin(self, method: str, origins: list[str], sites: list[str]) -> None:
        own = [f"http://{name}" for name in self._names()]
        if len(origins) > 1 or (origins and origins[0] not in own) or (method in CHANGING and not origins):
            raise HTTPException(403, "only pages of this studio may ask for this (the Origin is another, or missing).")
        if any(site not in OWN_SITE for site in sites):
            raise HTTPException(
                403, "another site may not lead here: copy the link from the terminal into the address bar."
            )

    def _admit(self, scope: Scope, method: str, cookies: list[str]) -> Response | None:
        """Let in by its cookie, or by the token in an address, which becomes a cookie and leaves the address."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if method in READING and tokens:
            if len(tokens) != 1 or not self._is_token(tokens[0]):
                raise HTTPException(403, NO_TOKEN)
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            answer = RedirectResponse(f"{scope['path']}?{rest}" if rest else scope["path"], 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return answer
        if not any(self._is_token(value) for value in _cookies(cookies, self.cookie)):
            raise HTTPException(403, NO_TOKEN)
        return None

    def _names(self) -> tuple[str, str]:
        port = "" if self.port == 80 else f":{self.port}"
        return f"127.0.0.1{port}", f"localhost{port}"

    def _is_token(self, value: str) -> bool:
        return secrets.compare_digest(value.encode("utf-8", "replace"), self.token.encode())


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _cookies(headers: list[str], name: str) -> list[str]:
    pairs = [pair.partition("=") for header in headers for pair in header.split(";")]
    return [value.strip() for key, _, value in pairs if key.strip() == name]


def _check_path(path: str) -> None:
    """Refuse addresses that are spelled to be misread; that a file lies in its folder is checked there again."""
    parts = path.split("/")[1:]
    if "\\" in path or any(ord(letter) < 32 for letter in path) or {".", ".."} & set(parts) or "" in parts[:-1]:
        raise HTTPException(404, "there is nothing at this address.")


def _check_size(path: str, lengths: list[str]) -> None:
    if any(not re.fullmatch(r"[0-9]{1,18}", length) or int(length) > most_bytes(path) for length in lengths):
        raise _too_large(path)


def _too_large(path: str) -> HTTPException:
    return HTTPException(413, f"the body is too large: at most {most_bytes(path):,} bytes are read here.")


def _say(scope: Scope, refusal: HTTPException) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)
    return HTMLResponse(PAGE.format(escape(refusal.detail)), refusal.status_code, refusal.headers)


def _counted(scope: Scope, receive: Receive) -> Receive:
    """``receive`` that breaks off when more of a body comes than this address takes."""
    count = 0

    async def counting() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > most_bytes(scope["path"]):
            raise _too_large(scope["path"])
        return message

    return counting


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
