"""Features are computed once for what a picture shows, and again where the file that keeps them is not whole."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import pellucid as pl
from pellucid.data.photos.feature_cache import cached_features, digest_of, features_file

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 5, 5, 3), np.uint8)
DIGESTS = [digest_of("as it is", picture) for picture in PICTURES]


class Counter:
    """Features that name the picture; ``rows`` are those that were computed."""

    def __init__(self, digests=DIGESTS, block=2, stop_after=None):
        self.digests, self.block, self.stop_after, self.rows = digests, block, stop_after, []

    def __call__(self, missing):
        for start in range(0, len(missing), self.block):
            if self.stop_after is not None and start >= self.stop_after:
                raise KeyboardInterrupt
            rows = missing[start : start + self.block]
            self.rows += rows
            yield np.array([[*self.digests[row][:3]] for row in rows], np.float32)


def expected(digests):
    return np.array([[*digest[:3]] for digest in digests], np.float32)


def test_each_is_computed_once(tmp_path):
    path, first, again = tmp_path / "new" / "a.features", Counter(), Counter()
    np.testing.assert_array_equal(cached_features(path, DIGESTS, 3, first), expected(DIGESTS))
    assert first.rows == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(cached_features(path, DIGESTS, 3, again), expected(DIGESTS))
    assert again.rows == []


def test_only_what_is_new_is_computed_and_any_order_finds_its_own(tmp_path):
    path = tmp_path / "a.features"
    cached_features(path, DIGESTS[:3], 3, Counter(DIGESTS[:3]))
    order = [DIGESTS[k] for k in (4, 0, 5, 0, 2)]
    count = Counter(order)
    np.testing.assert_array_equal(cached_features(path, order, 3, count), expected(order))
    assert count.rows == [0, 2]
    assert cached_features(path, DIGESTS, 3, Counter()).shape == (6, 3)


def test_the_same_picture_twice_is_computed_once():
    twice, count = [DIGESTS[0]] * 2, Counter([DIGESTS[0]] * 2)
    np.testing.assert_array_equal(cached_features(None, twice, 3, count), expected(twice))
    assert count.rows == [0]


def test_a_digest_is_of_pixels_and_view():
    assert digest_of("as it is", PICTURES[0]) == digest_of("as it is", PICTURES[0].copy())
    changed = PICTURES[0].copy()
    changed[0, 0, 0] ^= 1
    different = [digest_of("mirrored", PICTURES[0]), digest_of("as it is", changed), DIGESTS[1]]
    assert len({DIGESTS[0], *different}) == 4


@pytest.mark.parametrize("damage", ["cut", "no file of ours", "a number", "another width", "no hash", "empty"])
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    path = tmp_path / "a.features"
    cached_features(path, DIGESTS, 3, Counter())
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-4])
    elif damage == "no file of ours":
        path.write_bytes(b"x" * len(content))
    elif damage == "a number":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "no hash":
        save_file(load_file(path), path)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        save_file({**load_file(path), "features": np.zeros((6, 4), np.float32)}, path)
    count = Counter()
    np.testing.assert_array_equal(cached_features(path, DIGESTS, 3, count), expected(DIGESTS))
    assert count.rows == [0, 1, 2, 3, 4, 5]
    assert cached_features(path, DIGESTS, 3, again := Counter()).shape == (6, 3)
    assert again.rows == []


def test_ctrl_c_keeps_what_is_done(tmp_path):
    path = tmp_path / "a.features"
    with pytest.raises(KeyboardInterrupt):
        cached_features(path, DIGESTS, 3, Counter(stop_after=4))
    count = Counter()
    cached_features(path, DIGESTS, 3, count)
    assert count.rows == [4, 5]


def test_what_cannot_be_kept_is_given_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="are not kept for the next time"):
        found = cached_features(tmp_path / "file" / "a.features", DIGESTS, 3, Counter())
    np.testing.assert_array_equal(found, expected(DIGESTS))


def test_another_folder_pipeline_or_network_has_another_file(tmp_path):
    pipeline = pl.PhotoPipeline(8, 8)
    files = {
        features_file(tmp_path, "here", pipeline, "net"),
        features_file(tmp_path, "there", pipeline, "net"),
        features_file(tmp_path, "here", dataclasses.replace(pipeline, crop="pad"), "net"),
        features_file(tmp_path, "here", pipeline, "other"),
    }
    assert len(files) == 4
    assert {path.parent for path in files} == {tmp_path}
