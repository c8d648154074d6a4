"""Hashes and domains of columns are those of their texts, one by one."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from forensics import columns, domains, schema
from forensics.native import codes
from forensics.native.text import hash_of


@given(st.lists(st.none() | st.text("aZé.@ b9Q-\u0130ß", max_size=40), min_size=1, max_size=20), st.integers(0, 3))
def test_columns_hash_as_their_text_does(values: list[str | None], offset: int) -> None:
    column = pa.array([None, *"abc", *values][4 - offset :], pa.string()).slice(offset)
    assert columns.hashes(column).tolist() == [0 if v is None else int(hash_of(v.encode())) for v in values]
    keys = [0 if v is None else int(hash_of(domains.key(v).encode())) for v in values]
    assert columns.keys(column).tolist() == keys
    assert columns.domain_column(column).to_pylist() == [None if v is None else domains.parts(v)[1] for v in values]


def test_kernels_know_outcomes_by_their_place() -> None:
    assert [getattr(codes, outcome.upper()) for outcome in schema.OUTCOMES] == list(range(len(schema.OUTCOMES)))
