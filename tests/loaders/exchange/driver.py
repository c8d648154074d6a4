"""Reads contents with the Exchange loader alone, as ingest does; every record must be accounted for."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import wraps
from forensics.loaders import exchange
from forensics.loaders.base import Scan, ScanContext, Survey
from forensics.loaders.exchange import assembling as tracking
from forensics.loaders.settings import Settings

SETTINGS = Settings()


@dataclass(frozen=True)
class Block:
    data: np.ndarray
    offset: int
    last: bool


@dataclass(frozen=True)
class Read:
    """Everything read from some contents; `account` sums used, ignored kinds and `unread`."""

    hops: list[dict[str, Any]]
    legs: list[dict[str, Any]]
    account: Counter[str]
    unread: list[dict[str, Any]]
    surveys: list[Survey]
    noted: set[str]

    def deliveries(self) -> list[dict[str, Any]]:
        """Legs with the columns of their hop; a leg's own win."""
        hops = {h["hop"]: h for h in self.hops}
        return [
            {**hops[leg["hop"]], **leg, "records": hops[leg["hop"]]["records"] + leg["records"]} for leg in self.legs
        ]

    def outcomes(self, *, original: bool = True) -> Counter[tuple[Any, ...]]:
        """As in outcome.tsv: message id, sender, recipient, original recipient, outcome; delivery reports left out."""
        return Counter(
            (
                d["message_id"],
                d["sender"],
                d["recipient"],
                *((d["original_recipient"] or "",) if original else ()),
                d["outcome"],
            )
            for d in self.deliveries()
            if d["sender"]
        )


def array(content: bytes) -> np.ndarray:
    """Padded, as blocks are."""
    return np.frombuffer(content + bytes(64), np.uint8)[: len(content)]


def blocks(content: bytes, size: int, wrap: wraps.Wrap) -> Iterable[Block]:
    buffer = array(content)
    offset, want = 0, size
    while offset < len(buffer):
        high = min(len(buffer), offset + want)
        last = high == len(buffer)
        taken = wraps.split(buffer[offset:high], last, wrap, exchange.split)
        if not taken:
            want *= 2
            continue
        yield Block(buffer[offset : offset + taken], offset, offset + taken == len(buffer))
        offset, want = offset + taken, size


def read(*contents: bytes, size: int = 1 << 24, settings: Settings = SETTINGS) -> Read:
    fragments, account, unread, surveys, noted = [], Counter[str](), [], [], set[str]()
    for evidence, content in enumerate(contents):
        surveyor = exchange.surveyor(f"file {evidence}", settings)
        wrap = wraps.recognise(content[: wraps.HEAD])
        notes = wraps.Notes(wrap)
        cut = [wraps.unwrap(block, wrap) for block in blocks(content, size, wrap)]
        for block in cut:
            surveyor.feed(block)
            notes.feed(block)
        survey = surveyor.result()
        surveys.append(replace(survey, notes={**survey.notes, **notes.result()}))
        total = 0
        for block in cut:
            scan: Scan = exchange.scan(block, ScanContext(evidence, survey.blocks[block.offset], survey.plan))
            assert scan.records == scan.used + sum(scan.ignored.values()) + scan.unread.num_rows
            assert len(exchange.fingerprints(block)) == scan.records
            assert len(exchange.places(block)[0]) == scan.records
            total += scan.records
            account.update({"used": scan.used, "unread": scan.unread.num_rows, **scan.ignored})
            unread += scan.unread.to_pylist()
            noted |= set(scan.noted)
            for row in scan.unread.to_pylist():
                assert content[row["offset"] : row["offset"] + row["length"]][:4096] == row["raw"]
            offsets, lengths = exchange.places(block)
            at = [(row["number"], row["offset"], row["length"]) for row in scan.unread.to_pylist()]
            at += list(zip(*(scan.events[n].to_pylist() for n in ("number", "offset", "length")), strict=True))
            first = survey.blocks[block.offset]
            assert all((offsets[n - first], lengths[n - first]) == (offset, length) for n, offset, length in at)
            part = tracking.assemble(scan.events, final=False)
            if part.fragments is not None:
                fragments.append(part.fragments)
        assert total == survey.records
    done = tracking.assemble(exchange.resume(pa.concat_tables(fragments)), final=True)
    return Read(done.hops.to_pylist(), done.legs.to_pylist(), +account, unread, surveys, noted)


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def outcome_table(path: Path, *, original: bool = True) -> Counter[tuple[Any, ...]]:
    """outcome.tsv; without `original` as an export tells it: no cause of a failure, so expired is bounced."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    at = {name: i for i, name in enumerate(rows[0])}
    out: Counter[tuple[Any, ...]] = Counter()
    for row in rows[1:]:
        end = row[at["outcome"]]
        middle = (row[at["original_recipient"]],) if original else ()
        if not original and end == "expired":
            end = "bounced"
        out[(row[at["message_id"]], row[at["sender"]], row[at["recipient"]], *middle, end)] += 1
    return out
