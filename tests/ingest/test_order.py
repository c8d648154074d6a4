"""The same rows in whichever order a log's records, its files and their copies come."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import AmbiguousTime
from forensics.loaders.settings import Settings
from tests.ingest.test_ingest import ALBION, logs, unpacked
from tests.ingesting import message, read, run, to

Files = list[list[bytes]]
YEAR = Settings(year=2023)


def whole(files: Files) -> list[bytes]:
    return [line for one in files for line in one]


def shuffled(lines: list[bytes]) -> list[bytes]:
    out = list(lines)
    random.Random(1).shuffle(out)
    return out


def shuffled_within_seconds(lines: list[bytes]) -> list[bytes]:
    rng = random.Random(2)
    keys = {line: (line[:19], rng.random()) for line in lines}
    return sorted(lines, key=keys.__getitem__)


ORDERS: dict[str, tuple[Callable[[Files], list[bytes]], str]] = {
    "sorted": (lambda files: sorted(whole(files)), ""),
    "newest first": (lambda files: whole(files)[::-1], "newest first"),
    "newest file first": (lambda files: whole(files[::-1]), "blocks whose times"),
    "within seconds in none": (lambda files: shuffled_within_seconds(whole(files)), ""),
    "in none": (lambda files: shuffled(whole(files)), "in no order"),
    "a block twice": (lambda files: whole([*files[:5], *files[2:4], *files[5:]]), "collected twice"),
}


@pytest.fixture(scope="module")
def known(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Rows of both logs as they were rotated, and their lines."""
    found = {}
    for name in ALBION:
        _, rows = run(tmp_path_factory.mktemp(name), logs(data / name))
        found[name] = rows, [unpacked(path).splitlines(keepends=True) for path in logs(data / name)]
    return found


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        ({k: v for k, v in row.items() if k not in ("records", "delivery_id", "host")} for row in rows), key=str
    )


@pytest.mark.parametrize("name", ALBION)
@pytest.mark.parametrize("order", ORDERS)
def test_one_file_in_any_order(tmp_path: Path, known: dict[str, Any], name: str, order: str) -> None:
    expected, files = known[name]
    arrange, said = ORDERS[order]
    result, rows = read(tmp_path, {"mail.log": b"".join(arrange(files))}, YEAR)
    assert plain(rows) == plain(expected)
    (one,) = result.evidence
    noted = one.notes.get("noted", [])
    assert any(said in sentence for sentence in noted) if said else noted == []
    assert one.records == one.used + sum(one.ignored.values()) + one.unread


@pytest.mark.parametrize("size", [40_000, 400_000])
def test_blocks_of_any_size(tmp_path: Path, known: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, files = known["postfix-albion-filter"]
    monkeypatch.setattr("forensics.ingest.survey.BLOCK", size)
    monkeypatch.setattr("forensics.ingest.units.BUNDLE", 0)
    for order, (arrange, _) in ORDERS.items():
        folder = tmp_path / order.replace(" ", "")
        folder.mkdir()
        _, rows = read(folder, {"mail.log": b"".join(arrange(files))}, YEAR)
        assert plain(rows) == plain(expected), order


def test_two_hosts_one_after_the_other(tmp_path: Path, known: dict[str, Any]) -> None:
    """Two gateways of one week, each with queue ids of its own, joined to a file, as they stand and in no order."""
    expected, files = known["postfix-albion"]
    lines = whole(files)
    other = [re.sub(rb"\b4([a-z]\w{13})\b", rb"5\1", line.replace(b" gw1 ", b" gw9 ")) for line in lines]
    for n, text in enumerate((lines + other, shuffled(lines + other))):
        folder = tmp_path / str(n)
        folder.mkdir()
        _, rows = read(folder, {"mail.log": b"".join(text)}, YEAR)
        assert {row["host"] for row in rows} == {"gw1", "gw9"}
        for host in ("gw1", "gw9"):
            own = [
                {k: re.sub(r"\b5([a-z]\w{13})\b", r"4\1", v) if isinstance(v, str) else v for k, v in row.items()}
                for row in rows
                if row["host"] == host
            ]
            assert plain(own) == plain(expected)


def test_copies_under_another_name_in_another_form(tmp_path: Path, known: dict[str, Any]) -> None:
    """The host's own files; a part from a server that knows it by its whole name, newest first."""
    expected, files = known["postfix-albion"]
    central = [line.replace(b" gw1 ", b" gw1.albion.example ") for line in whole(files[3:7])][::-1]
    contents = {f"mail.log.{n}": b"".join(lines) for n, lines in enumerate(files)}
    result, rows = read(tmp_path, {**contents, "central.log": b"".join(central)}, YEAR)
    assert plain(rows) == plain(expected)
    assert {row["host"] for row in rows} == {"gw1.albion.example"}
    assert sum(one.duplicates for one in result.evidence) > len(central) // 2


def test_the_case_is_the_same_whatever_the_order_of_arguments(tmp_path: Path, known: dict[str, Any]) -> None:
    _, files = known["postfix-albion-filter"]
    names = {b" gw2 ": b" gw2.albion.example "}
    contents = {f"{n}.log": b"".join(lines) for n, lines in enumerate(files)}
    contents["again.log"] = b"".join(files[2][::-1]).replace(*next(iter(names.items())))
    paths = []
    for name, content in contents.items():
        paths.append(tmp_path / "logs" / name)
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_bytes(content)
    first, one = run(tmp_path / "a", paths, workers=1)
    second, two = run(tmp_path / "b", paths[::-1], workers=3)
    assert one == two
    assert [(e.id, e.duplicates, e.duplicate_of, e.notes) for e in first.evidence] == [
        (e.id, e.duplicates, e.duplicate_of, e.notes) for e in second.evidence
    ]


ROTATED = {"mail.log": (7, 9), "mail.log.1": (-1, 7), "mail.log.2": (-8, -1)}
"""Days before and after the New Year on which each file begins and ends."""


def rotated() -> dict[str, bytes]:
    files = {}
    for number, (name, days) in enumerate(ROTATED.items()):
        text = ""
        for n, day in enumerate(days):
            stamp = f"Jan {day:2d}" if day > 0 else f"Dec {32 + day:2d}"
            text += message(f"{number}{n}C5D7A1", to("x@navy.example"), at=f"{stamp} {6 + n:02}:30:00")
        files[name] = text.encode()
    return files


def test_files_over_new_year(tmp_path: Path) -> None:
    """One year for all of them is not enough; two are, or that of the first file, and the set is noted."""
    from forensics.casefile import SourceSettings

    oldest = (SourceSettings(file="mail.log.2", year=2022),)
    for year in (2022, 2023):
        with pytest.raises(AmbiguousTime, match=rf"{year - 1}/{year} or {year}/{year + 1}"):
            read(tmp_path / str(year), rotated(), Settings(year=year))
    for n, settings in enumerate(
        (Settings(year=2022, sources=oldest), Settings(year=2023, sources=oldest), Settings(year=2022, over=True))
    ):
        result, rows = read(tmp_path / str(n), rotated(), settings)
        days = sorted(f"{row['submitted_at']:%Y-%m-%d}" for row in rows)
        assert days == ["2022-12-24", "2022-12-31", "2022-12-31", "2023-01-07", "2023-01-07", "2023-01-09"]
        for one in result.evidence:
            assert one.notes["noted"] == ["stamps without a year: this set crosses New Year: 2022/2023"]


def test_one_file_of_a_rotated_set_joined(tmp_path: Path) -> None:
    """The first record's year, and blocks that follow each other backwards over New Year."""
    files = rotated()
    result, rows = read(tmp_path, {"mail.log": b"".join(files.values())}, Settings(year=2023))
    assert sorted(f"{row['submitted_at']:%Y-%m-%d}" for row in rows) == [
        "2022-12-24", "2022-12-31", "2022-12-31", "2023-01-07", "2023-01-07", "2023-01-09",
    ]  # fmt: skip
    (one,) = result.evidence
    assert any("crosses New Year: 2022/2023" in sentence for sentence in one.notes["noted"])
