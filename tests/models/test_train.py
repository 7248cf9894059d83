"""``pl.train``: from a folder to a model; what it decides, and that it looks at the training part alone."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.folder_report import FolderReport
from pellucid.data.samples import Samples, split
from pellucid.models.train import divide, recipe_for
from pellucid.training.recipes.photo_rules import choose

QUICK = {"layers": "conv4 pool conv8 average", "epochs": 2, "progress": "none"}


def photos_of(counts, *, seed=0, channels=3):
    """Pictures of 12x12 in memory, of which class k is bright in channel k."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    x = rng.integers(0, 120, (len(y), 12, 12, 3), np.uint8)
    x[np.arange(len(y)), :, :, y % 3] += 100
    x = x if channels == 3 else x[..., 0]
    labels = tuple(f"class {k}" for k in range(len(counts)))
    report = FolderReport("here", {label: (n, 0) for label, n in zip(labels, counts, strict=True)}, ())
    files = [f"{k}.png" for k in range(len(y))]
    return PhotoFolder(x, y, None, labels, files, [], report, pl.PhotoPipeline(12, 12, channels))


def test_a_model_that_answers_for_pictures_and_is_saved_whole(tmp_path):
    photos = photos_of([40, 40, 40])
    model = pl.train(photos, layers="conv8 pool conv8 average", epochs=15, progress="none")
    assert model.labels == photos.labels
    assert model.network.history["validation_accuracy"][-1] == 1.0
    model.save(tmp_path / "m.safetensors")
    loaded = pl.load(tmp_path / "m.safetensors")
    assert loaded.pipeline == photos.pipeline
    new = photos_of([3, 3, 3], seed=9)
    assert [answer.label for answer in loaded.predict(new.x)] == [new.labels[k] for k in new.y]


def test_standardisation_is_measured_on_the_training_part_alone():
    photos = photos_of([40, 40])
    rows = np.arange(80)
    training, kept_aside = split(Samples(photos.x, photos.y, rows), 0.25, 7, photos.y)
    expected = pl.Rescale.fit(photos.x[training.rows])
    assert pl.train(photos, validation=0.25, seed=7, **QUICK).network.layers[1] == expected
    photos.x[kept_aside.rows] = 255
    assert pl.train(photos, validation=0.25, seed=7, **QUICK).network.layers[1] == expected


def test_grey_pictures():
    model = pl.train(photos_of([30, 30], channels=1), **QUICK)
    assert model.network.layers[0] == pl.Input(12, 12)
    assert model.pipeline.output_shape == (12, 12)


def test_the_same_seed_is_the_same_model():
    first, again, other = (pl.train(photos_of([20, 20, 20]), seed=seed, **QUICK) for seed in (1, 1, 2))
    assert first.network.parameters.vector.tobytes() == again.network.parameters.vector.tobytes()
    assert first.network.parameters.vector.tobytes() != other.network.parameters.vector.tobytes()


def test_uneven_classes_count_alike():
    """With weights, the loss of the first epoch is that of balanced data by hand."""
    photos = photos_of([60, 20])
    balanced = pl.train(photos, validation=None, **QUICK)
    by_hand = pl.train(photos, validation=None, class_weight={0: 80 / 120, 1: 80 / 40}, **QUICK)
    plain = pl.train(photos, validation=None, class_weight=None, **QUICK)
    assert balanced.network.history["loss"] == by_hand.network.history["loss"]
    assert balanced.network.history["loss"] != plain.network.history["loss"]


def test_early_stopping_by_the_rules_by_patience_or_never():
    photos = photos_of([40, 40])
    options = QUICK | {"epochs": 60}
    stopped = pl.train(photos, early_stopping=2, **options).network.history
    assert stopped.reason == "stopped early"
    never = pl.train(photos, early_stopping=None, **options).network.history
    assert (never.reason, len(never["loss"])) == ("completed", 60)


def test_by_the_rules_only_the_last_third_of_the_epochs_is_judged():
    photos = photos_of([40, 40])
    stopping = recipe_for(photos, divide(photos, 0.2, 0), {"epochs": 30}).fit_options()["early_stopping"]
    assert stopping.start_from_epoch == 20
    assert stopping.patience == 10, "the fewest"
    assert choose([32, 32], (12, 12, 3)).patience == 210 // 6
    assert choose([32, 32], (12, 12, 3), epochs=90).patience == 15
    network = pl.train(photos, **QUICK | {"epochs": 30}).network
    _, kept_aside = split(Samples(photos.x, photos.y, np.arange(80)), 0.2, 0, photos.y)
    best = network.evaluate(photos.x[kept_aside.rows], photos.y[kept_aside.rows])["loss"]
    assert best == pytest.approx(min(network.history["validation_loss"][20:]), rel=1e-5)


def test_random_changes_by_the_rules_by_hand_or_none():
    photos = photos_of([30, 30])
    settings = [
        pl.train(photos, **QUICK | options).network.training_state.settings.get("augmentation")
        for options in ({}, {"flip": False}, {"augment": None}, {"augment": False}, {"augment": pl.PhotoAugmentation()})
    ]
    assert settings[0].startswith("PhotoAugmentation(flip=True")
    assert settings[1] == settings[0].replace("flip=True", "flip=False")
    assert settings[2:] == [None, None, repr(pl.PhotoAugmentation())]


def test_one_picture_a_class_is_trained_on_with_a_warning():
    photos = photos_of([1] * 5)
    with pytest.warns(UserWarning, match="5 pictures are too few to hold 20% out"):
        model = pl.train(photos, **QUICK)
    assert "validation_loss" not in model.network.history
    pl.train(photos, validation=None, **QUICK)  # asked for: no warning


def test_of_classes_with_one_picture_none_is_kept_aside():
    """However many classes there are: a fifth of 60 pictures would be 12, but each is the only one of its class."""
    with pytest.warns(UserWarning, match="60 pictures are too few"):
        model = pl.train(photos_of([1] * 60), **QUICK)
    assert "validation_loss" not in model.network.history


@pytest.mark.parametrize(("count", "is_validated"), [(23, False), (24, True)])  # a fifth of 46 is 9.2, of 48 is 9.6
def test_ten_pictures_are_the_fewest_to_be_kept_aside(count, is_validated, recwarn):
    model = pl.train(photos_of([count, count]), **QUICK)
    assert ("validation_loss" in model.network.history) == is_validated
    assert bool(recwarn.list) != is_validated


def test_a_set_on_disk_is_measured_in_part(monkeypatch):
    """Of a set larger than memory, only some of the training pictures are measured: evenly spread ones."""
    monkeypatch.setattr("pellucid.models.train.MEASURED_BYTES", 10 * 12 * 12 * 3)
    photos = photos_of([50, 50])
    model = pl.train(photos, validation=None, **QUICK)
    assert model.network.layers[1] == pl.Rescale.fit(photos.x[::10])


WRONG = {
    "no folder": (["photos/"], {}, "pl.datasets.folder"),
    "unknown option": ([], {"learning_rate": 1e-3}, "train has no argument 'learning_rate': .* optimizer=pl.Adam"),
    "option of Keras": ([], {"verbose": 0}, 'Keras calls it verbose; here progress="none"'),
    "misspelt option": ([], {"batchsize": 8}, "Did you mean 'batch_size'?"),
    "misspelt argument": ([], {"epoch": 8}, "Did you mean 'epochs'?"),
    "layers": ([], {"layers": "cnov8"}, "word 1"),
    "layers for larger pictures": ([], {"layers": "pool pool pool pool"}, "word 4"),
    "validation": ([], {"validation": 1.5}, "validation"),
    "validation pair": ([], {"validation": ([1], [2])}, "validation"),
    "epochs": ([], {"epochs": 0}, "epochs"),
    "augment": ([], {"augment": "strong"}, "augment"),
    "flip": ([], {"flip": "yes"}, "flip"),
    "seed": ([], {"seed": "x"}, "seed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_work(name):
    arguments, options, words = WRONG[name]
    with pytest.raises(pl.ArgumentError, match=words):
        pl.train(*(arguments or [photos_of([30, 30])]), **QUICK | options)


def test_an_ensemble_of_pictures_is_refused():
    with pytest.raises(pl.ArgumentError, match="ensemble is for tables"):
        pl.train(photos_of([40, 40]), ensemble=4, **QUICK)
    assert pl.train(photos_of([40, 40]), ensemble=False, **QUICK).network.output.members == 1
