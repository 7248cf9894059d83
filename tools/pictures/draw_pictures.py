"""Draw the sample pictures of examples/pictures: digits by pen, marker, chalk and mouse, as people would hand them in.

Each digit is a few strokes through hand-placed points, smoothed by a Catmull-Rom spline. Run it again with
``python tools/pictures/draw_pictures.py`` after changing one; the pictures are committed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

OUT = Path(__file__).parents[2] / "examples" / "pictures"

Size = tuple[int, int]
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.55, 0.05), (0.25, 0.2), (0.15, 0.55), (0.3, 0.9), (0.6, 0.93), (0.82, 0.6), (0.75, 0.2), (0.5, 0.06)]],
    1: [[(0.35, 0.22), (0.55, 0.05), (0.53, 0.5), (0.5, 0.95)]],
    2: [[(0.2, 0.25), (0.35, 0.07), (0.65, 0.1), (0.72, 0.33), (0.5, 0.6), (0.18, 0.9), (0.45, 0.86), (0.85, 0.92)]],
    3: [[(0.22, 0.13), (0.5, 0.05), (0.72, 0.22), (0.45, 0.46), (0.75, 0.65), (0.6, 0.9), (0.2, 0.87)]],
    4: [[(0.6, 0.05), (0.4, 0.35), (0.15, 0.62), (0.5, 0.6), (0.88, 0.58)], [(0.66, 0.32), (0.62, 0.65), (0.6, 0.97)]],
    5: [[(0.75, 0.08), (0.35, 0.1), (0.28, 0.45), (0.55, 0.42), (0.75, 0.65), (0.55, 0.92), (0.2, 0.85)]],
    6: [[(0.65, 0.06), (0.35, 0.3), (0.22, 0.65), (0.38, 0.93), (0.68, 0.85), (0.68, 0.6), (0.42, 0.57), (0.25, 0.72)]],
    7: [[(0.18, 0.12), (0.45, 0.1), (0.8, 0.1), (0.6, 0.45), (0.42, 0.95)]],
    8: [[(0.65, 0.2), (0.45, 0.05), (0.28, 0.22), (0.5, 0.45), (0.75, 0.7), (0.55, 0.95), (0.28, 0.8), (0.45, 0.5),
         (0.68, 0.18)]],
    9: [[(0.72, 0.25), (0.5, 0.06), (0.28, 0.25), (0.45, 0.48), (0.7, 0.3), (0.72, 0.55), (0.62, 0.95)]],
}  # fmt: skip


def smooth(points: list[tuple[float, float]], steps: int = 24) -> np.ndarray:
    """A Catmull-Rom spline through the points, (M, 2)."""
    p = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*curve, p[-1:]])


def ink(
    digit: int, size: tuple[int, int], box: tuple[float, float, float, float], pen: float, tilt: float = 0.0
) -> Image.Image:
    """The strokes as a mask of light on dark: ``box`` is (left, top, right, bottom) in pixels, ``pen`` its width."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(mask)
    left, top, right, bottom = box
    for stroke in STROKES[digit]:
        curve = smooth(stroke)
        x = left + (right - left) * (curve[:, 0] + tilt * (0.5 - curve[:, 1]))
        y = top + (bottom - top) * curve[:, 1]
        for (x0, y0), (x1, y1) in zip(zip(x, y, strict=True), zip(x[1:], y[1:], strict=True), strict=False):
            draw.line([2 * x0, 2 * y0, 2 * x1, 2 * y1], fill=255, width=max(1, round(2 * pen)))
        for x0, y0 in zip(x, y, strict=True):
            draw.ellipse([2 * x0 - pen, 2 * y0 - pen, 2 * x0 + pen, 2 * y0 + pen], fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def paper(size: Size, light: tuple[float, float, float], seed: int, shadow: float = 0.0) -> np.ndarray:
    """Paper with grain, and light that falls off towards one corner: float (H, W, 3) in 0..255."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    fall = 1 - shadow * (0.6 * x / width + 0.4 * y / height)
    grain = rng.normal(0, 3, (height, width))
    return np.array(light) * fall[..., None] + grain[..., None]


def blend(background: np.ndarray, mask: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    alpha = np.asarray(mask, dtype=float)[..., None] / 255
    return Image.fromarray(np.clip(background * (1 - alpha) + np.array(colour) * alpha, 0, 255).astype(np.uint8))


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    pen = ink(8, (420, 560), (110, 120, 300, 430), 9, 0.12)
    blend(paper((420, 560), (244, 240, 228), 1, 0.35), pen, (28, 44, 120)).save(OUT / "eight.png")

    marker = ink(3, (640, 480), (330, 90, 520, 350), 26, -0.05)
    blend(paper((640, 480), (214, 219, 222), 2, 0.5), marker, (30, 30, 32)).save(OUT / "three.jpg", quality=80)

    chalk = ink(5, (300, 300), (90, 50, 210, 240), 7, 0.05).filter(ImageFilter.GaussianBlur(0.8))
    blend(paper((300, 300), (40, 66, 52), 3, 0.3), chalk, (235, 238, 230)).save(OUT / "five.webp", quality=85)

    lined = paper((360, 480), (250, 250, 252), 4)
    lined[40::48] = (170, 195, 225)
    blend(lined, ink(2, (360, 480), (130, 145, 250, 320), 6, 0.1), (20, 20, 24)).save(OUT / "two.png")

    mouse = ink(7, (200, 200), (50, 30, 150, 170), 5).point(lambda value: 255 if value > 127 else 0)
    Image.merge("RGBA", [Image.new("L", (200, 200)), *[Image.new("L", (200, 200))] * 2, mouse]).save(OUT / "seven.png")

    small = ink(4, (160, 160), (30, 20, 130, 140), 9, 0.08).resize((32, 32), Image.Resampling.BOX)
    Image.fromarray(255 - np.asarray(small)).save(OUT / "four.bmp")

    sideways = blend(
        paper((500, 380), (238, 232, 220), 5, 0.25), ink(6, (500, 380), (180, 40, 330, 330), 11, 0.1), (150, 30, 40)
    )
    turned = sideways.transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    turned.save(OUT / "six.jpg", quality=88, exif=exif)

    Image.fromarray(np.clip(paper((200, 260), (246, 243, 236), 6, 0.2), 0, 255).astype(np.uint8)).save(OUT / "empty.png")


if __name__ == "__main__":
    main()
