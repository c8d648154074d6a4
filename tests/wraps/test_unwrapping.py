"""Blocks of any content: every cut gives the same lines, every record is accounted for, whatever the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import loaders, wraps
from forensics.custody.evidence import Block
from forensics.errors import MissentError
from forensics.loaders import base
from forensics.loaders.settings import Settings
from tests.wraps import exporting
from tests.wraps.exporting import PARSED, RAW
from tests.wraps.test_exports import ENCODINGS, LOGS, POSTFIX

Line = tuple[bytes, int, int, str]
CONTENTS = {
    **{form: make(POSTFIX).encode() for form, make in RAW.items()},
    **{f"parsed: {form}": make(POSTFIX).encode() for form, make in PARSED.items()},
    "binary export": exporting.binary_export(POSTFIX),
    **{
        f"exchange: {form}": RAW[form](LOGS["exchange"]).encode() for form in ("Splunk CSV", "Elastic hits", "Filebeat")
    },
    **{coding: put(RAW["Splunk JSON results"](POSTFIX)) for coding, put in ENCODINGS.items()},
    **{f"CSV, {coding}": put(RAW["Splunk CSV"](POSTFIX)) for coding, put in ENCODINGS.items()},
    **{f"plain, {coding}": put(RAW["logcli raw"](POSTFIX)) for coding, put in ENCODINGS.items()},
}


def blocks(content: bytes, wrap: wraps.Wrap, plain: Any, size: int) -> Iterator[Block]:
    """As custody cuts them."""
    offset, want = 0, size
    while offset < len(content):
        piece = content[offset : offset + want]
        last = offset + want >= len(content)
        whole = np.frombuffer(piece + bytes(64), np.uint8)
        taken = wraps.split(whole[: len(piece)], last, wrap, plain)
        assert 0 <= taken <= len(piece)
        if not taken:
            want *= 2
            continue
        behind = np.frombuffer(piece[:taken] + bytes(64), np.uint8)
        yield Block(behind[:taken], offset, last, behind)
        offset, want = offset + taken, size


def lines(content: bytes, size: int) -> list[Line]:
    """(line, offset, length, reason) of all that a content holds, cut into blocks of this size."""
    wrap = wraps.recognise(content[: wraps.HEAD])
    out: list[Line] = []
    for block in blocks(content, wrap, base.whole_lines, size):
        inner = wraps.unwrap(block, wrap)
        offsets, lengths = base.line_places(inner)
        texts = [raw for _, _, raw in base.lines(inner)]
        reasons = getattr(inner, "reasons", {})
        assert len(offsets) == len(texts)
        assert (np.diff(offsets) >= 0).all() and (lengths >= 0).all()
        assert not len(offsets) or (
            offsets[0] >= block.offset and offsets[-1] + lengths[-1] <= block.offset + len(block.data)
        )
        out += [
            (text.removesuffix(b"\r"), int(o), int(n), reasons.get(k, ""))
            for k, (text, o, n) in enumerate(zip(texts, offsets, lengths, strict=True))
        ]
    return out


@pytest.mark.parametrize("name", CONTENTS)
def test_every_cut_gives_the_same_lines(name: str) -> None:
    whole = lines(CONTENTS[name], 1 << 20)
    assert len(whole) >= len(POSTFIX)
    for size in (100, 700, 2_000):
        assert lines(CONTENTS[name], size) == whole


@pytest.mark.parametrize("name", [n for n in CONTENTS if not n.startswith("exchange")])
def test_lines_are_those_of_the_log(name: str) -> None:
    found = [text for text, _, _, reason in lines(CONTENTS[name], 1 << 20) if not reason]
    texts = [f"{e.program}[{e.pid}]: {e.text}".encode() for e in POSTFIX]
    assert len(found) == len(texts)
    for line, text in zip(found, texts, strict=True):
        assert line.endswith(text)


def mutated(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    changed = bytearray(content)
    for at, length, put in edits:
        start = at % max(len(changed), 1)
        changed[start : start + length] = put
    return bytes(changed)


@pytest.mark.parametrize("count", [1, 15, 16, 5000])
def test_nul_bytes_cut_a_record_only_where_a_crash_left_them(count: int) -> None:
    """An outsider's single NUL costs no record; what stands at a line's beginning is taken away in any number."""
    run = b"\0" * count
    found = [text for text, *_ in lines(run + b"one " + run + b"two\n" + run + b"three\n", 1 << 20)]
    assert found == ([b"one " + run + b"two", b"three"] if count < 16 else [b"one ", b"two", b"three"])


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_marks_of_joined_files_are_taken_away_and_no_other(coding: str) -> None:
    """Within a line the sign is an outsider's or the log's own."""
    whole = "\ufeffone \ufeff two\n\ufeffthree\r\n\ufeff\ufefffour\n"
    found = [text.decode() for text, *_ in lines(whole.encode(coding), 1 << 20)]
    assert found == ["one \ufeff two", "three", "\ufefffour"]


TRICKY = [
    b"\0", b"\xff", b"\xc3", b"\r", b"\n", b"\n\n", b'"', b'\\"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b'"},{"',
    b"\x1b[m", b"\x1e", b"__CURSOR=", b"null", b"1e999", b"\\ud800", b"    MESSAGE=x\n", b"\xef\xbb\xbf", b"9" * 30,
]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.one_of(st.sampled_from(TRICKY), st.binary(max_size=5))),
    min_size=1,
    max_size=8,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CONTENTS)), EDITS, st.integers(64, 3000))
def test_mutated_exports_are_accounted_for(name: str, edits: list[tuple[int, int, bytes]], size: int) -> None:
    """No crash; addresses ascend and lie inside; sums of the loader hold; unread records have their bytes."""
    content = mutated(CONTENTS[name], edits)
    found = lines(content, size)
    assert found == lines(content, 1 << 20)
    assert not lost(content, found)
    accounted(content, size)


def lost(content: bytes, found: list[Line]) -> list[str]:
    """Messages of the log that stand in the content, and in no record of it."""
    spans = [(offset, offset + length) for _, offset, length, _ in found]
    coding = wraps.recognise(content[: wraps.HEAD]).coding
    out = []
    for entry in POSTFIX:
        at = content.find(entry.text.encode(coding))
        while at >= 0:
            if not any(begin <= at < end for begin, end in spans):
                out.append(entry.text)
            at = content.find(entry.text.encode(coding), at + 1)
    return out


def accounted(content: bytes, size: int) -> None:
    wrap = wraps.recognise(content[: wraps.HEAD])
    name = loaders.recognise(wraps.inside(content[: wraps.HEAD], wrap))
    if name is None:
        return
    loader = loaders.load(name)
    surveyor = loader.surveyor("export", Settings(year=2024))
    cut = [wraps.unwrap(block, wrap) for block in blocks(content, wrap, loader.split, size)]
    for block in cut:
        surveyor.feed(block)
    try:
        survey = surveyor.result()
    except MissentError:
        return
    total = 0
    for block in cut:
        scan = loader.scan(block, base.ScanContext(0, survey.blocks[block.offset], survey.plan, id="0" * 64))
        assert scan.records == scan.used + sum(scan.ignored.values()) + len(scan.unread)
        offsets, lengths = loader.places(block)
        assert len(offsets) == len(loader.fingerprints(block)) == scan.records
        for row in scan.unread.to_pylist():
            place = row["number"] - survey.blocks[block.offset]
            assert (row["offset"], row["length"]) == (offsets[place], lengths[place])
            assert content[row["offset"] :][: min(row["length"], 4096)] == row["raw"]
        loader.assemble(scan.events, final=False)
        total += scan.records
    assert total == survey.records
