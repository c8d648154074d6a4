"""delivery_id: the first 32 hexadecimal digits of a SHA-256 (FIPS 180-4) over what identifies a delivery.

Hashed are, in this order, the row's own system, host, queue_id, submitted_at (microseconds since 1970 UTC, decimal),
recipient and original_recipient, as the table has them (UTF-8). Each is preceded by its length in bytes and a colon,
`7:postfix`; what is null is `-:`. No two rows of different values give the same bytes. Rows that agree in all of it are
told apart by their order in the evidence: the second has one field more, `1:1`, the third `1:2`.

128 of the 256 bits are kept. That two of a thousand million deliveries agree by chance has a probability below 2e-21.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

DIGITS = 32
FIELDS = ("system", "host", "queue_id", "submitted_at", "recipient", "original_recipient")

_FIELD = "CASE WHEN {0} IS NULL THEN '-:' ELSE concat(strlen({0}), ':', {0}) END"
_QUERY = (
    "SELECT substr(sha256(concat(place, " + ", ".join(_FIELD.format(name) for name in FIELDS[2:]) + f")), 1, {DIGITS})"
    " AS delivery_id FROM named"
)


def identity(values: Sequence[str | int | None], repeat: int = 0) -> bytes:
    """The bytes that are hashed for the values of `FIELDS`; `repeat`: how many rows before it agree in all of them.

    >>> identity(("postfix", "mx1", "4F1", 0, "a@b.example", None))
    b'7:postfix3:mx13:4F11:011:a@b.example-:'
    """
    fields = [*values, repeat] if repeat else list(values)
    return b"".join(_field(value) for value in fields)


def _field(value: str | int | None) -> bytes:
    if value is None:
        return b"-:"
    raw = str(value).encode()
    return b"%d:%s" % (len(raw), raw)


def name(message: bytes) -> str:
    """The name of a delivery that these bytes identify."""
    return hashlib.sha256(message).hexdigest()[:DIGITS]


def names(rows: pa.Table) -> pa.StringArray:
    """The name of each row of a table with the columns `FIELDS`, `submitted_at` as int64."""
    named = pa.table({"place": _places(rows["system"], rows["host"]), **{f: rows[f] for f in FIELDS[2:]}})
    named = named.set_column(2, "submitted_at", named["submitted_at"].cast(pa.string()))
    with _engine().cursor() as connection:
        connection.register("named", named)
        made = connection.sql(_QUERY).to_arrow_table()["delivery_id"].combine_chunks()
    column: pa.StringArray = made.chunk(0) if isinstance(made, pa.ChunkedArray) else made
    return column.cast(pa.string())


@cache
def _engine() -> Any:
    """One for the process: to start it takes as long as to name a slice. Of one thread, as slices come in parallel."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def _places(system: pa.ChunkedArray, host: pa.ChunkedArray) -> pa.ChunkedArray:
    """System and host of each row as they are hashed: few are different."""
    import pyarrow.compute as pc

    pairs = pa.table({"system": system.cast(pa.string()), "host": host.cast(pa.string())})
    parts = []
    for column in pairs.columns:
        coded = column.combine_chunks().dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        words = pa.array([*(_field(value).decode() for value in coded.dictionary.to_pylist()), "-:"])
        parts.append(words.take(pc.fill_null(coded.indices, len(words) - 1)))
    return pc.binary_join_element_wise(*parts, "")


def repeats(values: Sequence[Sequence[str | int | None]], named: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(row, new name) of every row whose name an earlier one has already."""
    seen: dict[str, int] = {}
    for row, one in enumerate(named):
        count = seen.get(one, 0)
        seen[one] = count + 1
        if count:
            yield row, name(identity(values[row], count))
