"""The records that table rows cite, and whether a record speaks of its row.

A row is supported when every record it cites leads back to it: the record holds the recipient, an id of the message,
its sender or who submitted it, or shows an id that another supported record of the row shows too (`queued as`, or its
own; what a record shows, its loader knows), so that every hop of a journey is reached from the row; and when at least
one record names the recipient.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.custody import tables

COLUMNS = (
    "delivery_id", "recipient", "original_recipient", "queue_id", "message_id", "network_message_id", "sender",
    "authenticated_user", "client_address", "records",
)  # fmt: skip
ROWS = 400_000
"""Rows whose citations are held at a time; more than that means reading the evidence again where they lie."""
LONGEST = 4 << 20
"""Bytes of a cited record that are looked at."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTE_ARRAY = re.compile(rb"\[ *\d{1,3}(?: *, *\d{1,3}){8,} *\]")


@dataclass
class Citations:
    """Citations of some rows. Arrays run parallel, one element a citation, sorted by (evidence, offset)."""

    ids: list[str]
    """delivery_id by row."""
    recipients: list[tuple[str, ...]]
    tokens: list[tuple[str, ...]]
    evidence: NDArray[np.int32]
    names: list[str]
    """Evidence id by number in `evidence`."""
    row: NDArray[np.int32]
    number: NDArray[np.int64]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    direct: NDArray[np.bool_] = field(init=False)
    """The record holds one of the row's tokens."""
    named: NDArray[np.bool_] = field(init=False)
    """The record holds the recipient."""
    links: list[tuple[str, ...]] = field(init=False)
    """Ids of messages that the record shows."""

    def __post_init__(self) -> None:
        count = len(self.row)
        self.direct = np.zeros(count, np.bool_)
        self.named = np.zeros(count, np.bool_)
        self.links = [()] * count

    def of(self, evidence_id: str) -> tuple[int, int]:
        """Range of the citations of one evidence."""
        if evidence_id not in self.names:
            return 0, 0
        number = self.names.index(evidence_id)
        return int(np.searchsorted(self.evidence, number)), int(np.searchsorted(self.evidence, number, "right"))

    def read(self, index: int, forms: Sequence[str], shown: tuple[str, ...]) -> None:
        """Take note of what the record of citation `index` says in its `forms`, and which ids of messages it shows."""
        row = self.row[index]
        self.named[index] = _contain_any(forms, self.recipients[row])
        self.direct[index] = self.named[index] or _contain_any(forms, self.tokens[row])
        self.links[index] = shown

    def unsupported(self) -> Iterator[tuple[str, str]]:
        """(delivery id, what is wrong) for every row whose records, all read, do not speak of it."""
        order = np.argsort(self.row, kind="stable")
        bounds = np.searchsorted(self.row[order], np.arange(len(self.ids) + 1))
        for row, delivery in enumerate(self.ids):
            cited = order[bounds[row] : bounds[row + 1]]
            if not self.named[cited].any():
                yield delivery, "none of its records names its recipient"
            elif astray := self._astray(cited):
                yield delivery, f"record {self.number[astray[0]]:,} of {self._name(astray[0])} does not speak of it"

    def _astray(self, cited: NDArray[np.int64]) -> list[int]:
        reached = [index for index in cited if self.direct[index]]
        known = {link for index in reached for link in self.links[index]}
        open_ = [int(index) for index in cited if not self.direct[index]]
        while open_:
            linked = [index for index in open_ if known.intersection(self.links[index])]
            if not linked:
                return open_
            known.update(link for index in linked for link in self.links[index])
            open_ = [index for index in open_ if index not in linked]
        return []

    def _name(self, index: int) -> str:
        return f"evidence {self.names[self.evidence[index]][:12]}…"


def _contain_any(forms: Sequence[str], tokens: tuple[str, ...]) -> bool:
    return any(_is_token(token, form) for form in forms for token in tokens)


def _is_token(token: str, text: str) -> bool:
    """Whether the token stands in the text by itself, as `doe@navy.ml` not in `j.doe@navy.ml` or `doe@navy.mli`."""
    at = text.find(token)
    while at >= 0:
        end = at + len(token)
        before, after = text[at - 1 : at], text[end : end + 2]
        longer = (before.isalnum() or before in tuple("._+-")) and token[0].isalnum()
        goes_on = token[-1].isalnum() and (after[:1].isalnum() or after[:1] in tuple("_-"))
        goes_on = goes_on or (after[:1] == "." and after[1:].isalnum() and "@" in token)
        if not (longer or goes_on):
            return True
        at = text.find(token, at + 1)
    return False


def forms(record: bytes) -> list[str]:
    """A record's text, lower case, in every form in which an address may stand in it: as it is, UTF-16, CSV and JSON
    escapes undone, journald's byte arrays decoded, the older 8-bit encoding, and with `\\xNN` or U+FFFD for what is not
    UTF-8 (as loaders keep it)."""
    texts = [record.decode("utf-8", "surrogateescape")]
    if b"\0" in record:
        texts += [record.decode(coding, "replace") for coding in ("utf-16-le", "utf-16-be")]
    if not record.isascii():
        texts += [record.decode("latin-1"), *(record.decode("utf-8", how) for how in ("replace", "backslashreplace"))]
    for array in _BYTE_ARRAY.findall(record):
        numbers = [int(part) for part in array.strip(b"[] ").split(b",")]
        if max(numbers) < 256:
            texts.append(bytes(numbers).decode("utf-8", "surrogateescape"))
    texts += [text.replace('""', '"') for text in texts if '""' in text]
    texts += [_unescaped(text) for text in texts if "\\" in text]
    halves = [text for text in texts if not text.isascii() and _SURROGATE.search(text)]
    texts += [text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for text in halves]
    return [text.lower() for text in texts]


def _unescaped(text: str) -> str:
    """JSON (and Postfix's quoted local parts): escapes undone."""

    def back(match: re.Match[str]) -> str:
        try:
            return str(json.loads(f'"{match[0]}"'))
        except ValueError:
            return match[0][1:]

    return re.sub(r"(?:\\u[0-9a-fA-F]{4})+|\\.", back, text)


def _spellings(address: str | None) -> tuple[str, ...]:
    """An address in lower case, with and without the quotes of its local part."""
    if not address:
        return ()
    lower = address.lower()
    local, at, domain = lower.rpartition("@")
    bare = re.sub(r"\\(.)", r"\1", local[1:-1]) if len(local) > 1 and local[0] == local[-1] == '"' else local
    return tuple(dict.fromkeys((lower, f"{bare}{at}{domain}")))


def chunks(case: Case, wanted: Collection[str], sample: int | None) -> Iterator[tuple[pa.Table, int]]:
    """The deliveries in `wanted` and a fixed sample of about `sample` others (None: all), as tables of COLUMNS, each
    with the number of rows of the case that were looked at so far.

    At most ROWS rows at a time. Raises OSError and pyarrow's errors for tables that cannot be read.
    """
    ids = pa.array(sorted(wanted), pa.string())
    total = sum(pq.read_metadata(path).num_rows for path in tables.files(case, "deliveries"))
    every = 1 if sample is None else max(total // sample, 1) if sample else 0
    found: list[pa.Table] = []
    rows = looked = 0
    for path in tables.files(case, "deliveries"):
        for batch in tables.batches(path, COLUMNS):
            part = pa.Table.from_batches([batch])
            if every != 1:
                part = part.filter(_picked(part["delivery_id"], ids, every))
            if rows and rows + part.num_rows > ROWS:
                yield _whole(found), looked
                found, rows = [], 0
            looked += batch.num_rows
            if part.num_rows:
                found.append(part)
                rows += part.num_rows
    if found:
        yield _whole(found), looked


def _whole(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts, promote_options="permissive").combine_chunks()


def _picked(column: pa.ChunkedArray, ids: pa.Array, every: int) -> pa.ChunkedArray:
    picked = pc.is_in(column, value_set=ids)
    if every:
        chosen = [zlib.crc32(one.encode()) % every == 0 for one in column.to_pylist()]
        picked = pc.or_(picked, pa.chunked_array([pa.array(chosen, pa.bool_())]))
    return picked


Longs = NDArray[np.int64]
Codes = NDArray[np.int32]


def flat(table: pa.Table) -> tuple[list[str], Codes, Codes, Longs, Longs, Longs]:
    """The citations of a table's rows, sorted by (evidence, offset): names of the evidence; then of each citation which
    of these, row, number, offset and length."""
    records = table["records"].combine_chunks() if table["records"].num_chunks != 1 else table["records"].chunk(0)
    found = records.flatten()
    evidence = found.field("evidence")
    if not pa.types.is_dictionary(evidence.type):
        evidence = evidence.dictionary_encode()
    row = _numbers(pc.list_parent_indices(records), np.int32)
    number, offset, length = (_numbers(found.field(name), np.int64) for name in ("number", "offset", "length"))
    code = _numbers(evidence.indices, np.int32)
    order = np.lexsort((offset, code))
    names = evidence.dictionary.to_pylist()
    return names, code[order], row[order], number[order], offset[order], length[order]


def citations(table: pa.Table) -> Citations:
    """The citations of a table's rows, to be read one by one."""
    names, evidence, row, number, offset, length = flat(table)
    text: dict[str, list[Any]] = {name: table[name].to_pylist() for name in COLUMNS if name != "records"}
    tokens = [
        tuple(str(value).lower() for value in values if value)
        for values in zip(*(text[name] for name in COLUMNS[2:-1]), strict=True)
    ]
    return Citations(
        ids=text["delivery_id"],
        recipients=[_spellings(one) for one in text["recipient"]],
        tokens=tokens,
        evidence=evidence,
        names=names,
        row=row,
        number=number,
        offset=offset,
        length=length,
    )


def _numbers(column: pa.Array, kind: type) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False), kind)
