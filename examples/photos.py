"""Your own pictures: a folder with a sub-folder for each class becomes a model. Here the photos are drawn first."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import pellucid as pl

chance = np.random.default_rng(0)


def draw(kind: str, path: Path) -> None:
    """A dark disc or box of any size, place and color, on a bright ground."""
    ground, color = chance.integers((140, 0), (256, 100), (3, 2)).T.tolist()
    picture = Image.new("RGB", (60, 48), tuple(ground))
    left, top, size = chance.integers((4, 4, 16), (30, 20, 28)).tolist()
    pen = ImageDraw.Draw(picture)
    (pen.ellipse if kind == "disc" else pen.rectangle)((left, top, left + size, top + size), fill=tuple(color))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


with tempfile.TemporaryDirectory() as place:
    root = Path(place)
    for number in range(150):
        for kind in ("disc", "box"):
            draw(kind, root / "photos" / ("train" if number < 100 else "test") / kind / f"{number}.png")
    (root / "photos" / "train" / "box" / "broken.png").write_bytes(b"")

    photos = pl.datasets.folder(root / "photos", size=16, cache=root / "cache")
    print(photos.report)
    model = pl.train(photos, epochs=60, progress="none")
    print(model.network)
    print(f"accuracy on {len(photos.test[1])} pictures to test with: {model.evaluate(*photos.test)['accuracy']:.1%}")
    for kind in ("disc", "box"):
        draw(kind, root / "new.png")
        print(f"a new {kind}: {model.predict(root / 'new.png')}")
