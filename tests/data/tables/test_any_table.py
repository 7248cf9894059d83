"""Any small table, with gaps, huge numbers and words of any script: what is learned, read, predicted and saved of it."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pellucid as pl

SOME = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
KINDS = {"number": "number", "word": "category", "size": ["S", "M", "L"], "day": "date"}
WORDS = st.text(
    st.sampled_from(list('ab1",;|\t é😀')) | st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6
)
CELLS = {
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "word": WORDS.map(str.strip).filter(bool),
    "size": st.sampled_from(["S", "M", "L"]),
    "day": st.dates().map(str),
}
LEARNED = 12  # rows; those behind them are held out


def rows(least, most):
    """Lists of rows; a cell may be missing."""
    row = st.fixed_dictionaries({name: st.none() | cells for name, cells in CELLS.items()})
    return st.lists(row, min_size=least, max_size=most)


def columns_of(rows):
    return {name: [row[name] for row in rows] for name in CELLS}


def table_of(rows):
    """With a target of two classes, as many of each as it can be."""
    return pl.datasets.table(columns_of(rows) | {"target": ["yes", "no"] * (len(rows) // 2)}, "target", kinds=KINDS)


@SOME
@given(rows(LEARNED, LEARNED), rows(8, 8), rows(8, 8))
def test_held_out_rows_change_nothing_that_is_learned(learned, held_out, others):
    one, other = table_of(learned + held_out), table_of(learned + others)
    places = np.arange(LEARNED)
    assert one.pipeline(places) == other.pipeline(places)
    np.testing.assert_array_equal(
        one.encode(one.pipeline(places))[:LEARNED], other.encode(other.pipeline(places))[:LEARNED]
    )


@pytest.fixture(scope="module")
def model():
    few = [{"number": k * 1.5, "word": "ab"[k % 2], "size": "SML"[k % 3], "day": f"2024-01-{k + 1:02}"} for k in range(20)]
    few += [dict.fromkeys(CELLS)] * 2
    return pl.train(table_of(few), epochs=1, layers="dense4", progress="none")


@SOME
@given(rows(1, 12), st.randoms(use_true_random=False))
def test_each_row_is_answered_by_itself(model, asked, random):
    """Whatever stands beside it, and in whichever order."""
    answered = model.predict(columns_of(asked)).probabilities
    assert np.isfinite(answered).all()
    order = random.sample(range(len(asked)), len(asked))
    np.testing.assert_array_equal(model.predict(columns_of([asked[k] for k in order])).probabilities, answered[order])
    alone = [model.predict(columns_of([row])).probabilities[0] for row in asked]
    np.testing.assert_allclose(alone, answered, rtol=1e-5, atol=1e-6)


@settings(SOME, max_examples=15)
@given(rows(LEARNED, LEARNED), rows(1, 6))
def test_saved_and_loaded_with_equal_bits(tmp_path, learned, asked):
    table = table_of(
        [*learned, *({**row, "number": k} for k, row in enumerate(learned))]
    )  # one column that is not constant
    trained = pl.train(table, epochs=1, layers="dense2", progress="none")
    trained.save(tmp_path / "m.safetensors")
    loaded = pl.load(tmp_path / "m.safetensors")
    assert loaded.pipeline == trained.pipeline
    mine, theirs = (one.predict(columns_of(asked)).probabilities for one in (trained, loaded))
    assert mine.tobytes() == theirs.tobytes()


@SOME
@given(
    rows(LEARNED, LEARNED),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from([".", ","]),
    st.booleans(),
)
def test_a_file_in_any_dialect_is_the_table(tmp_path, learned, delimiter, line_end, quoting, encoding, decimal, is_packed):
    expected = table_of(learned)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow([*CELLS, "target"])
    for k, row in enumerate(learned):
        number = "" if row["number"] is None else repr(row["number"]).replace(".", decimal)
        writer.writerow([number, *(row[name] or "" for name in ("word", "size", "day")), ("yes", "no")[k % 2]])
    content = text.getvalue().encode(encoding)
    (tmp_path / "table.csv").write_bytes(gzip.compress(content) if is_packed else content)
    found = pl.datasets.table(tmp_path / "table.csv", "target", kinds=KINDS, delimiter=delimiter, decimal=decimal)
    assert found.labels == expected.labels
    assert found.account.rows_in == found.account.rows_used == LEARNED
    assert found.account.cells_refused == 0
    np.testing.assert_array_equal(found.y, expected.y)
    for one, other in zip(found.values, expected.values, strict=True):
        np.testing.assert_array_equal(one, other)
