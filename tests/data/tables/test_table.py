"""Tables to learn from: which rows and columns, what is refused, and what the pipeline may know of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.data.tables.table import Table


def frame(count: int = 60, seed: int = 0) -> dict[str, list]:
    """A table with columns of all kinds, and gaps."""
    rng = np.random.default_rng(seed)

    def with_gaps(values: list) -> list:
        return [None if k % 7 == 3 else value for k, value in enumerate(values)]

    return {
        "number": with_gaps(rng.normal(size=count).tolist()),
        "town": with_gaps(rng.choice(["Ulm", "Bonn", "Jena"], count).tolist()),
        "day": with_gaps([f"2024-{1 + k % 12:02}-{1 + k % 28:02}" for k in range(count)]),
        "size": with_gaps(rng.choice(["S", "M", "L"], count).tolist()),
        "price": (100 * rng.normal(size=count)).tolist(),
        "kind": rng.choice(["x", "y", "z"], count).tolist(),
    }


KINDS = {"size": ["S", "M", "L"], "day": "date"}


def make(data: dict[str, list], target: str = "kind") -> Table:
    return pl.datasets.table(data, target, kinds=KINDS)


class TestFitting:
    def test_the_pipeline_knows_nothing_of_rows_that_it_is_not_fitted_on(self):
        """Whatever stands in the other rows: the same pipeline, and the same numbers for the training rows."""
        rows, others = np.arange(40), range(40, 60)
        data = frame()
        changed = {name: list(values) for name, values in data.items()}
        for k in others:
            row = {"number": 1e9 * k, "town": f"new {k}", "day": "1999-12-31 23:00:00", "size": "S", "price": -1e9}
            for name, value in row.items():
                changed[name][k] = value
        one, other = make(data), make(changed)
        assert one.pipeline(rows) == other.pipeline(rows)
        np.testing.assert_array_equal(one.encode(one.pipeline(rows))[:40], other.encode(other.pipeline(rows))[:40])

    @given(st.permutations(range(60)))
    def test_the_order_of_rows_is_irrelevant(self, order):
        data = frame()
        shuffled = {name: [values[k] for k in order] for name, values in data.items()}
        one, other = make(data), make(shuffled)
        everything = np.arange(60)
        assert one.pipeline(everything) == other.pipeline(everything)
        assert one.labels == other.labels
        np.testing.assert_array_equal(one.y[list(order)], other.y)
        x = one.encode(one.pipeline(everything))
        np.testing.assert_array_equal(x[list(order)], other.encode(other.pipeline(everything)))

    def test_a_column_named_as_a_number_is_sorted_the_same_in_any_order_of_rows(self):
        """ "nan" and "inf" are words: as numbers they would have no place in the order."""
        words = ["nan", "b", "inf", "2", "10", "a", "02", "-inf"]
        target = ["yes", "no"] * 4
        tables = [pl.datasets.table({"x": words[k:] + words[:k], "y": target}, "y") for k in range(8)]
        assert {table.columns[0].values for table in tables} == {("2", "10", "-inf", "02", "a", "b", "inf", "nan")}

    def test_a_category_that_training_rows_do_not_have_has_no_number(self):
        table = make(frame() | {"town": ["Ulm", "Bonn"] * 29 + ["Rome"] * 2})
        pipeline = table.pipeline(np.arange(50))
        x = table.encode(pipeline)
        of_town = [k for k, part in enumerate(pipeline.parts) if part.startswith("town")]
        assert [pipeline.parts[k] for k in of_town] == ["town = Bonn", "town = Ulm"]
        assert x[-2:, of_town].tolist() == [[0, 0], [0, 0]]
        assert (x[:58, of_town].sum(axis=1) == 1).all()

    def test_some_rows_alone(self):
        table = make(frame())
        rows = np.array([5, 2, 9])
        taken = table.take(rows)
        assert len(taken) == 3
        assert taken.rows.tolist() == [6, 3, 10]
        pipeline = table.pipeline(np.arange(60))
        np.testing.assert_array_equal(taken.encode(pipeline), table.encode(pipeline)[rows])
        np.testing.assert_array_equal(taken.y, table.y[rows])


class TestTarget:
    def test_rows_without_one_are_refused_and_counted(self):
        data = frame()
        for k in (0, 7, 59):
            data["kind"][k] = None
        table = make(data)
        assert len(table) == table.account.rows_used == 57
        assert table.account.rows_refused == 3
        assert [entry.row for entry in table.account.entries if entry.column is None] == [1, 8, 60]
        assert set(range(1, 61)) - set(table.rows.tolist()) == {1, 8, 60}

    def test_numbers_that_are_none_are_refused(self):
        prices = [float(k * k) for k in range(60)]
        table = make(frame() | {"price": [*prices[:-1], "sold"]}, "price")
        assert len(table) == 59
        np.testing.assert_array_equal(table.y, prices[:-1])
        assert table.labels is None
        (entry,) = [entry for entry in table.account.entries if entry.value == "sold"]
        assert entry.row == 60

    @pytest.mark.parametrize(
        ("values", "labels"),
        [
            (["no", "yes", "no"], ("no", "yes")),
            ([True, False, True], ("false", "true")),
            ([0, 1, 0], ("0", "1")),
            ([1, 2, 3], ("1", "2", "3")),
            ([3, 1, 2, 0], ("0", "1", "2", "3")),
            ([1, 2, 4], None),  # one is left out
            ([2, 3, 4], None),  # they begin with neither 0 nor 1
            (list(range(1, 21)), tuple(map(str, range(1, 21)))),
            (list(range(1, 22)), None),
            ([0.5, 1.5, 2.5], None),
            (["10", "9", "b", "a"], ("9", "10", "a", "b")),
        ],
    )
    def test_classes_or_numbers(self, values, labels):
        table = pl.datasets.table({"y": values * 2, "x": np.arange(2.0 * len(values)) ** 2}, "y")
        assert table.labels == labels
        if labels is None:
            np.testing.assert_array_equal(table.y, values * 2)
        else:
            assert [labels[k] for k in table.y] == [str(value).lower() for value in values * 2]

    def test_stated_kinds_decide(self):
        x = np.arange(6.0) ** 2
        assert pl.datasets.table({"y": [0, 1, 2] * 2, "x": x}, "y", kinds={"y": "number"}).labels is None
        ordered = pl.datasets.table({"y": [2, 3, 9] * 2, "x": x}, "y", kinds={"y": ["9", "3", "2", "1"]})
        assert ordered.labels == ("9", "3", "2")
        assert ordered.y.tolist() == [2, 1, 0] * 2

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (["a"] * 4, "cannot be learned: all cells are equal"),
            ([None] * 4, "cannot be learned: all cells are empty"),
            (["a", None, "a", None], "all rows that have one have 'a'"),
            (["2024-01-13", "2024-01-14", "2024-02-15", "2023-01-13"], "is a date; expected numbers or classes"),
        ],
    )
    def test_what_cannot_be_learned_is_a_sentence(self, y, message):
        with pytest.raises(pl.DataError, match=message):
            pl.datasets.table({"y": y, "x": [1.5, 2, 4, 8]}, "y")

    def test_identifiers_and_unknown_names(self):
        with pytest.raises(pl.DataError, match="cannot be learned as classes"):
            pl.datasets.table({"y": [f"u{k}" for k in range(40)], "x": np.arange(40) ** 2}, "y")
        with pytest.raises(pl.ArgumentError, match="column"):
            pl.datasets.table({"y": [1, 2], "x": [1, 2]}, "z")
        with pytest.raises(pl.ArgumentError, match="column"):
            pl.datasets.table({"y": [1, 2], "x": [1, 2]}, "y", drop=["z"])
        with pytest.raises(pl.DataError, match="x is dropped"):
            pl.datasets.table({"y": [1, 2], "x": [1, 2]}, "y", drop=["x"])


class TestExtremes:
    def trained(self, data: object, target: str = "y", **options: object) -> pl.Model:
        return pl.train(pl.datasets.table(data, target, **options), epochs=1, progress="none")

    def test_columns_that_are_all_missing_or_constant(self):
        data = {"y": ["a", "b"] * 10, "x": [None] * 20, "z": [1] * 20}
        with pytest.raises(pl.DataError, match="x is constant, z is constant"):
            pl.datasets.table(data, "y")
        model = self.trained(data, kinds={"x": "number", "z": "number"})
        assert np.isfinite(model.predict(data).probabilities).all()
        assert np.isfinite(model.predict({"x": 1e9, "z": -5}).probabilities).all()

    def test_one_row_is_no_table_to_learn_from_and_two_are(self):
        with pytest.raises(pl.DataError, match="x is constant"):
            pl.datasets.table({"y": [1.5], "x": [2]}, "y")
        assert self.trained({"y": ["a", "b"], "x": [2, 3]}).labels == ("a", "b")

    def test_ten_thousand_columns(self):
        rng = np.random.default_rng(0)
        data = {f"c{k}": rng.normal(size=30) for k in range(10_000)} | {"y": ["a", "b"] * 15}
        table = pl.datasets.table(data, "y")
        pipeline = table.pipeline(np.arange(20))
        x = table.encode(pipeline)
        assert x.shape == (30, 10_000)
        k = 7_654
        column = np.array(data[f"c{k}"])
        low, middle, high = np.percentile(column[:20], [25, 50, 75])
        z = (column - middle) / (high - low)
        np.testing.assert_allclose(x[:, k], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-5)

    def test_a_thousand_classes(self):
        data = {"y": [f"k{k}" for k in range(1000)] * 2, "x": np.random.default_rng(0).normal(size=2000)}
        table = pl.datasets.table(data, "y")
        assert len(table.labels) == 1000
        assert [table.labels[k] for k in table.y] == data["y"]
        model = pl.train(table, epochs=1, progress="none", layers="dense4")
        assert model.predict(data).probabilities.shape == (2000, 1000)

    def test_a_category_of_too_many_values_is_a_sentence(self):
        data = {"y": ["a", "b"] * 60_000, "x": [f"v{k}" for k in range(120_000)]}
        with pytest.raises(pl.DataError, match="more than 100,000 different values; drop it"):
            pl.datasets.table(data, "y", kinds={"x": "category"})

    def test_names_that_come_twice_in_a_file_are_told_apart(self, tmp_path: Path):
        (tmp_path / "t.csv").write_text("x,x,y\n" + "".join(f"{k},{k * k},{'ab'[k % 2]}\n" for k in range(9)))
        table = pl.datasets.table(tmp_path / "t.csv", "y", kinds={"x": "number"})
        assert [column.name for column in table.columns] == ["x", "x (2)"]
        assert [values.tolist() for values in table.values] == [list(range(9)), [k * k for k in range(9)]]
        assert "again" in table.account.notes[0]


@pytest.mark.parametrize("target", ["kind", "price"])
def test_saved_and_loaded_with_equal_bits(tmp_path: Path, target: str):
    data = frame(120)
    model = pl.train(make(data, target), epochs=2, progress="none")
    model.save(tmp_path / "m.safetensors")
    loaded = pl.load(tmp_path / "m.safetensors")
    assert loaded.pipeline == model.pipeline
    assert loaded.labels == model.labels
    new = frame(50, seed=9)
    new["town"][0] = "Rome"
    one, other = model.predict(new), loaded.predict(new)
    for name in ("probabilities", "values", "not_understood", "rows"):
        mine, others = getattr(one, name), getattr(other, name)
        assert (mine is None) == (others is None)
        if mine is not None:
            assert mine.dtype == others.dtype
            assert mine.tobytes() == others.tobytes()
    assert one.not_understood[0] == 1
    backwards = {name: values[::-1] for name, values in new.items()}
    for name in ("probabilities", "values"):
        if (mine := getattr(one, name)) is not None:
            np.testing.assert_array_equal(getattr(model.predict(backwards), name)[::-1], mine)
