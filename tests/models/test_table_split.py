"""Rows held out by time or by group: nothing of the future and no group is on both sides, and nothing is lost unnamed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from drawn_photos import make_folder
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.models.table_split import TableSplit
from pellucid.models.train_table import divide_table


def frame(count: int = 300, seed: int = 0) -> pd.DataFrame:
    """Visits of 30 customers on days in no order; two have no day, one no customer."""
    rng = np.random.default_rng(seed)
    days = np.datetime64("2021-01-01") + rng.integers(0, 400, count)
    visits = pd.DataFrame(
        {
            "day": [None if k in (7, 90) else str(day) for k, day in enumerate(days)],
            "hour": rng.integers(0, 24, count),
            "customer": [None if k == 5 else f"c{number}" for k, number in enumerate(rng.integers(0, 30, count))],
            "size": rng.normal(size=count),
            "price": rng.normal(size=count),
        }
    )
    visits["visit"] = [f"v{k:05d}" for k in range(count)]
    return visits


def table_of(visits: pd.DataFrame, **options: object):
    return pl.datasets.table(visits, target="price", **options)


class TestTime:
    @pytest.mark.parametrize("fraction", [0.1, 0.25, 0.6])
    def test_every_held_out_row_is_later_than_every_row_that_is_learned_from(self, fraction):
        visits = frame()
        table = table_of(visits)
        learned, held_out = divide_table(table, fraction, 0, TableSplit.of(table, "time:day"))
        days = pd.to_datetime(visits["day"])
        assert days[learned].max() < days[held_out].min()
        assert sorted([*learned, *held_out]) == [k for k in range(300) if k not in (7, 90)]
        assert len(held_out) / 298 == pytest.approx(fraction, abs=0.01)

    def test_a_number_is_a_time_too_and_equal_times_stay_together(self):
        visits = frame()
        table = table_of(visits)
        learned, held_out = divide_table(table, 0.3, 0, TableSplit.of(table, "time:hour"))
        assert visits["hour"][learned].max() < visits["hour"][held_out].min()
        assert len(learned) + len(held_out) == 300

    def test_days_are_compared_as_days_and_not_as_texts(self, tmp_path):
        """15.01.2022 is later than 20.12.2021, although its text is smaller."""
        days = pd.date_range("2021-12-10", periods=60).strftime("%d.%m.%Y")
        path = tmp_path / "days.csv"
        path.write_text("day;a;price\n" + "".join(f"{day};{k % 7},5;{k % 5},25\n" for k, day in enumerate(days)))
        table = pl.datasets.table(path, target="price", drop=["day"])
        split = TableSplit.of(table, "time:day")
        learned, held_out = divide_table(table, 0.25, 0, split)
        np.testing.assert_array_equal(learned, np.arange(45))
        np.testing.assert_array_equal(held_out, np.arange(45, 60))
        words = split.in_words((learned, held_out), "for the test")
        assert words == (
            "split by day, for the test: 45 rows before 2022-01-24 to learn from, 15 rows from then on held out"
        )

    def test_rows_without_a_time_are_named(self):
        split = TableSplit.of(table_of(frame()), "time:day")
        assert split.left_out() == "2 rows have no day, and are left out: 8, 91"
        assert TableSplit.of(table_of(frame()), "time:hour").left_out() is None

    @pytest.mark.parametrize("column", ["customer", "visit"])
    def test_a_column_of_words_is_no_time(self, column):
        with pytest.raises(pl.DataError, match=f"'{column}' cannot say what came first"):
            TableSplit.of(table_of(frame()), f"time:{column}")

    def test_one_time_for_all_is_none(self):
        visits = frame()
        visits["year"] = 2021
        table = table_of(visits)
        with pytest.raises(pl.DataError, match="the same time"):
            divide_table(table, 0.2, 0, TableSplit.of(table, "time:year"))


class TestGroups:
    @given(seed=st.integers(0, 50), fraction=st.sampled_from([0.1, 0.3, 0.5]))
    def test_no_group_is_on_both_sides_and_the_share_is_near(self, seed, fraction):
        visits = frame(seed=seed % 3)
        table = table_of(visits)
        learned, held_out = divide_table(table, fraction, seed, TableSplit.of(table, "group:customer"))
        groups = visits["customer"]
        assert not set(groups[learned]) & set(groups[held_out])
        assert sorted([*learned, *held_out]) == [k for k in range(300) if k != 5]
        most = groups.value_counts().max()
        assert abs(len(held_out) - 299 * fraction) < most  # a group fewer or more would be further off

    def test_another_seed_holds_other_groups_out(self):
        table = table_of(frame())
        split = TableSplit.of(table, "group:customer")
        held_out = {tuple(divide_table(table, 0.2, seed, split)[1]) for seed in range(5)}
        assert len(held_out) == 5

    def test_a_huge_group_is_learned_from(self):
        visits = frame()
        visits["customer"] = ["huge"] * 250 + [f"c{k % 5}" for k in range(50)]
        table = table_of(visits)
        for seed in range(8):
            _, held_out = divide_table(table, 0.15, seed, TableSplit.of(table, "group:customer"))
            assert set(visits["customer"][held_out]) < {"c0", "c1", "c2", "c3", "c4"}
            assert len(held_out) in (40, 50)

    def test_the_groups_of_a_dropped_column_and_of_an_identifier(self):
        visits = frame()
        visits["pair"] = [f"p{k // 2:04d}" for k in range(300)]
        dropped = table_of(visits, drop=["customer", "pair"])
        assert "customer" not in [column.name for column in dropped.columns]
        learned, held_out = divide_table(dropped, 0.2, 0, TableSplit.of(dropped, "group:pair"))
        assert not set(visits["pair"][learned]) & set(visits["pair"][held_out])

    def test_the_sentence_counts_groups_and_rows(self):
        visits = frame()
        table = table_of(visits)
        split = TableSplit.of(table, "group:customer")
        learned, held_out = division = divide_table(table, 0.2, 0, split)
        count = [visits["customer"][rows].nunique() for rows in division]
        assert split.in_words(division, "for validation") == (
            f"split by customer, for validation: {count[0]} groups ({len(learned)} rows) to learn from, {count[1]} other "
            f"({len(held_out)} rows) held out"
        )
        assert split.left_out() == "1 row has no customer, and is left out: 6"

    def test_one_group_cannot_be_divided(self):
        visits = frame()
        visits["shop"] = "the only one"
        table = table_of(visits)
        with pytest.raises(pl.DataError, match="one group"):
            divide_table(table, 0.2, 0, TableSplit.of(table, "group:shop"))


def test_a_part_of_a_table_is_divided_again():
    """First the rows of the test, then those for validation: three sides without a common group."""
    visits = frame()
    table = table_of(visits)
    split = TableSplit.of(table, "group:customer")
    learned, test = divide_table(table, 0.2, 1, split)
    part = table.take(learned)
    learned, held_out = divide_table(part, 0.2, 0, split.take(learned))
    sides = [set(visits["customer"][part.rows[rows] - 1]) for rows in (learned, held_out)] + [set(visits["customer"][test])]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not sides[one] & sides[other]


def test_refused_rows_move_nothing(tmp_path):
    """Rows without a target are not in the table: the groups of the others are still their own."""
    visits = frame().astype(object).fillna("")
    visits.loc[::10, "price"] = ""
    path = tmp_path / "visits.csv"
    visits.to_csv(path, index=False)
    table = pl.datasets.table(path, target="price")
    learned, held_out = divide_table(table, 0.3, 0, TableSplit.of(table, "group:customer"))
    groups = visits["customer"].to_numpy()
    assert not set(groups[table.rows[learned] - 1]) & set(groups[table.rows[held_out] - 1])
    assert len(learned) + len(held_out) == len(table) - (groups[table.rows - 1] == "").sum()


def test_rows_in_another_order_and_more_than_once_keep_their_groups():
    visits = frame()
    rows = np.random.default_rng(0).integers(0, 300, 200)
    rows = rows[rows != 5]  # which has no customer
    table = table_of(visits).take(rows)
    learned, held_out = divide_table(table, 0.3, 0, TableSplit.of(table, "group:customer"))
    groups = visits["customer"].to_numpy()[rows]
    assert not set(groups[learned]) & set(groups[held_out])
    assert len(learned) + len(held_out) == len(rows)


def test_fewer_than_ten_rows_are_not_held_out():
    table = table_of(frame(40))
    split = TableSplit.of(table, "time:hour")
    learned, held_out = divide_table(table, 0.05, 0, split)
    assert (len(learned), len(held_out)) == (40, 0)
    assert "too few" in split.in_words((learned, held_out), "for validation")


@pytest.mark.parametrize("text", ["date", "time", "time:", "group", "weeks:day", ":day", ""])
def test_another_word_is_refused(text):
    with pytest.raises(pl.ArgumentError, match="random, time:COLUMN or group:COLUMN"):
        TableSplit.of(table_of(frame()), text)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(pl.ArgumentError, match="custmer"):
        TableSplit.of(table_of(frame()), "group:custmer")


class TestTrain:
    def test_rows_that_are_left_out_are_named_by_a_warning(self):
        with pytest.warns(UserWarning, match="2 rows have no day, and are left out: 8, 91"):
            pl.train(table_of(frame()), split="time:day", epochs=1, layers="dense2", progress="none")

    def test_what_is_measured_is_measured_on_the_rows_held_out(self):
        table = table_of(frame())
        model = pl.train(table, split="time:hour", epochs=1, layers="dense2", progress="none")
        _, held_out = divide_table(table, 0.1, 0, TableSplit.of(table, "time:hour"))
        assert model.conformal_scores[0].count == len(held_out)

    def test_pictures_have_neither_split_nor_loss(self, tmp_path):
        photos = pl.datasets.folder(make_folder(tmp_path / "photos", ["red disc", "blue box"], 2), progress=None)
        with pytest.raises(pl.ArgumentError, match="for tables"):
            pl.train(photos, split="time:day")
        with pytest.raises(pl.ArgumentError, match="for tables"):
            pl.train(photos, loss="mae")
