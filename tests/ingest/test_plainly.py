"""Values as JSON and back: what comes back is what went in, and nothing is run that a file says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forensics.custody import declared
from forensics.ingest import plainly


@dataclass(frozen=True)
class Inner:
    pair: tuple[int, str]
    more: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str | None
    inner: Inner | None
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    hosts: frozenset[int] | None = None
    blocks: Mapping[int, str] = field(default_factory=dict)


INNER = st.builds(Inner, st.tuples(st.integers(), st.text()), st.lists(st.booleans(), max_size=3).map(tuple))
OUTER = st.builds(
    Outer,
    st.none() | st.text(st.characters(codec="utf-8")),
    st.none() | INNER,
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4).map(lambda v: np.array(v, np.int64)),
    st.none() | st.frozensets(st.integers(0, 2**64 - 1), max_size=4),
    st.dictionaries(st.integers(0, 99), st.text(max_size=4), max_size=4),
)


@given(OUTER)
def test_what_went_in_comes_back(one: Outer) -> None:
    back = declared.value(Outer, json.loads(json.dumps(plainly.plain(one))))
    assert np.array_equal(back.numbers, one.numbers) and back.numbers.dtype == one.numbers.dtype
    assert (back.name, back.inner, back.hosts, back.blocks) == (one.name, one.inner, one.hosts, one.blocks)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (int, "1"),
        (int, True),
        (str, 1),
        (Inner, {"pair": [1, "a"]}),
        (Inner, {"pair": [1], "more": []}),
        (NDArray[np.int64], {"dtype": "<i8", "shape": [2], "data": "AAAA"}),
        (NDArray[np.int64], {"dtype": "|O", "shape": [1], "data": "AAAAAAAAAAA="}),
        (bytes, "x"),
    ],
)
def test_other_data_is_refused(kind: Any, data: Any) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        declared.value(kind, data)


def test_what_has_no_plain_form() -> None:
    with pytest.raises(TypeError):
        plainly.plain(object())
