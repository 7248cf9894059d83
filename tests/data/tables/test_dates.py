"""Dates in cells, against Python's datetime."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.tables.dates import ORDERS, date_of, orders_of, parse_dates

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))
FORMS = {
    "ymd": ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f"],
    "dmy": ["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y %H:%M"],
    "mdy": ["%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M%p"],
    "d month y": ["%d %b %Y", "%d-%B-%Y"],
    "month d y": ["%b %d, %Y", "%B %d %Y %H:%M"],
}


@settings(deadline=None)
@given(MOMENTS, st.sampled_from([(order, form) for order, forms in FORMS.items() for form in forms]))
def test_a_date_means_what_python_reads(moment, form):
    order, form = form
    text = moment.strftime(form.replace("%Y", f"{moment.year:04d}"))  # strftime does not pad years
    expected = datetime.strptime(text, form).replace(tzinfo=UTC)
    assert date_of(text, order) == expected
    assert order in orders_of(text)
    values, missing, refused = parse_dates([text, "", "NA", "soon"], order)
    assert values[0] == expected.timestamp()
    assert missing.tolist() == [False, True, True, False]
    assert refused.tolist() == [False, False, False, True]


@settings(deadline=None)
@given(MOMENTS, st.integers(-14 * 60, 14 * 60), st.sampled_from(["", " "]), st.booleans())
def test_zones_are_taken_off(moment, minutes, space, colon):
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    zone = moment.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:5]}" if colon else zone[:5]
    text = moment.replace(tzinfo=None).isoformat() + space + zone
    assert date_of(text, "ymd") == moment.astimezone(UTC)


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789-/. :TZ+JanMayQ,"), max_size=16))
def test_orders_of_a_text_are_all_orders_in_which_it_is_a_date(text):
    assert orders_of(text) == [order for order in ORDERS if date_of(text, order) is not None]


@pytest.mark.parametrize(
    "text",
    [
        *("2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "0000-01-01", "2024-1-1T25:00", "2024-01-01T10:61"),
        *("2024-01/02", "2024-01-01T10:00+25:00", "31 Foo 2024", "２０２４-01-01", "2024-01-01x", "1/2/3", "13:00"),
        *("1/2/2024 13:00 PM", "2024-01-01\n", "0001-01-01T00:00+14:00"),
    ],
)  # fmt: skip
def test_what_is_no_date(text):
    assert orders_of(text) == []
    values, missing, refused = parse_dates([text], "ymd")
    assert math.isnan(values[0])
    assert not missing[0]
    assert refused[0]


@settings(deadline=None)
@given(
    st.dates(date(1969, 1, 1), date(2068, 12, 31)),
    st.sampled_from(
        [("dmy", "%d/%m/%y"), ("dmy", "%d.%m.%y"), ("mdy", "%m/%d/%y"), ("dmy", "%d-%m-%y"), ("d month y", "%d-%b-%y")]
    ),
)
def test_years_of_two_digits_are_those_of_posix(day, form):
    order, form = form
    text = day.strftime(form)
    assert datetime.strptime(text, form).date() == day  # as the pivot of Python and POSIX has it
    assert date_of(text, order) == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert order in orders_of(text)
    assert "ymd" not in orders_of(text)
    assert parse_dates([text, text + " 13:30"], order)[0].tolist() == [
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp() for hour, minute in ((0, 0), (13, 30))
    ]


@pytest.mark.parametrize(
    "text", ["1.10.45", "1-1-99", "10.1.45", "2.11.99", "1.2.3", "31.12.9", "31/12/999", "Mar 3, 24", "99-12-31"]
)
def test_versions_and_other_short_numbers_are_no_dates(text):
    assert orders_of(text) == []


def test_a_day_above_12_proves_the_order():
    assert orders_of("13/04/2024") == ["dmy"]
    assert orders_of("04/13/2024") == ["mdy"]
    assert orders_of("03/04/2024") == ["dmy", "mdy"]
    assert orders_of("03.04.2024") == ["dmy"]  # with points the day is first
    assert date_of("03/04/2024", "dmy") == datetime(2024, 4, 3, tzinfo=UTC)
    assert date_of("03/04/2024", "mdy") == datetime(2024, 3, 4, tzinfo=UTC)
