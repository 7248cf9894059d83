"""The server: its routes, and errors as JSON. `pellucid.apps.server.guard` decides which requests reach it."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pellucid.apps.studio.pages import draw, learn, train
from pellucid.apps.studio.pages.inside import routes as inside
from pellucid.apps.studio.pages.table import routes as table
from pellucid.apps.studio.session import Session
from pellucid.core.errors import PellucidError

STATIC = Path(__file__).parent / "static"
PAGES = ("/", "/draw", "/inside", "/train", "/table", "/learn", "/learn/{chapter}")
PARTS = (inside, learn, draw, train, table)
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
FOR_EVER = "public, max-age=31536000, immutable"


def application(session: Session, static: Path = STATIC) -> Starlette:
    """The whole studio as one ASGI application; ``static`` holds the built front end."""

    def page(request: Request) -> Response:
        return FileResponse(static / "index.html")

    def summary(request: Request) -> Response:
        return JSONResponse(session.summary())

    routes: list[BaseRoute] = [
        *(Route(path, page) for path in PAGES),
        Route("/api/session", summary),
        *(route for part in PARTS for route in part.routes(session)),
        Mount("/assets", _Assets(directory=static / "assets")),
    ]
    failures = {PellucidError: _explain, HTTPException: _fail, Exception: _apologize}
    return Starlette(routes=routes, exception_handlers=failures)


class _Assets(StaticFiles):
    """Files with a hash of their content in the name, so that a browser may keep them. The content types are set here,
    since those of some systems are wrong."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_EVER
        response.headers["Content-Type"] = TYPES.get(Path(path).suffix, "application/octet-stream")
        return response


def _explain(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


def _fail(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = error.detail
    if error.status_code == 404 and sentence == "Not Found":
        sentence = f"there is nothing at {request.url.path[:200]}."
    return JSONResponse({"error": sentence}, status_code=error.status_code, headers=error.headers)


def _apologize(request: Request, error: Exception) -> Response:
    """Of an unexpected error; the terminal shows its traceback."""
    return JSONResponse({"error": f"the studio failed: {type(error).__name__}: {error}"}, status_code=500)
