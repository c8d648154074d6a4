"""Stamps of exports: every documented form, and the order of day and month decided for the file or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forensics.errors import AmbiguousTime
from forensics.loaders.exchange import dates

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


def test_an_unreadable_stamp_is_unread_never_guessed() -> None:
    got = read(HEADER + row("yesterday") + row("2024-01-02T00:00:00", 2))
    (unread,) = got.unread
    assert "yesterday" in unread["reason"] and len(got.legs) == 1
