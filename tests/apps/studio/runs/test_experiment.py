"""Experiments from the words of a page: defaults, bounds, and a sentence for everything that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.apps.studio.runs.experiment import CHECKS, DATA, POINT_SETS, default, experiment
from pellucid.apps.studio.runs.material import material, network_of
from pellucid.models.train import divide, network_for, recipe_for

DRAWN = [[0, 0, 0], [1, 1, 1], [0.5, 1, 1], [0.25, 0.5, 0]]
GIVEN = {data: {"data": data} | ({"points": DRAWN} if data == "drawn" else {}) for data in DATA if data != "folder"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """60 pictures of two classes, the second one rarer."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(60):
        path = root / ("bright" if number % 3 else "dark") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8) // (1 if number % 3 else 3)).save(path)
    return pl.datasets.folder(root, size=12, cache=tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("data", GIVEN)
def test_an_experiment_survives_the_way_to_the_page_and_back(data):
    first = experiment(GIVEN[data] | {"hidden": [3, 2], "l2": 0.001, "seed": 7})
    assert first.recipe.hidden == (3, 2)
    assert experiment(first.to_data()) == first
    assert set(first.to_data()) == set(CHECKS) - (set() if data == "drawn" else {"points"})


@pytest.mark.parametrize("data", POINT_SETS)
def test_points_are_divided_into_two_parts_with_a_share_of_each_class(data):
    found = material(experiment(GIVEN[data] | {"validation": 0.25}))
    assert found.validation is not None
    both = np.concatenate([found.training.rows, found.validation.rows])
    assert np.array_equal(np.sort(both), np.arange(len(found.training.x)))
    assert len(found.validation) == round(0.25 * len(both))
    counts = np.bincount(found.validation.y[found.validation.rows])
    assert counts.max() - counts.min() <= 1
    assert network_of(experiment(GIVEN[data]), found).input.shape == (2,)


def test_the_seed_of_the_data_divides_them_and_that_of_the_training_does_not():
    rows = [material(experiment({"data": "moons", **seeds})).training.rows for seeds in ({}, {"seed": 9}, {"data_seed": 9})]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_a_share_that_keeps_nothing_aside_keeps_nothing_aside():
    assert material(experiment({"data": "xor", "validation": 0})).validation is None
    assert material(experiment(GIVEN["drawn"] | {"validation": 0.1})).validation is None
    one_of_each = [[0, 0, 0], [1, 0, 1], [0, 1, 2], [1, 1, 3]]
    assert material(experiment({"data": "drawn", "points": one_of_each, "validation": 0.5})).validation is None


def test_another_optimizer_brings_its_own_learning_rate():
    first = experiment({"data": "moons"})
    assert first.changed({"optimizer": "SGD"}) == first.changed({"optimizer": "gradient_descent"})
    assert first.changed({"optimizer": "gradient_descent"}).recipe.learning_rate == 0.1
    assert first.changed({"optimizer": "gradient_descent", "learning_rate": 3}).recipe.learning_rate == 3
    assert first.changed({"l2": 0.5}).recipe.learning_rate == first.recipe.learning_rate


def test_a_fork_stays_with_its_samples():
    first = experiment({"data": "moons"})
    for change in ({"samples": 30}, {"noise": 0.2}, {"data_seed": 1}, {"validation": 0.5}, {"data": "xor"}):
        with pytest.raises(pl.ArgumentError, match=f"so {next(iter(change))} cannot change"):
            first.changed(change)
    assert first.changed({"data": "moons", "noise": first.noise, "dropout": 0.5}).recipe.dropout == 0.5


def test_layers_in_words_and_sizes_take_each_others_place():
    words = experiment({"data": "digits", "layers": "conv4 pool  dense8"})
    assert words.recipe.layers == "conv4 pool dense8"
    assert words.changed({"hidden": [5]}).recipe.layers is None
    assert experiment({"data": "digits", "layers": None, "hidden": []}).recipe.hidden == ()
    network = network_of(words, material(words))
    assert [layer.kind for layer in network.layers[1:-1]] == ["conv2d", "batch_normalization", "max_pooling2d", "dense"]


WRONG = {
    "data": ("digit", 3, None, "x" * 1000),
    "samples": (9, 20_001, 50.5, "50", True),
    "noise": (-0.1, 0.6, "0.1", True),
    "validation": (-0.1, 0.95, None),
    "hidden": (3, [0], [4097], [2] * 9, [1.5], "12", [[1]]),
    "layers": ("conv4", "dens4", 3, "dense2 " * 13, ["dense2"]),
    "activation": ("softmax", 1, None),
    "dropout": (1, -0.1, "a"),
    "batch_norm": (1, "true", None),
    "l1": (-1, 11),
    "l2": (-1, float("nan"), float("inf")),
    "optimizer": ("sdg", 0),
    "learning_rate": (0, -1, 101, 10**400, None, "fast"),
    "schedule": ("linear", 1),
    "epochs": (0, 1001, 2.0),
    "batch_size": (0, 4097, -(10**400)),
    "augment": (True, 1),
    "patience": (-1, 1001, 1.5, None, True),
    "seed": (-1, 2**31, 0.5),
    "data_seed": (-1, 2**31, "0"),
}


CASES = {f"{field}-{place}": (field, value) for field, values in WRONG.items() for place, value in enumerate(values)}


@pytest.mark.parametrize(("field", "value"), CASES.values(), ids=CASES)
def test_a_wrong_value_is_named_in_a_short_sentence(field, value):
    def make():
        found = experiment({"data": "moons"} | {field: value})
        return network_of(found, material(found))

    with pytest.raises(pl.PellucidError, match=field) as failure:
        make()
    assert len(str(failure.value)) < 400


def test_every_field_has_wrong_values_to_be_tested_with():
    assert set(WRONG) == set(CHECKS) - {"points"}


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (None, "points"),
        ("abc", "points"),
        ([], "two classes"),
        ([[0, 0, 1], [1, 1, 1]], "two classes"),
        ([[0, 0], [1, 1, 1]], r"\[x1, x2, class\]"),
        ([[0, 0, 0], [1, 5, 1]], "coordinate"),
        ([[0, 0, 0], [1, "a", 1]], "coordinate"),
        ([[0, 0, 0], [1, 1, 4]], "class"),
        ([[0, 0, 0], [1, 1, 0.5]], "class"),
        ([[0, 0, 0], [1, 1, 1]] * 1001, "at most 2,000"),
    ],
)
def test_drawn_points_are_checked_one_by_one(points, word):
    with pytest.raises(pl.ArgumentError, match=word):
        experiment({"data": "drawn", "points": points})


@pytest.mark.parametrize(
    "fields", [None, [], "moons", {}, {"data": "drawn"}, {"data": "moons", "units": 3}, {"data": "folder"}]
)
def test_what_is_no_experiment_is_refused(fields):
    with pytest.raises(pl.ArgumentError):
        experiment(fields)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"hidden": [4096, 4096, 4096]}, "parameters"),
        ({"layers": "conv512", "batch_size": 4096}, "numbers"),
        ({"layers": "conv32 conv1024x5", "batch_size": 32}, "multiply-adds"),
        ({"layers": "conv999999999"}, "parameters"),
    ],
)
def test_a_network_that_is_too_large_is_refused_before_it_is_made(fields, word):
    found = experiment({"data": "digits", "samples": 5000, **fields})
    with pytest.raises(pl.ArgumentError, match=word):
        network_of(found, material(found))


def test_a_folder_is_prepared_as_train_prepares_it(photos):
    found = experiment({"data": "folder"}, photos)
    parts = material(found, photos)
    network = network_of(found, parts)
    division = divide(photos, 0.2, 0)
    expected = recipe_for(photos, division, {"patience": 0})
    assert network.layers == network_for(photos, division, expected, 0).layers  # with the same means and deviations
    assert np.array_equal(parts.validation.rows, division.kept_aside)
    assert found.recipe.fit_options() == expected.fit_options()
    learned = photos.y[parts.training.rows]
    by_class = {label: parts.training.weights[parts.training.rows][learned == label].sum() for label in (0, 1)}
    assert by_class[0] == pytest.approx(by_class[1], rel=1e-6)  # twice as many of one class: both count alike


def test_the_defaults_are_experiments(photos):
    for data in DATA:
        assert default(data, photos).data == data
