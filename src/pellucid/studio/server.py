"""The server: routes, and failures as JSON sentences. What may reach it is decided in `pellucid.studio.guard`."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pellucid.errors import PellucidError
from pellucid.studio.session import Session

STATIC = Path(__file__).parent / "static"
PAGES = ("/", "/draw", "/inside", "/train", "/learn", "/learn/{chapter}")


def application(session: Session) -> Starlette:
    """The whole studio as one ASGI application."""

    def page(request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    def summary(request: Request) -> Response:
        return JSONResponse(session.summary())

    routes = [
        *(Route(path, page) for path in PAGES),
        Route("/api/session", summary),
        Mount("/assets", StaticFiles(directory=STATIC / "assets")),
    ]
    return Starlette(routes=routes, exception_handlers={PellucidError: _explain})


def _explain(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
