"""The albion scenario: every delivery of outcome.tsv exactly once, from logs and exports, however they are cut."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .driver import Read, content, outcome_table, read


@pytest.fixture(scope="module")
def logs(data: Path) -> list[bytes]:
    return [content(p) for p in sorted((data / "exchange-albion").glob("MSGTRK*"))]


def test_tracking_logs_give_every_outcome_once(data: Path, logs: list[bytes]) -> None:
    got = read(*logs)
    assert got.outcomes() == outcome_table(data / "exchange-albion" / "outcome.tsv")
    assert got.unread == []
    assert set(got.account) == {"used", "header"}
    assert Counter(d["recipient_role"] for d in got.deliveries() if d["sender"]) == {"to": 1393, "cc": 63}


@pytest.mark.parametrize("seed", [1, 2])
def test_split_shuffled_and_joined_files_give_the_same(data: Path, logs: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    pieces = []
    for log in logs:
        lines = log.splitlines(keepends=True)
        header, rows = lines[:5], lines[5:]
        middle = chance.randrange(1, len(rows))
        chance.shuffle(rows)
        pieces += [b"".join(header + rows[:middle]), b"".join(header + rows[middle:])]
    chance.shuffle(pieces)
    got = read(*(b"".join(pieces[i::5]) for i in range(5)), size=20_000)
    assert got.outcomes() == outcome_table(data / "exchange-albion" / "outcome.tsv")
    plain = read(*logs)

    names = (
        *("message_id", "recipient", "host", "sender", "at", "first_at", "subject", "recipient_role", "status_code"),
        *("response", "relay_name", "attempts", "queue_id", "client_address", "size_bytes"),
    )

    def message(r: Read) -> list[list[Any]]:
        return sorted(([*(d[n] for n in names), len(d["records"])] for d in r.deliveries()), key=repr)

    assert message(got) == message(plain)


@pytest.mark.parametrize("name", ["historical-search.csv", "message-trace.csv"])
@pytest.mark.parametrize("size", [1 << 24, 4096])
def test_exports_give_every_recipient_once(data: Path, name: str, size: int) -> None:
    got = read(content(data / "exchange-albion" / name), size=size)
    assert got.outcomes(original=False) == outcome_table(data / "exchange-albion" / "outcome.tsv", original=False)
    failed = [d for d in got.deliveries() if d["outcome"] == "bounced"]
    assert len(failed) == 41
    assert {(d["status_code"], d["recipient_role"], d["original_recipient"]) for d in failed} == {
        (None, "unknown", None)
    }
    assert {d["system"] for d in got.deliveries()} == {"exchange-online"}


def test_logs_and_exports_together_count_once(data: Path, logs: list[bytes]) -> None:
    exports = [content(data / "exchange-albion" / n) for n in ("historical-search.csv", "message-trace.csv")]
    got = read(*exports, *logs)
    assert got.outcomes() == outcome_table(data / "exchange-albion" / "outcome.tsv")
    assert {len({r["evidence"] for r in d["records"]}) for d in got.deliveries() if d["sender"]} >= {3}


def test_records_address_the_bytes(data: Path, logs: list[bytes]) -> None:
    got = read(*logs[:2])
    for d in got.deliveries()[:50]:
        for r in d["records"]:
            raw = logs[r["evidence"]][r["offset"] : r["offset"] + r["length"]]
            assert d["message_id"].encode() in raw
            assert logs[r["evidence"]][: r["offset"]].count(b"\n") == r["number"] - 1
    export = content(data / "exchange-albion" / "historical-search.csv")
    for d in read(export).deliveries()[:50]:
        (r,) = d["records"]
        raw = export[r["offset"] : r["offset"] + r["length"]].decode("utf-16-le")
        assert raw.startswith('"2023-06-') and d["recipient"] in raw and raw.endswith('"')
