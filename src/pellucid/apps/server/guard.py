"""Access control: only pages of this studio, in the browser that opened its link, may use the server.

Every page in the browser and every program on this machine can reach a local server. So for each request:

    Host             must be this studio: another name may be pointed at this machine (DNS rebinding)
    Origin           must be this studio; required for requests that can change something
    Sec-Fetch-Site   must not be another site
    token            random for each start, printed with the link; kept in a cookie that scripts cannot read
    body             has a largest size, checked while it arrives

The headers of each response keep the page from being framed, from loading anything from elsewhere, and from running any
script but its own files.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
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
NO_TOKEN = "Open the link that the terminal printed when the studio started: it holds the token that gives access."
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
        """The address with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """Its name holds the port, since cookies do not tell ports apart."""
        return f"pellucid-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                answer = self._judge(scope) or self.app
            except HTTPException as refusal:
                answer = _say(scope, refusal)
            await answer(scope, _counted(scope, receive), _with_headers(send))
        else:  # a web socket
            await send({"type": "websocket.close", "code": 1008})

    def _judge(self, scope: Scope) -> Response | None:
        """None for a request that is let in, or the redirect of one with a token; raises `HTTPException` for others."""
        headers, method = Headers(scope=scope), scope["method"]
        if method not in READING + CHANGING:
            raise HTTPException(405, f"the method {method[:20]} is not used here; expected {METHODS}.", {"Allow": METHODS})
        self._check_host(headers.getlist("host"))
        self._check_origin(method, headers.getlist("origin"), headers.getlist("sec-fetch-site"))
        _check_path(scope["path"])
        answer = self._admit(scope, method, headers.getlist("cookie"))
        _check_size(scope["path"], headers.getlist("content-length"))
        return answer

    def _check_host(self, hosts: list[str]) -> None:
        if len(hosts) != 1 or hosts[0] not in self._names():
            raise HTTPException(403, f"this studio is only at {' and '.join(self._names())}.")

    def _check_origin(self, method: str, origins: list[str], sites: list[str]) -> None:
        own = [f"http://{name}" for name in self._names()]
        if len(origins) > 1 or (origins and origins[0] not in own) or (method in CHANGING and not origins):
            raise HTTPException(403, "only pages of this studio may do this; the Origin header is another one, or missing.")
        if any(site not in OWN_SITE for site in sites):
            raise HTTPException(403, "other sites may not link here: copy the link in the terminal into the address bar.")

    def _admit(self, scope: Scope, method: str, cookies: list[str]) -> Response | None:
        """Check the cookie; a token in the address is made one, by a redirect to the address without it."""
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


def _cookies(headers: list[str], name: str) -> list[str]:
    pairs = [pair.partition("=") for header in headers for pair in header.split(";")]
    return [value.strip() for key, _, value in pairs if key.strip() == name]


def _check_path(path: str) -> None:
    """Refuse addresses that could leave a folder; the routes of files check this again."""
    parts = path.split("/")[1:]
    if "\\" in path or any(ord(letter) < 32 for letter in path) or {".", ".."} & set(parts) or "" in parts[:-1]:
        raise HTTPException(404, "there is nothing at this address.")


def _check_size(path: str, lengths: list[str]) -> None:
    if any(not re.fullmatch(r"[0-9]{1,18}", length) or int(length) > most_bytes(path) for length in lengths):
        raise _too_large(path)


def _too_large(path: str) -> HTTPException:
    return HTTPException(413, f"the body of the request is too large; at most {most_bytes(path):,} bytes are allowed here.")


def _say(scope: Scope, refusal: HTTPException) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)
    return HTMLResponse(PAGE.format(escape(refusal.detail)), refusal.status_code, refusal.headers)


def _counted(scope: Scope, receive: Receive) -> Receive:
    """``receive`` that fails when the body exceeds the limit of this address."""
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
