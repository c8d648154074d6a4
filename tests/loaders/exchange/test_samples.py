"""Every version and kind of export: the sample gives exactly its expected deliveries (see its README for origins)."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from forensics import loaders, pipeline, store, workbench, wraps
from forensics.case import Case
from forensics.errors import AmbiguousTime, EvidenceError
from forensics.loaders import exchange
from forensics.loaders.settings import Settings

from . import fuzz
from .driver import Read, read

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "exchange-samples"
NAMES = sorted(p.name.removesuffix(".expected.tsv") for p in SAMPLES.glob("*.expected.tsv"))
UNREADABLE = {"tracking-export.csv": 1}
ZONES = {"tracking-export.csv": Settings(timezone="Europe/London")}


def shown(got: Read, columns: list[str]) -> list[list[str]]:
    def text(name: str, value: object) -> str:
        if value is None:
            return ""
        if name in ("first_at", "at"):
            stamp = value.strftime("%Y-%m-%dT%H:%M:%S.%f")  # type: ignore[attr-defined]
            return stamp if not stamp.endswith("000") else stamp[:-3]
        return str(value)

    return sorted([text(c, d[c]) for c in columns] for d in got.deliveries())


def test_there_is_a_sample_of_each_kind() -> None:
    assert len(NAMES) == 20
    assert {p.name for p in SAMPLES.iterdir()} == {*NAMES, *(f"{n}.expected.tsv" for n in NAMES), "README.md"}


@pytest.mark.parametrize("size", [1 << 24, 700])
@pytest.mark.parametrize("name", NAMES)
def test_sample_gives_its_expected_rows(name: str, size: int) -> None:
    with (SAMPLES / f"{name}.expected.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    got = read((SAMPLES / name).read_bytes(), size=size, settings=ZONES.get(name, Settings()))
    assert shown(got, rows[0]) == sorted(rows[1:])
    assert len(got.unread) == UNREADABLE.get(name, 0)


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_recognised(name: str) -> None:
    head = (SAMPLES / name).read_bytes()[: 64 << 10]
    inside = wraps.inside(head, wraps.recognise(head))
    assert exchange.detect(inside) >= 0.9
    assert loaders.recognise(inside) == "exchange"


def test_what_was_guessed_is_noted() -> None:
    def notes(name: str) -> dict[str, object]:
        return dict(read((SAMPLES / name).read_bytes()).surveys[0].notes)

    assert "27 columns" in str(notes("2013-without-header.log")["columns"])
    assert str(notes("trace-day-first.csv")["date order"]).startswith("day-month-year")
    assert str(notes("trace-with-type.csv")["date order"]).startswith("month-day-year")
    assert notes("trace-v2.csv")["zone"] == "stamps without a zone read as UTC"
    assert notes("online-summary-utf16.csv")["encoding"] == "utf-16-le"
    assert "zone" not in notes("graph.json")


def test_a_status_that_is_not_known_is_kept() -> None:
    rows = read((SAMPLES / "online-summary-utf8.csv").read_bytes()).deliveries()
    (row,) = [one for one in rows if one["outcome"] == "unknown"]
    assert row["recipient"] == "kim@contoso.example" and row["response"] == "Vanish"


def test_details_of_the_mixed_log() -> None:
    got = read((SAMPLES / "2016-2019.log").read_bytes())
    by = {(d["message_id"], d["recipient"]): d for d in got.deliveries()}
    first = by["y1@contoso.example", '"odd;name"@fabrikam.example']
    assert first["subject"] == 'Angebot, "dringend"\r\nzweite Zeile'
    assert first["client_address"] == "10.1.1.1" and first["authenticated_user"] == "a@contoso.example"
    second = by["y2@fabrikam.example", "zoe@contoso.example"]
    assert second["client_address"] == "198.51.100.9" and second["client_name"] is None
    assert second["authenticated_user"] is None
    scoped = next(d for d in read((SAMPLES / "2013-without-header.log").read_bytes()).deliveries())
    assert scoped["client_address"] == "fe80::5efe:10.0.0.7"


def verified(folder: Path, content: bytes) -> bool:
    """Ingests and verifies all that is cited; False where it is no evidence, or asks a question."""
    file = folder / "log"
    file.write_bytes(content)
    try:
        pipeline.ingest([file], folder / "case", org=["contoso.example"], timezone="Europe/London")
    except (AmbiguousTime, EvidenceError):
        return False
    checked = workbench.verify(folder / "case", all_records=True)
    assert checked.ok, [check.text for check in checked.checks if check.ok is False]
    return True


@pytest.mark.parametrize("name", NAMES)
def test_untouched_evidence_verifies(name: str, tmp_path: Path) -> None:
    assert verified(tmp_path, (SAMPLES / name).read_bytes())


def test_untouched_evidence_verifies_however_broken_it_is(tmp_path: Path) -> None:
    """Records that were found in a broken file are found there again."""
    chance = random.Random(7)
    contents = [(SAMPLES / name).read_bytes() for name in NAMES]
    done = 0
    for n in range(60):
        folder = tmp_path / str(n)
        folder.mkdir()
        done += verified(folder, fuzz.broken(contents[n % len(contents)], contents, chance))
    assert done > 40


@pytest.mark.parametrize(
    "odd", [b"\x8f", b"\xe4\xb8", b"\\ud800", b"\\udc41", b"\\ud83d\\ude00", "é".encode(), b"\\u00e9"]
)
def test_letters_that_are_none_verify_in_json(odd: bytes, tmp_path: Path) -> None:
    content = (SAMPLES / "graph.ndjson").read_bytes().replace(b"mo@fabrikam", b"m" + odd + b"o@fabrikam")
    assert verified(tmp_path, content)
    rows = store.read(Case(tmp_path / "case"), "deliveries").to_pylist()
    (row,) = [one for one in rows if one["message_id"] == "t0@contoso.example"]
    assert row["recipient"].startswith("m") and "?" not in row["recipient"]
