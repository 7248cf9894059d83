"""Asking an ASGI application, with headers and bodies exactly as they are written."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) < 2, f"{name} came twice"
        return found[0] if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(app: Any, method: str, address: str, headers: Any = (), body: bytes | list[bytes] = b"") -> Answer:
    """What ``app`` answers; ``headers`` are pairs, as they came; several bodies are parts that arrive one by one."""
    raw_path, _, query = address.partition("?")
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8765),
    }
    return asyncio.run(_ask(app, scope, body if isinstance(body, list) else [body]))


def post(app: Any, address: str, value: Any, headers: Any = ()) -> Answer:
    """The answer to this JSON."""
    kind = [("Content-Type", "application/json")]
    return ask(app, "POST", address, [*kind, *headers], json.dumps(value).encode())


async def _ask(app: Any, scope: dict[str, Any], parts: list[bytes]) -> Answer:
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    coming[-1]["more_body"] = False
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        await asyncio.Event().wait()  # the asker stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    assert start["type"] == "http.response.start"
    assert all(message["type"] == "http.response.body" for message in rest)
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in rest))
