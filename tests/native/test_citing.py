"""Tokens in bytes against `citations`, which finds them in text."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from forensics.custody import citations
from forensics.native import citing

RECORDS = st.lists(st.text(st.sampled_from("aAbB9@.-_+ <>,'\"\\éKß\0"), max_size=14), min_size=1, max_size=12)
TOKENS = st.lists(st.text(st.sampled_from("ab9@.-_+ "), min_size=1, max_size=3), min_size=12, max_size=12)


def look(records: list[bytes], tokens: list[bytes], flags: list[int] | None = None) -> list[int]:
    """Flags after each record was searched for its own token; an empty token stands for none."""
    sizes = np.array([len(one) for one in records], np.int64)
    ends = np.cumsum(sizes)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in tokens])]).astype(np.int64)
    out = np.array(flags or [0] * len(records), np.uint8)
    codes = np.array([n if token else -1 for n, token in enumerate(tokens)], np.int32)[: len(records)]
    data = np.frombuffer(b"".join(records) + bytes(64), np.uint8)
    text = np.frombuffer(b"".join(tokens) + bytes(1), np.uint8)
    citing.look(data, ends - sizes, ends, codes, text, bounds, np.uint8(2), np.uint8(3), out)
    return list(out.tolist())


@given(records=RECORDS, tokens=TOKENS)
@example(records=["j.doe@navy.mli doe@navy.ml"], tokens=["doe@navy.ml"] * 12)
@example(records=["xdoe@navy.ml.", "doe@navy.ml.a", "DOE@NAVY.ML.-"], tokens=["doe@navy.ml"] * 12)
def test_what_is_found_in_bytes_is_found_in_text_and_in_ascii_the_other_way_round(
    records: list[str], tokens: list[str]
) -> None:
    found = look([one.encode() for one in records], [one.encode() for one in tokens])
    for record, token, flags in zip(records, tokens, found, strict=False):
        expected = citations._is_token(token, record.lower())
        assert expected or not flags
        assert flags == (3 if expected else 0) or not record.isascii()


@given(raw=st.lists(st.binary(max_size=20), min_size=1, max_size=4), token=st.binary(min_size=1, max_size=2))
def test_bytes_of_any_kind_end_where_the_record_does(raw: list[bytes], token: bytes) -> None:
    found = look(raw, [token] * len(raw))
    assert all(token.lower() in one.lower() for one, flags in zip(raw, found, strict=True) if flags)


def test_what_is_marked_already_and_what_has_no_token_are_passed_over() -> None:
    assert look([b"ann", b"ann", b"ann"], [b"ann", b"", b"ann"], [0, 0, 2]) == [3, 0, 2]
