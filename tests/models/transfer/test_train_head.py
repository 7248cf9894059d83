"""A model on a pretrained network: one picture a class, weights, seeds, calibration, and files with the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_backbones import SIDE, backbone, backbone_model, photos_of

import pellucid as pl
from pellucid.models.pretrained import weights
from pellucid.models.transfer.features import feature_extractor
from pellucid.models.transfer.head import USUAL, HeadProblem
from pellucid.models.transfer.train_head import HeadOptions, train_head

NOTHING = np.zeros(0, np.int64)


def trained(photos, *, rows=None, kept_aside=NOTHING, extractor=None, **options):
    rows = np.arange(len(photos.x)) if rows is None else rows
    return train_head(photos, extractor or backbone(), rows, kept_aside, HeadOptions(**options))


def test_the_model_is_the_network_with_the_head_on_it():
    photos = photos_of([8, 8, 8])
    model = trained(photos)
    problem = HeadProblem(backbone().of_folder(photos, photos.x, views=("as it is", "mirrored")), photos.y, 3)
    head = problem.head(model.transfer.strength)
    new = photos_of([4, 4, 4], seed=5)
    np.testing.assert_allclose(model.network.forward(new.x), head.logits(backbone()(new.x)), atol=1e-3)
    assert model.labels == photos.labels
    assert [answer.label for answer in model.predict(new.x)] == [new.labels[k] for k in new.y]
    assert model.network.layers[:-1] == backbone_model().network.layers[:-1]
    assert model.network.layers[-1] == pl.Classification(3)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_picture_a_class_is_enough_to_start(classes):
    model = trained(photos_of([1] * classes))
    new = photos_of([6] * classes, seed=3)
    assert model.evaluate(new.x, new.y)["accuracy"] == 1.0
    transfer = model.transfer
    assert (transfer.count, transfer.accuracy, transfer.losses, transfer.curve) == (classes, None, (), ())
    assert transfer.strength == USUAL
    assert model.temperature is None
    with pytest.raises(pl.ArgumentError, match="nothing to measure a confidence by"):
        model.predict(new.x[0], confidence=0.9)


def test_one_picture_of_one_class_and_many_of_another():
    model = trained(photos_of([1, 20]))
    assert model.transfer.judged == 20, "the only one is always learned from"
    new = photos_of([6, 6], seed=3)
    assert model.evaluate(new.x, new.y)["accuracy"] == 1.0


def test_pictures_that_are_held_out_in_turn_calibrate():
    photos = photos_of([40, 40], noise=156)
    flipped = np.random.default_rng(0).choice(80, 12, replace=False)
    photos.y[flipped] = 1 - photos.y[flipped]  # so that not all can be right
    model = trained(photos)
    assert model.transfer.judged == 80
    assert model.transfer.accuracy == pytest.approx(1 - 12 / 80, abs=0.05)
    assert [judged for _, judged in model.transfer.classes] == np.bincount(photos.y).tolist()
    assert sum(right for right, _ in model.transfer.classes) == round(80 * model.transfer.accuracy)
    assert model.temperature.samples == 80
    assert model.conformal_scores[0].count == 80
    new = photos_of([100, 100], seed=7, noise=156)
    sets = model.predict_sets(new.x, 0.8)
    assert sets[np.arange(200), new.y].mean() > 0.8
    assert model.transfer.curve[-1].accuracy == model.transfer.accuracy
    assert [point.count for point in model.transfer.curve] == [1, 2, 5, 10, 25, 36]


def test_pictures_that_are_kept_aside_are_not_learned_from():
    photos = photos_of([40, 40])
    rows, aside = np.arange(0, 80, 2), np.arange(1, 80, 2)
    model = trained(photos, rows=rows, kept_aside=aside)
    assert model.transfer.count == 40
    assert model.conformal_scores[0].count == 40
    photos.x[aside] = 0
    again = trained(photos, rows=rows, kept_aside=aside)
    np.testing.assert_array_equal(again.network.parameters.vector, model.network.parameters.vector)


def test_uneven_classes_count_alike_unless_told_otherwise():
    photos = photos_of([30, 10], noise=156)
    by_rule, by_hand, plain = (
        trained(photos, **options)
        for options in ({}, {"class_weight": {0: 2 / 3, 1: 2.0}, "balance": False}, {"balance": False})
    )
    np.testing.assert_allclose(by_rule.network.parameters["output.weight"], by_hand.network.parameters["output.weight"])
    assert (by_rule.network.parameters["output.weight"] != plain.network.parameters["output.weight"]).any()
    even = photos_of([30, 30])
    balanced, unbalanced = (trained(even, balance=balance).network.parameters.vector for balance in (True, False))
    np.testing.assert_array_equal(balanced, unbalanced)


def test_the_seed_decides_the_folds_and_nothing_else():
    photos = photos_of([30, 30], noise=156)
    first, again, other = (trained(photos, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.network.parameters.vector, again.network.parameters.vector)
    assert first.transfer == again.transfer
    assert first.transfer.losses != other.transfer.losses
    if first.transfer.strength == other.transfer.strength:
        np.testing.assert_array_equal(first.network.parameters.vector, other.network.parameters.vector)


def test_pictures_that_must_not_be_mirrored():
    photos = photos_of([6, 6])
    model = trained(photos, flip=False)
    assert model.transfer.views == 1
    assert "as they are." in model.transfer.in_words()[0]


def test_pictures_of_another_size_are_refused_with_the_remedy():
    with pytest.raises(pl.ShapeError, match=r"are 12x12x3; .* takes 224x224x3: .*folder\(path, size=\(224, 224\)\)"):
        trained(photos_of([2, 2]), extractor=feature_extractor("efficientnet-lite0"))


def test_a_file_gives_the_same_bits(tmp_path):
    photos = photos_of([20, 20])
    model = trained(photos)
    model.save(tmp_path / "m.safetensors")
    loaded = pl.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.network.parameters.vector, model.network.parameters.vector)
    np.testing.assert_array_equal(loaded.predict_proba(photos.x), model.predict_proba(photos.x))
    assert loaded.transfer == model.transfer
    assert loaded.calibration == model.calibration


def test_pl_train_begins_from_a_file(tmp_path):
    backbone_model().save(tmp_path / "mine.safetensors")
    photos = photos_of([20, 20])
    model = pl.train(photos, pretrained=tmp_path / "mine.safetensors", progress="none", seed=3)
    np.testing.assert_array_equal(model.network.parameters.vector, trained(photos, seed=3).network.parameters.vector)
    assert model.network.seed == 3
    held_out = pl.train(photos, pretrained=tmp_path / "mine.safetensors", validation=0.5, progress="none")
    assert (held_out.transfer.count, held_out.conformal_scores[0].count) == (20, 20)
    plain = pl.train(photos, pretrained=tmp_path / "mine.safetensors", augment=None, progress="none")
    assert plain.transfer.views == 1
    assert plain.transfer.network == "mine.safetensors", "a model file names no folder"
    for options in ({"epochs": 3}, {"layers": "conv8"}, {"optimizer": "adam"}, {"early_stopping": 3}, {"batch_size": 8}):
        with pytest.raises(pl.ArgumentError, match=f"{next(iter(options))}: on a network that is pretrained"):
            pl.train(photos, pretrained=tmp_path / "mine.safetensors", progress="none", **options)


def test_digits_and_tables_begin_from_nothing(tmp_path):
    photos = photos_of([30, 30])
    assert pl.train(photos, layers="conv4 average", epochs=1, progress="none").transfer is None
    (tmp_path / "t.csv").write_text("a,b\n" + "\n".join(f"{k % 7},{'xy'[k % 2]}" for k in range(40)))
    table = pl.datasets.table(tmp_path / "t.csv", "b")
    with pytest.raises(pl.ArgumentError, match="pretrained is for pictures"):
        pl.train(table, pretrained="efficientnet-lite0")


# the network of the package


@pytest.fixture(scope="module")
def photos():
    """Two kinds of pictures of 224x224: coarse patterns in warm and in cold colours."""
    from pellucid.data.photos.folder import PhotoFolder
    from pellucid.data.photos.folder_report import FolderReport

    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 7, 7, 3), np.uint8)
    coarse[:3, ..., 2] //= 4
    coarse[3:, ..., 0] //= 4
    x = np.kron(coarse, np.ones((1, 32, 32, 1), np.uint8))
    report = FolderReport("here", {"warm": (3, 0), "cold": (3, 0)}, ())
    return PhotoFolder(x, np.repeat([0, 1], 3), None, ("warm", "cold"), ["p"] * 6, [], report, pl.PhotoPipeline(224, 224))


@pytest.fixture(scope="module")
def model(photos):
    return pl.train(photos, progress="none")


def test_photos_begin_from_it_by_the_rules(photos, model):
    assert model.transfer.network == "efficientnet-lite0"
    assert model.evaluate(photos.x, photos.y)["accuracy"] == 1.0


def test_its_file_is_small_and_a_slim_one_tiny(photos, model, tmp_path):
    whole, slim = tmp_path / "whole.safetensors", tmp_path / "slim.safetensors"
    model.save(whole)
    model.save(slim, slim=True)
    assert whole.stat().st_size < 7_500_000
    assert slim.stat().st_size < 50_000
    expected = model.predict_proba(photos.x[:2])
    for path in (whole, slim):
        loaded = pl.load(path)
        np.testing.assert_array_equal(loaded.network.parameters.vector, model.network.parameters.vector)
        np.testing.assert_array_equal(loaded.network.state.vector, model.network.state.vector)
        np.testing.assert_array_equal(loaded.predict_proba(photos.x[:2]), expected)


def test_a_slim_file_is_never_paired_with_other_weights(model, tmp_path, monkeypatch):
    slim = tmp_path / "slim.safetensors"
    model.save(slim, slim=True)
    arrays = load_file(weights.WEIGHTS)
    name = "conv2d_1.weight"
    arrays[name] = arrays[name] * np.float16(1.001)
    save_file(arrays, tmp_path / "weights.safetensors")
    monkeypatch.setattr(weights, "WEIGHTS", tmp_path / "weights.safetensors")
    with pytest.raises(pl.ModelFileError, match="this installation has others"):
        pl.load(slim)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(pl.ModelFileError, match="install Pellucid again"):
        pl.load(slim)


def test_only_what_the_package_has_can_be_left_out(tmp_path, photos, model):
    for other in (trained(photos_of([3, 3])), backbone_model(), pl.pretrained()):
        with pytest.raises(pl.ModelFileError, match="slim leaves out weights that come with the package"):
            other.save(tmp_path / "m.safetensors", slim=True)
    changed = pl.Model(model.network, model.pipeline, model.labels)
    changed.transfer = model.transfer
    before = changed.network.parameters["conv2d_1.weight"].copy()
    changed.network.parameters["conv2d_1.weight"] *= 2
    try:
        with pytest.raises(pl.ModelFileError, match="save it whole"):
            changed.save(tmp_path / "m.safetensors", slim=True)
    finally:
        changed.network.parameters["conv2d_1.weight"] = before
    assert not (tmp_path / "m.safetensors").exists()


def test_it_is_a_network_like_any_other(photos, model):
    """Its scores are sums over its features, and so is the explanation of one."""
    small = pl.Network([pl.Input(32, 32, 3), *model.network.layers[1:]], arrays={
        **model.network.parameters, **model.network.state
    }, dtype="float64")  # fmt: skip
    found = pl.attribute(small, photos.x[:1, :32, :32], target=1)
    assert found.method == "exact"
    assert abs(found.gap[0]) < 1e-6 * max(1.0, abs(found.score[0]))
    assert SIDE < 32
