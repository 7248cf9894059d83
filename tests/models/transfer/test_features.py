"""Features are what the network itself gives its last layer, whoever computes them and from wherever they come."""

from __future__ import annotations

import numpy as np
import pytest
from small_backbones import WIDTH, backbone, backbone_model, photos_of

import pellucid as pl
from pellucid.models.transfer import features as module
from pellucid.models.transfer.features import VIEWS, feature_extractor, features_of_model


def test_they_are_the_inputs_of_the_last_layer():
    model, photos = backbone_model(), photos_of([4, 3])
    done = model.network.twin("float64").propagate(photos.x, keep=True)
    np.testing.assert_allclose(backbone()(photos.x), done.outputs[-2], rtol=0, atol=1e-5)
    np.testing.assert_allclose(backbone(engine="numpy")(photos.x), done.outputs[-2], rtol=0, atol=1e-5)
    assert done.outputs[-2].shape == (7, WIDTH)


def test_any_batch_and_number_of_threads_gives_the_same_bits():
    photos = photos_of([5, 4])
    whole = backbone()(photos.x)
    one_by_one = np.concatenate([backbone(threads=1)(x[None]) for x in photos.x])
    np.testing.assert_array_equal(whole, one_by_one)


def test_a_view_is_of_the_pixels():
    photos = photos_of([3, 2])
    found = backbone().of_folder(photos, photos.x, views=tuple(VIEWS))
    assert found.shape == (5, 2, WIDTH)
    np.testing.assert_array_equal(found[:, 0], backbone()(photos.x))
    np.testing.assert_array_equal(found[:, 1], backbone()(np.ascontiguousarray(photos.x[:, :, ::-1])))
    assert (found[:, 0] != found[:, 1]).any()
    some = backbone().of_folder(photos, photos.x, np.array([4, 1]), tuple(VIEWS))
    np.testing.assert_array_equal(some, found[[4, 1]])


@pytest.fixture
def looked_at(monkeypatch):
    """How many pictures went through a network."""
    counts = []
    original = module.FeatureExtractor.__call__

    def spy(self, x):
        counts.append(len(x))
        return original(self, x)

    monkeypatch.setattr(module.FeatureExtractor, "__call__", spy)
    return counts


def test_the_cache_answers_until_pictures_or_weights_change(tmp_path, looked_at):
    photos = photos_of([3, 3], cache=tmp_path)
    first = backbone().of_folder(photos, photos.x)
    assert sum(looked_at) == 6
    np.testing.assert_array_equal(backbone().of_folder(photos, photos.x), first)
    assert sum(looked_at) == 6
    photos.x[2] = 255 - photos.x[2]
    again = backbone().of_folder(photos, photos.x)
    assert sum(looked_at) == 7, "one picture is another"
    np.testing.assert_array_equal(np.delete(again, 2, axis=0), np.delete(first, 2, axis=0))
    assert (again[2] != first[2]).any()
    other = backbone(seed=1).of_folder(photos, photos.x)
    assert sum(looked_at) == 13, "other weights have other features"
    assert (other != again).any()
    assert len(list(tmp_path.glob("*.features"))) == 2


def test_progress_is_told(tmp_path):
    told = []
    photos = photos_of([12, 9])
    backbone().of_folder(photos, photos.x, progress=lambda done, total: told.append((done, total)))
    assert told == [(16, 21), (21, 21)]


def test_the_hash_is_of_all_that_counts():
    first, same = backbone(), backbone()
    assert first.sha256 == same.sha256
    model = backbone_model()
    model.network.parameters["output.bias"] += 1
    assert features_of_model("x", model).sha256 == first.sha256, "the last layer has no part"
    of_state = model.network.state, "batch_normalization_1.moving_variance"
    for holder, name in ((model.network.parameters, "conv2d_2.bias"), of_state):
        holder[name] += 1
        assert features_of_model("x", model).sha256 != first.sha256
        holder[name] -= 1


def test_a_file_of_ones_own_and_the_network_of_the_package(tmp_path):
    backbone_model().save(tmp_path / "mine.safetensors")
    assert feature_extractor(tmp_path / "mine.safetensors").sha256 == backbone().sha256
    ours = feature_extractor("efficientnet-lite0")
    assert (ours.is_ours, ours.width, ours.pipeline) == (True, 1280, pl.PhotoPipeline(224, 224))


def test_what_cannot_be_begun_from(tmp_path):
    with pytest.raises(pl.ArgumentError, match=r"unknown pretrained network 'efficientnet'.*efficientnet-lite0"):
        feature_extractor("efficientnet")
    with pytest.raises(pl.ModelFileError, match=r"gone\.safetensors does not exist"):
        feature_extractor(tmp_path / "gone.safetensors")
    cut = tmp_path / "cut.safetensors"
    backbone_model().save(cut)
    cut.write_bytes(cut.read_bytes()[:-10])
    with pytest.raises(pl.ModelFileError, match="was cut off"):
        feature_extractor(cut)
    (tmp_path / "foreign").write_text("no weights")
    with pytest.raises(pl.ModelFileError, match="is not a model file"):
        feature_extractor(tmp_path / "foreign")
    digits = pl.Model(pl.Network([pl.Input(28, 28), pl.Dense(8, "relu"), pl.Classification(10)]))
    digits.save(tmp_path / "digits.safetensors")
    with pytest.raises(pl.ArgumentError, match="does not read photos"):
        feature_extractor(tmp_path / "digits.safetensors")
    flat = pl.Network([pl.Input(12, 12, 3), pl.Conv2D(4, 3), pl.Classification(2)])
    with pytest.raises(pl.ArgumentError, match="gives 12x12x4 numbers; features to learn from are at most 8,192 in a row"):
        features_of_model("flat", pl.Model(flat, pl.PhotoPipeline(12, 12)))
