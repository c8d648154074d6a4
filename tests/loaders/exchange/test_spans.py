"""Text compared and trimmed where it lies: the same as the plain functions and expressions say of it."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forensics import domains
from forensics.loaders.exchange import events, spans
from forensics.loaders.exchange.rows import Rows
from forensics.native.exchange.layout import TEXTS as COLUMNS

TEXT = st.one_of(st.none(), st.text('aB<>[]% \t\n\r."@;é1', max_size=24), st.text(max_size=12))
TEXTS = st.lists(TEXT, min_size=1, max_size=12)
EXACT = settings(max_examples=150, deadline=None)


def laid(texts: list[str | None], behind: int = 0) -> tuple[np.ndarray, spans.Span]:
    """Texts behind each other in one buffer that ends with the last, or `behind` bytes later."""
    raw = [(t or "").encode("utf-8", "replace") for t in texts]
    ends = np.cumsum([len(r) for r in raw]).astype(np.int32)
    begins = np.array([-1 if t is None else e - len(r) for t, e, r in zip(texts, ends, raw, strict=True)], np.int32)
    data = np.frombuffer(b"".join(raw) + b"x" * behind + b"\0", np.uint8)[:-1]
    return data, (begins, ends)


def plain(texts: list[str | None]) -> list[str | None]:
    return [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]


@EXACT
@given(TEXTS, st.sampled_from([0, 1, 9]))
def test_text_comes_out_as_it_lies(texts: list[str | None], behind: int) -> None:
    data, span = laid(texts, behind)
    assert spans.text(data, span).to_pylist() == plain(texts)


def test_what_is_no_utf8_is_replaced() -> None:
    data = np.frombuffer(b"caf\xe9ok", np.uint8)
    span = np.array([0, 4, -1], np.int32), np.array([4, 6, 0], np.int32)
    assert spans.text(data, span).to_pylist() == ["caf�", "ok", None]


@EXACT
@given(TEXTS)
@example(["<>", "<", ">", " < a > ", "<<a>>", "", "a\n>\n"])
def test_trimming_is_what_the_expressions_say(texts: list[str | None]) -> None:
    data, span = laid(texts)

    def each(pattern: str) -> list[str | None]:
        return [None if t is None else re.sub(pattern, r"\1", t, count=1) for t in plain(texts)]

    blank = r"[\t\n\f\r ]"
    assert spans.text(data, spans.bare(data, span)).to_pylist() == each(rf"(?s)^{blank}*<?(.*?)>?{blank}*\Z")
    assert spans.text(data, spans.path(data, span)).to_pylist() == each(r"(?s)^<(.*)>\Z")
    assert spans.text(data, spans.unscoped(data, span)).to_pylist() == each(r"^\[?([^\]%]*).*\Z")


@EXACT
@given(
    st.lists(st.one_of(TEXT, st.sampled_from(["a@B.example", "A@b.example.", "ä@b", "Ä@B", "x@", "x"])), max_size=12)
)
def test_codes_are_equal_where_addresses_are(texts: list[str | None]) -> None:
    parts = [(0, t, None) for t in texts] or [(0, None, None)]
    packed = events.texts({}, parts)
    row = (1, b"g" * 16, 0, 0, 1, 0, 1, 0, 0, len(parts), packed)
    table = pa.table([pa.array([v], f.type) for v, f in zip(row, events.EVENTS, strict=True)], schema=events.EVENTS)
    rows = Rows(table)
    assert rows.take("recipient", np.arange(len(rows))).to_pylist() == plain([p[1] for p in parts])
    (codes,) = rows.codes("recipient", fold=domains.key, ascii_lower=True)
    keys = [None if p[1] is None else domains.key(plain([p[1]])[0] or "") for p in parts]
    for a, one in zip(codes, keys, strict=True):
        for b, other in zip(codes, keys, strict=True):
            assert (a == b) == (one == other), (one, other)


@EXACT
@given(st.dictionaries(st.sampled_from(COLUMNS), TEXT), st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_packed_comes_back(values: dict[str, str | None], parts: list[tuple[str | None, str | None]]) -> None:
    packed = events.texts(values, [(n, *p) for n, p in enumerate(parts)])
    row = (7, bytes(range(16)), 5, 3, 1, 2, 4, 11, 8, len(parts), packed)
    table = pa.table([pa.array([v], f.type) for v, f in zip(row, events.EVENTS, strict=True)], schema=events.EVENTS)
    rows = Rows(pa.concat_tables([table, table]).slice(1))
    every = np.arange(len(parts))
    assert rows.take("recipient", every).to_pylist() == plain([p[0] for p in parts])
    assert rows.take("status", every).to_pylist() == plain([p[1] for p in parts])
    assert rows.effect.tolist() == list(range(len(parts)))
    for name in COLUMNS:
        assert rows.take(name, every).to_pylist() == plain([values.get(name)] * len(parts))
