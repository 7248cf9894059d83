"""A figure of matplotlib that a notebook shows. Importing this needs matplotlib."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """Notebooks show a plain figure only after somebody has imported pyplot, which keeps every figure for ever."""

    def _repr_png_(self) -> bytes:
        png = BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()
