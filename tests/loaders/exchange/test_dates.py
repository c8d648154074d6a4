"""Stamps of exports: every documented form, and the order of day and month decided for the file or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from babel.core import Locale
from babel.dates import format_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import AmbiguousTime
from forensics.loaders.exchange import date_words, dates

from .driver import read

HEADER = b"Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageId,MessageTraceId\r\n"


def micros(*parts: int) -> int:
    moment = datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2024-03-04T13:05:09", None, micros(2024, 3, 4, 13, 5, 9)),
        ("2024-03-04 13:05:09Z", None, micros(2024, 3, 4, 13, 5, 9)),
        ("2024-03-04T13:05:09.1234567Z", None, micros(2024, 3, 4, 13, 5, 9, 123456)),
        ("2024-03-04T14:05:09+01:00", None, micros(2024, 3, 4, 13, 5, 9)),
        ("/Date(1709557509000)/", None, micros(2024, 3, 4, 13, 5, 9)),
        ("/Date(1709557509000+0100)/", None, micros(2024, 3, 4, 13, 5, 9)),
        ("3/4/2024 1:05:09 PM", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("3/4/2024 12:05:09 AM", dates.MONTH_FIRST, micros(2024, 3, 4, 0, 5, 9)),
        ("3/4/2024 12:05:09 p.m.", dates.DAY_FIRST, micros(2024, 4, 3, 12, 5, 9)),
        ("04.03.2024 13:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("04-03-2024 13.05.09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("2024/3/4 13:05", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5)),
        ("2024/3/4 下午 1:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("2024/03/04 上午 01:05", dates.DAY_FIRST, micros(2024, 3, 4, 1, 5)),
        ("2024-03-04 오후 1:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("2024年3月4日 午後 1:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("4/3/2024 1:05:09 μμ", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("4/3/2024 1:05:09 Π.Μ.", dates.DAY_FIRST, micros(2024, 3, 4, 1, 5, 9)),
        ("04/03/2024 1:05:09 p.\u00a0m.", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("3/4/2024 1:05:09\u202fPM", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("\u200f04/03/2024 01:05:09 م", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("٠٤/٠٣/٢٠٢٤ ٠١:٠٥:٠٩ ص", dates.DAY_FIRST, micros(2024, 3, 4, 1, 5, 9)),
        ("2024. 03. 04. 13:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("4. 3. 2024 13:05:09", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("4.3.2024 г. 13:05:09 ч.", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("04.03.2024, 13:05", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5)),
        ("3/4/2024 1:05:09 PM +00:00", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("3/4/2024 1:05:09 PM +01:00", dates.MONTH_FIRST, micros(2024, 3, 4, 12, 5, 9)),
        ("Monday, March 4, 2024 1:05:09 PM", dates.DAY_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("lundi 4 mars 2024 13:05:09", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("4 de marzo de 2024 13:05:09", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5, 9)),
        ("04-Mar-2024 13:05", dates.MONTH_FIRST, micros(2024, 3, 4, 13, 5)),
        ("4 listopad 2024 13:05:09", dates.DAY_FIRST, None),
        ("4 Mars April 2024 13:05:09", dates.DAY_FIRST, None),
        ("4/3/2024 1:05:09 noon", dates.DAY_FIRST, None),
        ("4/3/2024 PM 1:05:09 PM", dates.DAY_FIRST, None),
        ("4/3/2567 13:05:09", dates.DAY_FIRST, None),
        ("0023-06-01T07:34:02Z", None, None),
        ("9999-12-31T23:59:59-12:00", None, None),
        ("/Date(253402300799999)/", None, None),
        ("31/2/2024 13:05:09", dates.DAY_FIRST, None),
        ("3/4/2024 13:05:09 PM", dates.DAY_FIRST, None),
        ("3/4/24 13:05:09", dates.DAY_FIRST, None),
        ("2024-02-30T00:00:00", None, None),
        ("3/4/2024 1:05:09 PM", None, None),
        ("", dates.DAY_FIRST, None),
        ("/Date(x)/", None, None),
    ],
)
def test_one_stamp(text: str, order: str | None, expected: int | None) -> None:
    assert dates.read(text, order) == expected


def row(received: str, n: int = 1) -> bytes:
    guid = f"0badc0de-0000-4000-8000-{n:012x}"
    return f'"{received}",a@contoso.example,b@fabrikam.example,x,"Delivered",,,1,"<{n}@x>",{guid}\r\n'.encode()


def first_days(*stamps: str) -> list[str]:
    got = read(HEADER + b"".join(row(s, n) for n, s in enumerate(stamps)))
    assert not got.unread
    return [d["first_at"].strftime("%m-%d") for d in sorted(got.deliveries(), key=lambda d: d["message_id"])]


def test_one_date_above_twelve_decides_for_all() -> None:
    assert first_days("1/2/2024 10:00:00", "2/13/2024 10:00:00") == ["01-02", "02-13"]
    assert first_days("1/2/2024 10:00:00", "13/2/2024 10:00:00") == ["02-01", "02-13"]


def test_an_open_order_is_a_question_not_a_guess() -> None:
    with pytest.raises(AmbiguousTime, match=r"1/2/2024 10:00:00") as caught:
        read(HEADER + row("1/2/2024 10:00:00") + row("3/4/2024 10:00:00", 2))
    assert "ISO 8601" in (caught.value.remedy or "")


def test_two_orders_in_one_file_are_a_question() -> None:
    with pytest.raises(AmbiguousTime, match="others only month-day-year"):
        read(HEADER + row("13/2/2024 10:00:00") + row("2/13/2024 10:00:00", 2))


def test_equal_day_and_month_need_no_order() -> None:
    assert first_days("1/1/2024 10:00:00", "02/02/2024 10:00:00") == ["01-01", "02-02"]


def test_a_few_open_dates_among_many_plain_ones_are_unread() -> None:
    plain = b"".join(row(f"2024-01-{n:02d}T00:00:00Z", n) for n in range(1, 22))
    got = read(HEADER + plain + row("1/2/2024 10:00:00", 99))
    assert len(got.legs) == 21 and "1/2/2024" in got.unread[0]["reason"]
    assert "whether the day or the month comes first" in got.surveys[0].notes["noted"][0]


def test_bounds_of_the_query_decide_the_order_and_are_no_period() -> None:
    header = HEADER.replace(b"Received,", b"Received,StartDate,EndDate,")
    got = read(header + row("1/2/2024 10:00:00").replace(b",", b",1/13/2024 00:00:00,2/14/2024 00:00:00,", 1))
    assert got.hops[0]["first_at"].strftime("%m-%d") == "01-02"
    assert got.surveys[0].first == got.surveys[0].last == micros(2024, 1, 2, 10)


MOMENTS = st.integers(0, 7_258_118_399).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@settings(max_examples=200)
@given(
    MOMENTS,
    st.sampled_from(date_words.LANGUAGES),
    st.sampled_from(["d/M/yyyy", "M-d-yyyy", "dd.MM.yyyy", "yyyy/MM/dd"]),
)
def test_a_time_in_any_language_is_read_as_it_was_or_not_at_all(moment: datetime, language: str, form: str) -> None:
    """With the halves of the day as the language has them, before the time or behind it."""
    periods = Locale.parse(language).day_periods["format"]["abbreviated"]
    word = periods["am" if moment.hour < 12 else "pm"]
    date = (
        form.replace("dd", f"{moment.day:02d}").replace("MM", f"{moment.month:02d}").replace("yyyy", str(moment.year))
    )
    date = date.replace("d", str(moment.day)).replace("M", str(moment.month))
    time = f"{(moment.hour - 1) % 12 + 1}:{moment.minute:02d}:{moment.second:02d}"
    order = dates.MONTH_FIRST if form.startswith("M") else dates.DAY_FIRST
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert dates.read(f"{date} {word} {time}", order) in (expected, None)
    assert dates.read(f"{date} {time} {word}", order) == expected
    written = format_datetime(moment, "EEEE d MMMM yyyy HH:mm:ss", locale=language)
    assert dates.read(written, None if "listopad" in written.lower() else order) in (expected, None)


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_no_text_is_more_than_unreadable(text: str) -> None:
    value = dates.read(text, dates.DAY_FIRST, "Europe/London")
    assert value is None or isinstance(value, int)


def test_an_unreadable_stamp_is_unread_never_guessed() -> None:
    got = read(HEADER + row("yesterday") + row("2024-01-02T00:00:00", 2))
    (unread,) = got.unread
    assert "yesterday" in unread["reason"] and len(got.legs) == 1
