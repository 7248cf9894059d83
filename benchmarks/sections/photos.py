"""How fast a folder of pictures is read: 10,000 PNG of 96x96 pixels, and 100 photographs of 12 megapixels.

Pictures a minute, and how many cores were busy. The files lie in the cache of the system when they are read, since they
have just been written: it is the decoding that is measured.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import pellucid as pl

ROUNDS = 3
SMALL, LARGE = 10_000, 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sets = {
            f"{SMALL:,} PNG of 96x96": write(Path(folder) / "small", SMALL, (96, 96), "png"),
            f"{LARGE} JPEG of 3000x4000": write(Path(folder) / "large", LARGE, (3000, 4000), "jpg"),
        }
        json.dump({name: read(path, Path(folder) / "cache") for name, path in sets.items()}, sys.stdout)


def write(folder: Path, count: int, size: tuple[int, int], extension: str) -> Path:
    """Smooth pictures with a little noise, as photographs have, in two classes."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / ("even", "odd")[number % 2] / f"{number:05}.{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize(size[::-1], Image.Resampling.BICUBIC)
        noise = rng.integers(0, 8, (*size, 3), np.uint8)
        Image.fromarray(np.asarray(coarse) // 2 + noise).save(path)
    return folder


def read(path: Path, cache: Path) -> dict[str, Any]:
    """Pictures a minute and busy cores, the median of some first readings; and seconds for a folder that is known."""
    rates, cores, again = [], [], []
    for number in range(ROUNDS):
        wall, busy = time.perf_counter(), time.process_time()
        photos = pl.datasets.folder(path, size=64, cache=cache / f"{path.name}{number}")
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        rates.append(len(photos.x) / wall * 60)
        cores.append(busy / wall)
        start = time.perf_counter()
        pl.datasets.folder(path, size=64, cache=cache / f"{path.name}{number}")
        again.append(time.perf_counter() - start)
    medians = (statistics.median(values) for values in (rates, cores, again))
    return dict(zip(("a_minute", "cores", "again_seconds"), medians, strict=True)) | {"of_cores": os.cpu_count()}


if __name__ == "__main__":
    main()
