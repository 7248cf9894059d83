"""What comes with a request: JSON, and numbers in the address."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pellucid.errors import ArgumentError

MOST_JSON = 1 << 20


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body; raises a failure of 415 or 413, or `ArgumentError`, for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"JSON is expected (Content-Type: application/json), not {kind[:80] or 'an unnamed type'}.")
    body = await read_bytes(request, MOST_JSON)
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"the body is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ArgumentError(f"a JSON object is expected, such as {{}}, not {type(value).__name__}.")
    return value


async def read_bytes(request: Request, most: int) -> bytes:
    """The body, counted while it arrives; raises a failure of 413 for more than ``most`` bytes."""
    parts, count = [], 0
    async for part in request.stream():
        count += len(part)
        if count > most:
            raise HTTPException(413, f"the body is larger than {most:,} bytes.")
        parts.append(part)
    return b"".join(parts)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
