"""CSV text, against Python's own writer."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.core import csv_text as module
from pellucid.core.csv_text import csv_text, number_texts

TEXTS = st.text(st.sampled_from("a1é ,;\"\n\r\0\t'") | st.characters(exclude_categories=["Cs"]), max_size=6)
CELLS = (TEXTS, st.integers(), st.floats(allow_nan=False), TEXTS | st.integers())
COLUMNS = st.integers(0, 6).flatmap(
    lambda n: st.lists(st.one_of([st.lists(one, min_size=n, max_size=n) for one in CELLS]), min_size=2, max_size=5)
)


@given(COLUMNS)
def test_rows_are_those_of_python_s_writer(columns):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
    assert csv_text(columns) == text.getvalue()


def test_arrays_are_columns_too():
    columns = [np.arange(3), np.array([0.1, 1e16, -2], np.float32), np.array([1e-5, 0.5, 100.0])]
    assert csv_text(columns) == "0,0.1,1e-05\n1,1e+16,0.5\n2,-2.0,100.0\n"


WAYS = pytest.mark.parametrize("native", [True, False])


@pytest.fixture
def way(native, monkeypatch):
    if not native:
        monkeypatch.setattr(module, "_native", None)


@WAYS
@pytest.mark.usefixtures("way")
class TestNumberTexts:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_all_kinds_of_floats_are_written_as_by_numpy_and_python(self, native, dtype):
        chance = np.random.default_rng(0)
        powers = np.concatenate([2.0 ** np.arange(-160, 128), 10.0 ** np.arange(-40, 38)]).astype(dtype)
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, 9999999999999998.0, 1e16, 0.0001, 0.00012345, 123456789012345680.0]
        others = np.frombuffer(chance.bytes(160_000), dtype), chance.normal(0, 100, 5000).astype(dtype)
        values = np.concatenate([powers, np.array(special, dtype), *others])
        assert number_texts(values) == [repr(float(str(value))) for value in values]
        assert number_texts(values, 9) == [repr(float(f"{value:.9g}")) for value in values]

    def test_every_other_number_of_a_column(self, native):
        values = np.arange(12, dtype=np.float32).reshape(4, 3) / 8
        assert number_texts(values[:, 1]) == ["0.125", "0.5", "0.875", "1.25"]
        assert number_texts(values[:0, 1]) == []
