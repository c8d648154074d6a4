"""The second worked example: what the package ships is what the generator makes, and tells the public story."""

from __future__ import annotations

import csv
import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics import domains
from tests.bench import mod_2023, mod_2023_cast, tables
from tests.bench.mail import Message

EVIDENCE = mod_2023.ROOT / "forensics" / "demo" / "mod-2023"
TRUTH = mod_2023.ROOT / "tests" / "data" / "mod-2023" / "truth.tsv"


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return mod_2023.messages()


@pytest.fixture(scope="module")
def to_mali() -> list[dict[str, str]]:
    with TRUTH.open(encoding="utf-8", newline="") as file:
        return [r for r in csv.DictReader(file, delimiter="\t") if r["recipient"].endswith(".ml")]


def test_the_shipped_evidence_is_what_the_generator_makes(messages: list[Message], tmp_path: Path) -> None:
    """Compared decompressed: how gzip packs the same bytes depends on the zlib that Python was built with."""
    shipped = {p.name.removesuffix(".gz"): gzip.decompress(p.read_bytes()) for p in EVIDENCE.glob("mail.log-*")}
    assert shipped == mod_2023.files(messages)
    tables.write_truth(tables.truth(messages), tmp_path / "truth.tsv")
    assert (tmp_path / "truth.tsv").read_bytes() == TRUTH.read_bytes()


def test_the_evidence_is_small() -> None:
    assert sum(p.stat().st_size for p in EVIDENCE.glob("mail.log-*")) < 700_000
    assert len(list(EVIDENCE.glob("mail.log-*.gz"))) == 19


def test_the_numbers_of_the_public_record(messages: list[Message], to_mali: list[dict[str, str]]) -> None:
    """55 messages to `.ml` since January 2022, 15 of them misdirected, seven in 2022 and eight in 2023."""
    assert len(to_mali) == len({r["message_id"] for r in to_mali}) == 55
    wrong = {r["message_id"] for r in to_mali if r["label"] == "misdirected"}
    assert len(wrong) == 15
    years = [datetime.fromtimestamp(m.at, UTC).year for m in messages if m.message_id in wrong]
    assert (years.count(2022), years.count(2023)) == (7, 8)
    assert {r["intended"] for r in to_mali if r["label"] == "misdirected"} <= {
        r["recipient"][:-2] + "mil" for r in to_mali
    }


def test_genuine_malians_of_every_sort(messages: list[Message], to_mali: list[dict[str, str]]) -> None:
    genuine = {domains.parts(r["recipient"])[1] for r in to_mali if r["label"] == "genuine"}
    assert len(genuine) == 9
    assert not genuine & {domains.parts(r["recipient"])[1] for r in to_mali if r["label"] == "misdirected"}
    answering = {m.sender.rpartition("@")[2] for m in messages if not m.user}
    assert {d for d in genuine if d not in answering} == {m.domain for m in mod_2023_cast.MALIANS if not m.answers}
    written = {g.recipient.rpartition("@")[2] for m in messages for g in m.legs}
    assert "dla.ml" in genuine and "dla.mil" in written
    assert not any(re.search(r"@(navy|army|us\.af)\.ml$", m.sender) for m in messages)


def test_some_were_refused_and_some_corrected(messages: list[Message], to_mali: list[dict[str, str]]) -> None:
    outcomes = [r["outcome"] for r in to_mali if r["label"] == "misdirected"]
    assert (outcomes.count("delivered"), outcomes.count("bounced"), outcomes.count("expired")) == (10, 4, 1)
    corrected = 0
    for row in to_mali:
        if row["label"] == "misdirected":
            first = next(m for m in messages if m.message_id == row["message_id"])
            corrected += any(
                m.at > first.at
                and m.subject == first.subject
                and m.sender == row["sender"]
                and row["intended"] in [g.recipient for g in m.legs]
                for m in messages
            )
    assert corrected == sum(s.resent is not None for s in mod_2023_cast.SLIPS) == 6


def test_nothing_above_official_is_marked(messages: list[Message]) -> None:
    assert not [m for m in messages if m.subject and re.search(r"(?<!-)\bSECRET", m.subject)]
    assert all(
        m.subject.removeprefix("RE: ").startswith(("OFFICIAL: ", "OFFICIAL-SENSITIVE: "))
        for m in messages
        if m.user and m.subject
    )


def test_addresses_are_documentation_space(messages: list[Message]) -> None:
    addresses = {m.client_address for m in messages}
    addresses |= {t.relay_address for m in messages for g in m.legs for t in g.tries if t.relay_address}
    assert all(re.match(r"(10|192\.0\.2|198\.51\.100|203\.0\.113)\.", a) for a in addresses)
