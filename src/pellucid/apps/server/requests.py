"""The body of a request; the guard checks its size while it arrives."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pellucid.core.errors import ArgumentError

MOST_BYTES, MOST_PICTURE, MOST_TABLE = 1 << 20, 32 << 20, 128 << 20
OF_FILES = {"/api/read": MOST_PICTURE, "/api/tables": MOST_TABLE}


def most_bytes(path: str) -> int:
    """The largest size of a body at this address."""
    return OF_FILES.get(path, MOST_BYTES)


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body; raises `HTTPException` 415 or `ArgumentError` for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(
            415, f"JSON is expected (Content-Type: application/json), not {kind[:80] or 'an unnamed type'}."
        )
    body = await request.body()
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"the body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ArgumentError(f"a JSON object is expected, such as {{}}, not {type(value).__name__}.")
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")
