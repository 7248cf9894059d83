"""Features of pictures on disk, beside the pixels: computed once for each picture, view of it, and network.

    <key>.features   safetensors:  "digests" (N, 32) uint8, "features" (N, D) float32; in the metadata the hash of both

A row belongs to a digest of the pixels themselves, so a picture that was changed, renamed, moved to another class or
added is known by what it shows. The key of the file has the hash of the network in it: other weights have other files.
What is damaged counts as empty, and is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import OutputError
from pellucid.core.files import write_whole
from pellucid.core.shapes import AnyArray
from pellucid.data.photos.photo_pipeline import PhotoPipeline

Digests = NDArray[np.uint8]
Features = NDArray[np.float32]

FORMAT = 1  # to be counted up when features are computed otherwise


def features_file(cache: Path, source: str, pipeline: PhotoPipeline, network: str) -> Path:
    """The file for the pictures of a folder (or CSV file), prepared like this, and the network with this hash."""
    key = json.dumps([FORMAT, source, asdict(pipeline), network])
    return cache / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.features"


def digest_of(view: str, pixels: NDArray[np.uint8]) -> bytes:
    """What a picture and its view are known by."""
    found = hashlib.sha256(f"{view}{pixels.shape}".encode())
    found.update(np.ascontiguousarray(pixels).data)
    return found.digest()


def cached_features(
    path: Path | None, digests: list[bytes], width: int, compute: Callable[[list[int]], Iterator[Features]]
) -> Features:
    """The features (N, width) of pictures with these digests: from the file where it knows them; for the others ``compute``
    gives them block by block, and they are added to the file, also if it is interrupted. Without a path nothing is kept."""
    known, kept = (np.zeros((0, 32), np.uint8), np.zeros((0, width), np.float32)) if path is None else _load(path, width)
    row_of = {digest.tobytes(): row for row, digest in enumerate(known)}
    first = {digest: row for row, digest in reversed(list(enumerate(digests)))}  # each is computed once
    missing = sorted(row for digest, row in first.items() if digest not in row_of)
    blocks: list[Features] = []
    try:
        if missing:
            blocks.extend(compute(missing))
    finally:
        done = sum(map(len, blocks))
        new = np.frombuffer(b"".join(digests[row] for row in missing[:done]), np.uint8).reshape(-1, 32)
        known, kept = np.concatenate([known, new]), np.concatenate([kept, *blocks])
        if path is not None and done:
            _store(path, known, kept)
    row_of = {digest.tobytes(): row for row, digest in enumerate(known)}
    found: Features = kept[[row_of[digest] for digest in digests]]
    return found


def _load(path: Path, width: int) -> tuple[Digests, Features]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            digests, features = file.get_tensor("digests"), file.get_tensor("features")
            expected = (file.metadata() or {}).get("sha256")
        is_whole = features.shape == (len(digests), width) and features.dtype == np.float32
        if is_whole and digests.shape[1:] == (32,) and expected == _fingerprint(digests, features):
            return digests, features
    except (OSError, SafetensorError, ValueError, TypeError):
        pass
    return np.zeros((0, 32), np.uint8), np.zeros((0, width), np.float32)


def _store(path: Path, digests: Digests, features: Features) -> None:
    from safetensors.numpy import save

    tensors: dict[str, AnyArray] = {"digests": digests, "features": features}
    try:
        os.makedirs(path.parent, exist_ok=True)
        write_whole(path, save(tensors, metadata={"sha256": _fingerprint(digests, features)}))
    except (OSError, OutputError) as error:
        warnings.warn(f"the features of the pictures are not kept for the next time: {error}", stacklevel=2)


def _fingerprint(digests: Digests, features: Features) -> str:
    found = hashlib.sha256(np.ascontiguousarray(digests).data)
    found.update(np.ascontiguousarray(features).data)
    return found.hexdigest()
