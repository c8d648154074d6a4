"""Years of stamps that have none: in a file, however it runs, and over a set of files."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forensics.casefile import SourceSettings
from forensics.errors import AmbiguousTime
from forensics.loaders import newyear, sequence, years
from forensics.loaders.settings import Settings
from forensics.native.codes import DAY, MONTH_UNIT, NO_YEAR, YEAR_UNIT
from tests import ingesting

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = st.integers(0, 2 * 365 * 86_400).map(lambda n: datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
SEEDS = st.integers(0, 1 << 32).map(random.Random)
Moments = Sequence[datetime]


def packed(moment: datetime) -> int:
    of_day = moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.month * MONTH_UNIT + moment.day * DAY + of_day // timedelta(microseconds=1)


def seen(moments: Moments, hosts: Sequence[int] = ()) -> sequence.Stamps:
    found = sequence.Seen()
    found.follow([(NO_YEAR, packed(m), (hosts[n] if hosts else 7), n + 1) for n, m in enumerate(moments)])
    return found.stamps()


def read(moments: Moments, hosts: Sequence[int] = (), first: int | None = None) -> list[datetime]:
    """Stamps without their years, and years found for them again."""
    told = newyear.years("mail.log", seen(moments, hosts))
    clock = years.Clock(moments[0].year if first is None else first, told)
    count = len(moments)
    times, good = years.resolve(
        np.full(count, NO_YEAR, np.int32), np.array([packed(m) for m in moments]), np.arange(count) + 1, clock
    )
    assert good.all()
    return [EPOCH + timedelta(microseconds=int(t)) for t in times]


@st.composite
def logs(draw: st.DrawFn, days: int, silence: float = 4) -> list[datetime]:
    """Stamps in order, over so many days at most."""
    at = draw(START)
    rng = draw(SEEDS)
    end = at + timedelta(days=draw(st.floats(0, days)))
    out = [at]
    while (at := at + timedelta(seconds=rng.randint(1, int(silence * 86_400)))) < end:
        out.append(at)
    return out


@given(logs(1200, 25))
def test_in_order_over_years(moments: list[datetime]) -> None:
    assert read(moments) == moments


@given(logs(300))
def test_newest_first(moments: list[datetime]) -> None:
    backwards = moments[::-1]
    assert read(backwards) == backwards
    if len({m.replace(second=0) for m in moments}) > 1:
        assert sequence.order(seen(backwards)).how == sequence.NEWEST_FIRST


@given(logs(700), st.integers(-14, 14), SEEDS)
def test_two_hosts_whose_zones_differ(moments: list[datetime], hours: int, rng: random.Random) -> None:
    """Their stamps step back at every turn, and over New Year as well."""
    hosts = [rng.choice((7, 8)) for _ in moments]
    hosts[0] = 7
    shifted = [m + timedelta(hours=hours) if host == 8 else m for m, host in zip(moments, hosts, strict=True)]
    assert read(shifted, hosts) == shifted
    assert sequence.order(seen(shifted, hosts)).plain


@given(logs(330), st.lists(st.floats(0, 1), min_size=1, max_size=6), SEEDS)
def test_blocks_in_any_order(moments: list[datetime], cuts: list[float], rng: random.Random) -> None:
    """The true years, or a question; unless the blocks stand as a log over New Year would."""
    places = sorted({int(cut * len(moments)) for cut in cuts} | {0, len(moments)})
    blocks = [moments[a:b] for a, b in pairwise(places)]
    rng.shuffle(blocks)
    joined = [m for block in blocks for m in block]
    if joined != moments:
        steps = [(a, b) for a, b in pairwise(joined) if b.replace(year=2024) < a.replace(year=2024)]
        assume(any(a.month < 12 or b.month > 1 for a, b in steps))
    try:
        assert read(joined) == joined
    except AmbiguousTime as error:
        assert "step back" in str(error)


def test_steps_over_new_year() -> None:
    """In a log of every day, and in a sparse one; a long silence is asked about."""
    daily = [datetime(2023, 11, 1, tzinfo=UTC) + timedelta(days=n) for n in range(40)]
    for after in (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 9, tzinfo=UTC)):
        assert read([*daily, after]) == [*daily, after]
    sparse = [datetime(2023, 2, 1, tzinfo=UTC) + timedelta(days=45 * n) for n in range(12)]
    assert read(sparse) == sparse
    with pytest.raises(AmbiguousTime, match=r"record 32, from 1 Dec 00:00:00 to 20 Feb"):
        read([*daily[:31], datetime(2024, 2, 20, tzinfo=UTC)])


def test_a_whole_year_out_of_order_is_asked_about() -> None:
    days = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    by_text = sorted(days, key=lambda m: m.strftime("%b %e"))
    assert read(days) == days
    with pytest.raises(AmbiguousTime, match="so much of a year"):
        read(by_text)


def undated(name: str, moments: Moments, asked: int, over: bool = False) -> newyear.Undated:
    stamps = seen(moments)
    told = newyear.years(name, stamps)
    assert told is not None
    return newyear.Undated(name, asked, over, told, stamps.start, stamps.days)


@given(logs(200), st.lists(st.floats(0, 1), min_size=1, max_size=4), SEEDS, st.booleans())
def test_files_that_follow_each_other(
    moments: list[datetime], cuts: list[float], rng: random.Random, one_known: bool
) -> None:
    """One year for all: theirs, if they are of one; else it is asked about, unless a file's year is known."""
    places = sorted({int(cut * len(moments)) for cut in cuts} | {0, len(moments)})
    files = [moments[a:b] for a, b in pairwise(places)]
    rng.shuffle(files)
    asked = rng.choice(files)[0].year
    known = []
    if one_known and len(files) > 1:
        first = files.pop()
        known = [tuple((m - EPOCH) // timedelta(microseconds=1) for m in (first[0], first[-1]))]
        asked = rng.choice(files)[0].year
    marked = [undated(f"mail.log.{n}", one, asked) for n, one in enumerate(files)]
    crosses = len({one[0].year for one in files}) > 1
    if crosses:
        years_ = min(one[0].year for one in files)
        told = [undated(f"mail.log.{n}", one, years_, True) for n, one in enumerate(files)]
        assert newyear.place(told, []) == tuple(one[0].year for one in files)
    try:
        placed = newyear.place(marked, known)  # type: ignore[arg-type]
    except AmbiguousTime as error:
        assert crosses and not known
        assert "New Year" in str(error)
    else:
        assert placed == tuple(one[0].year for one in files)
        assert not crosses or known


def test_29_february_decides_between_years() -> None:
    before = [datetime(2023, 12, 1, tzinfo=UTC) + timedelta(days=n) for n in range(31)]
    after = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(70)]
    for asked in (2023, 2024):
        files = [undated("mail.log.1", before, asked), undated("mail.log", after, asked)]
        assert newyear.place(files, []) == (2023, 2024)
    plain = [undated("mail.log.1", before, 2022), undated("mail.log", after[:20], 2022)]
    with pytest.raises(AmbiguousTime, match="2021/2022 or 2022/2023"):
        newyear.place(plain, [])


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("mail.log-20240107", "2024-01-07"),
        ("mail.log.2024-01-07", "2024-01-07"),
        ("maillog-20240107.gz", "2024-01-07"),
        ("mail-2024-01.log", "2024-01-31"),
        ("mail.log-2024010706.xz", "2024-01-07"),
        ("mail.log-20240107-063101.1.gz", "2024-01-07"),
        ("logs.tar!/gw1/mail.log-20240229.zst", "2024-02-29"),
        ("mx1_2024-01-07.log", "2024-01-07"),
        ("20240107-maillog.bz2", "2024-01-07"),
        ("2024-01-07.log", "2024-01-07"),
        ("exim_mainlog.2023", "2023-12-31"),
        ("mail.log-202402", "2024-02-29"),
        ("mail.log-20230230", None),
        ("mx2019.example.org-mail.log", None),
        ("mx-2019.log", None),
        ("mx.2019.example.org", None),
        ("case 2023-1234 mail.log", None),
        ("INC202401.log", None),
        ("ticket-202401.txt", None),
        ("2023/mail.log", None),
        ("mail.log.1", None),
        ("mail.log-12024010", None),
    ],
)
def test_dates_in_names(name: str, date: str | None) -> None:
    found = years.date_in(name)
    assert (found and f"{found:%Y-%m-%d}") == date


@pytest.mark.parametrize(
    ("name", "first", "last", "year"),
    [
        ("mail.log-20240107", "2023-12-31", "2024-01-06", 2023),
        ("mail.log-20240107", "2023-12-31", "2023-12-31", 2023),
        ("mail.log-20240401", "2024-02-20", "2024-02-25", 2024),  # silent for most of a month
        ("mail-2024-01.log", "2024-01-02", "2024-01-03", 2024),
        ("exim_mainlog.2023", "2023-01-02", "2023-02-03", 2023),
        ("mail.log-20261130", "2024-03-01", "2024-03-31", None),  # when it was copied
        ("mail.log.2026-11-30.gz", "2024-03-01", "2024-10-20", None),
        ("mail-2026-11.log", "2024-03-01", "2024-08-31", None),
    ],
)
def test_a_date_in_a_name_that_is_not_of_its_rotation(name: str, first: str, last: str, year: int | None) -> None:
    """A copy may be named by its own date; then a year is asked for."""
    begin, end = (datetime.fromisoformat(f"{day}T10:00:00+00:00") for day in (first, last))
    seen = years.Years((packed(begin), (end.year - begin.year) * YEAR_UNIT + packed(end)))
    if year is None:
        with pytest.raises(AmbiguousTime, match="not that of its rotation"):
            years.dated_by_name(name, seen)
        assert years.contradicted_by_name(name, seen, begin.year) is None
    else:
        assert years.dated_by_name(name, seen)[0] == year
        assert years.contradicted_by_name(name, seen, year) is None
        assert years.contradicted_by_name(name, seen, year - 1)


def test_one_year_for_files_whose_names_tell_others(tmp_path: Path) -> None:
    """Nothing is written before each file's year is known."""
    text = {"mail.log-20220601": "May 20", "mail.log-20230601": "May 21", "mail.log": "Jun  2"}
    files = {
        name: f"{day} 10:00:00 mx1 postfix/smtp[3]: 4{n}1C2D3E4F: {ingesting.to('bob@navy.example')}\n"
        for n, (name, day) in enumerate(text.items())
    }
    with pytest.raises(AmbiguousTime, match=r"mail\.log-20220601: by --year .* of 2023, by the date .* of 2022"):
        ingesting.read(tmp_path, files, Settings(year=2023))
    assert not (tmp_path / "case" / "manifest.json").exists()
    one = {"mail.log-20220601": files["mail.log-20220601"]}
    result, (row,) = ingesting.read(tmp_path / "one", one, Settings(year=2023))
    assert row["submitted_at"].year == 2023
    said = "--year says 2023 of its first record, the date in its name another"
    assert said in result.evidence[0].notes["noted"]
    sources = (SourceSettings(file="mail.log", year=2023),)
    _, rows = ingesting.read(tmp_path, files, Settings(sources=sources))
    assert [row["submitted_at"].year for row in rows] == [2022, 2023, 2023]
