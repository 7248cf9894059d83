"""CSV text, against Python's own writer."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from pellucid.core.csv_text import csv_lines

TEXTS = st.text(st.sampled_from("a1é ,;\"\n\r\0\t'") | st.characters(exclude_categories=["Cs"]), max_size=6)
CELLS = (TEXTS, st.integers(), st.floats(allow_nan=False), TEXTS | st.integers())
COLUMNS = st.integers(0, 6).flatmap(
    lambda n: st.lists(st.one_of([st.lists(one, min_size=n, max_size=n) for one in CELLS]), min_size=2, max_size=5)
)


@given(COLUMNS)
def test_rows_are_those_of_python_s_writer(columns):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
    assert "".join(csv_lines(columns)) == text.getvalue()
