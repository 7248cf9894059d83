"""Frames with words, dates and missing values go through the pipeline of tables; frames of numbers stay arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.model_selection import cross_val_score

import pellucid as pl
from pellucid.interop.estimators.frames import needs_pipeline
from pellucid.reports.validation import unit_of_epochs
from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEW = np.random.default_rng(7)
ROOMS = NEW.normal(5, 2, 200).round(2)
SEA = NEW.choice(["far", "near"], 200)
PRICE = 2 * (SEA == "near") + 0.5 * ROOMS
SMALL = {"hidden_layer_sizes": (12,), "max_iter": 60, "random_state": 0, "learning_rate_init": 0.03}


def houses(**columns):
    rooms = ROOMS.copy()
    rooms[::20] = np.nan
    return pd.DataFrame({"rooms": rooms, "sea": SEA, **columns})


def test_words_and_missing_values_are_learned_from():
    frame = houses()
    ours = NetworkRegressor(**SMALL).fit(frame, PRICE)
    known = frame["rooms"].notna()
    assert ours.score(frame[known], PRICE[known]) > 0.95
    assert list(ours.feature_names_in_) == ["rooms", "sea"]
    assert ours.n_features_in_ == 2


def test_the_numbers_of_the_network_by_hand():
    """Quartiles and a soft clip for the rooms, whether they are missing, and a number for each word."""
    frame = houses()
    ours = NetworkRegressor(**SMALL).fit(frame, PRICE)
    low, center, high = np.nanquantile(frame["rooms"], [0.25, 0.5, 0.75])
    z = ((frame["rooms"] - center) / (high - low)).fillna(0)
    by_hand = np.stack([z / np.sqrt(1 + (z / 3) ** 2), frame["rooms"].isna(), SEA == "far", SEA == "near"], axis=1)
    hidden = np.maximum(by_hand.astype(float) @ ours.coefs_[0] + ours.intercepts_[0], 0)
    np.testing.assert_allclose(ours.predict(frame), (hidden @ ours.coefs_[1] + ours.intercepts_[1])[:, 0], rtol=1e-4)


def test_what_is_held_out_is_not_measured():
    """The last rows are held out, and their rooms are far from the others: the center is that of the others."""
    frame = houses()
    later = frame.tail(40).assign(rooms=1000.0)
    ours = NetworkRegressor(**SMALL).fit(frame.head(160), PRICE[:160], X_val=later, y_val=PRICE[160:])
    assert ours.model_.pipeline.columns[0].center == pytest.approx(frame["rooms"].head(160).median())
    split = NetworkRegressor(**SMALL, early_stopping=True).fit(frame, PRICE)
    assert len(split.validation_scores_) == split.n_iter_


def test_the_model_that_is_saved_reads_frames_itself(tmp_path):
    frame = houses()
    ours = NetworkClassifier(**SMALL).fit(frame, pd.Series(np.where(PRICE > 3, "dear", "cheap"), name="price"))
    ours.model_.save(tmp_path / "houses.safetensors")
    answers = pl.load(tmp_path / "houses.safetensors").predict(frame)
    assert [one.label for one in answers] == list(ours.predict(frame))
    assert answers.target == "price"
    row = ours.model_.predict({"rooms": 9.5, "sea": "near"})
    assert row.label == "dear"


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (pd.DataFrame({"price": PRICE, "rent": 2 * PRICE}), ["price", "rent"]),
        (np.stack([PRICE, 2 * PRICE], axis=1), ["target 1", "target 2"]),
        (pd.DataFrame({"rooms": PRICE, "sea": 2 * PRICE}), ["rooms'", "sea'"]),
    ],
)
def test_the_saved_model_of_several_targets_names_them(tmp_path, y, names):
    frame = houses()
    ours = NetworkRegressor(**SMALL).fit(frame, y)
    ours.model_.save(tmp_path / "houses.safetensors")
    answers = pl.load(tmp_path / "houses.safetensors").predict(frame)
    assert list(answers[0].values) == names
    np.testing.assert_allclose([list(one.values.values()) for one in answers], ours.predict(frame), rtol=1e-6)


def test_nothing_says_that_the_target_was_scaled():
    """The estimator takes it as it is; ``pl.train`` divides it by its standard deviation."""
    frame = houses()
    ours = NetworkRegressor(**SMALL | {"max_iter": 2}).fit(frame, PRICE)
    other = pl.train(pl.datasets.table(frame.assign(price=PRICE), "price"), epochs=1, progress="none")
    assert unit_of_epochs(ours.model_) == ""
    assert "standard deviation" in unit_of_epochs(other)


def test_a_frame_of_polars_gives_the_same_bits_as_one_of_pandas():
    frame = houses()
    same = polars.DataFrame({"rooms": [None if np.isnan(one) else one for one in frame["rooms"]], "sea": list(SEA)})
    first, second = (NetworkRegressor(**SMALL).fit(one, PRICE).predict(one) for one in (frame, same))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([1.0, 2.0]), False),
        (pd.Series([1.0, None]), True),
        (pd.Series(["a", "b"]), True),
        (pd.Series([True, False]), False),
        (pd.Series([1, 2], dtype="Int64"), False),
        (pd.Series([1, None], dtype="Int64"), True),
        (pd.Series([1, 2], dtype="category"), True),
        (pd.to_datetime(pd.Series(["2024-01-01", "2024-01-02"])), True),
    ],
)
def test_which_frames_need_the_pipeline(column, expected):
    assert needs_pipeline(column.to_frame("x")) is expected
    assert not needs_pipeline(column.to_numpy()[:, None])
    if column.dtype.kind == "f":
        assert needs_pipeline(polars.DataFrame({"x": list(column)})) is expected


def test_a_frame_of_numbers_gives_the_bits_of_its_array():
    numbers = houses()[["rooms"]].fillna(0).assign(bath=[True, False] * 100)
    frame, array = (NetworkRegressor(**SMALL).fit(one, PRICE) for one in (numbers, numbers.to_numpy(float)))
    assert np.array_equal(frame.coefs_[0], array.coefs_[0])


def test_cross_validation_by_frames():
    assert cross_val_score(NetworkRegressor(**SMALL), houses(), PRICE, cv=3).mean() > 0.8


def test_what_does_not_fit():
    ours = NetworkRegressor(**SMALL | {"max_iter": 2}).fit(houses(), PRICE)
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(houses()[["sea", "rooms"]])
    with pytest.raises(ValueError, match="answers for a frame with the same columns, not for ndarray"):
        ours.predict(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no column to learn from"):
        NetworkRegressor().fit(pd.DataFrame({"a": ["x"] * 30}), np.arange(30.0))
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples"):
        NetworkRegressor().fit(houses(), PRICE[1:])
    with pytest.raises(ValueError, match="y contains NaN"):
        NetworkRegressor().fit(houses(), np.where(PRICE > 3, np.nan, PRICE))
    plain = NetworkRegressor(**SMALL | {"max_iter": 2}).fit(houses()[["rooms"]].fillna(0), PRICE)
    with pytest.raises(ValueError, match="NaN"):
        plain.predict(houses()[["rooms"]])


TOWN = NEW.permutation(np.arange(1000) % 100)
RENT = NEW.normal(size=100)[TOWN]  # of each town its own, in no order


def towns():
    return pd.DataFrame({"town": [f"T{town:02d}" for town in TOWN], "noise": NEW.normal(size=len(TOWN))})


@pytest.mark.parametrize("more", [{}, {"ensemble": 2}, {"solver": "lbfgs"}, {"layers": "dense12 norm"}])
def test_words_with_many_values_are_learned_by_their_value(more):
    """100 towns have a rent each that says nothing of that of the next: their place in the order would explain none."""
    frame = towns()
    ours = NetworkRegressor(**SMALL).set_params(**more).fit(frame[:800], RENT[:800])
    assert ours.score(frame[800:], RENT[800:]) > 0.9
    assert ours.score(frame[800:].assign(town="new"), RENT[800:]) < 0.1


def test_a_word_with_many_values_enters_the_first_dense_layer_as_its_vector():
    frame = towns()
    ours = NetworkRegressor(**{**SMALL, "max_iter": 3}).fit(frame, RENT)
    vectors = ours.model_.network.parameters["embedding_1.vectors_0"]
    names = sorted(set(frame["town"]))
    low, center, high = np.quantile(frame["noise"], [0.25, 0.5, 0.75])
    z = (frame["noise"] - center) / (high - low)
    own = vectors[[names.index(town) for town in frame["town"]]]
    x = np.column_stack([z / np.sqrt(1 + (z / 3) ** 2), own])
    hidden = np.maximum(x @ ours.coefs_[0] + ours.intercepts_[0], 0)
    np.testing.assert_allclose(ours.predict(frame), (hidden @ ours.coefs_[1] + ours.intercepts_[1])[:, 0], atol=1e-5)
