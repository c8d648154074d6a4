"""Names are SHA-256 of what the documentation says, letter for letter, and no two deliveries share the bytes."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from forensics.stitch import naming

TEXT = st.text("aZ9.:-@ é\u0130\\", max_size=12)
ROW = st.tuples(
    st.just("postfix"), st.none() | TEXT, st.none() | TEXT, st.integers(-(2**62), 2**62), TEXT, st.none() | TEXT
)
Row = tuple[str, str | None, str | None, int, str, str | None]


def table(rows: list[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    kinds = (pa.string(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.string())
    made = pa.table({f: pa.array(c, k) for f, c, k in zip(naming.FIELDS, columns, kinds, strict=True)})
    for place, name in enumerate(("system", "host")):
        made = made.set_column(place, name, made[name].combine_chunks().dictionary_encode())
    return made


@given(st.lists(ROW, min_size=1, max_size=30))
def test_rows_are_named_by_the_bytes_that_identify_them(rows: list[Row]) -> None:
    wanted = [hashlib.sha256(naming.identity(row)).hexdigest()[:32] for row in rows]
    assert naming.names(table(rows)).to_pylist() == wanted
    assert [naming.name(naming.identity(row)) for row in rows] == wanted


@given(ROW, ROW, st.integers(0, 3), st.integers(0, 3))
def test_the_bytes_are_equal_for_equal_rows_alone(one: Row, other: Row, k: int, n: int) -> None:
    assert (naming.identity(one, k) == naming.identity(other, n)) == ((one, k) == (other, n))


@given(ROW)
def test_null_is_not_empty(row: Row) -> None:
    *rest, _ = row
    assert naming.identity((*rest, None)) != naming.identity((*rest, ""))


@given(st.lists(st.sampled_from("ab"), max_size=6))
def test_rows_of_one_name_get_names_of_their_own(letters: list[str]) -> None:
    values: list[Row] = [("postfix", "mx", None, 0, letter, None) for letter in letters]
    names = [naming.name(naming.identity(row)) for row in values]
    renamed = dict(naming.repeats(values, names))
    assert len({renamed.get(r, names[r]) for r in range(len(names))}) == len(names)
    assert all(letters[r] in letters[:r] for r in renamed)
