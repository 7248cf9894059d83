"""The page Learn: curves of activations, and of the loss along one weight."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.studio.sample_words import find_sample
from pellucid.apps.studio.session import Session
from pellucid.core.checks import whole_in_words
from pellucid.inspection.arithmetic.loss_along import loss_along
from pellucid.mathematics.activations import ACTIVATIONS

REACH, POINTS = 6.0, 121  # of the curves of activations: every tenth


def routes(session: Session) -> list[BaseRoute]:
    def activations(_: Request) -> Response:
        return JSONResponse(activation_curves())

    def weight(request: Request) -> Response:
        asked = request.query_params
        model = session.model(asked.get("model", ""))
        sample = find_sample(session, model, asked.get("sample", ""))
        target, source, unit = (
            whole_in_words(asked.get(name, ""), name, 0, 1 << 31) for name in ("target", "input", "unit")
        )
        return JSONResponse(loss_along(model.network, sample.x, target, asked.get("layer", ""), source, unit))

    return [Route("/api/learn/activations", activations), Route("/api/learn/weight", weight)]


def activation_curves() -> dict[str, Any]:
    """{"z": [...], "functions": [{"name", "values", "slopes"}]}: f(z) and f'(z) of every activation, from -6 to 6."""
    z = np.round(np.linspace(-REACH, REACH, POINTS), 10)
    functions = []
    for row in ACTIVATIONS.values():
        values = row.value(z)
        slopes = row.derivative(z, values)
        functions.append({"name": row.name, "values": values.tolist(), "slopes": slopes.tolist()})
    return {"z": z.tolist(), "functions": functions}
