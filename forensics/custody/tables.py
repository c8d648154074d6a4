"""Digests of the case's tables: of their content, and of the files that hold it.

The content digest is independent of how Parquet lays rows out (row groups, files, dictionaries, writer version): every
leaf column is two streams, of lengths or validity and of values, each with a SHA-256 of its own; the table's digest is
that of the sorted list of (leaf, type, rows, digests).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics.case import Case
from forensics.custody import canonical
from forensics.errors import VerificationFailed, system_error
from forensics.progress import Meter, Progress

DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, OverflowError)
"""What reading an altered Parquet file raises: Arrow's own errors, and Python's on what Arrow found there."""
TABLES = ("correspondents", "deliveries", "findings", "incidents", "lookalikes", "unread")


@dataclass(frozen=True)
class TableFile:
    path: str
    """Relative to the case folder."""
    sha256: str
    size: int


@dataclass(frozen=True)
class Table:
    """One table of the case; `files` are sorted by path."""

    name: str
    rows: int
    files: tuple[TableFile, ...]
    digest: str = ""
    """Of its content; empty while nobody has needed it."""


def files(case: Case, name: str) -> list[Path]:
    """The Parquet files of a table in the order of its rows; none when it was not written."""
    place: Path = getattr(case, name)
    return [place] if place.is_file() else sorted(place.rglob("*.parquet"))


def existing(case: Case, progress: Progress | None = None) -> tuple[Table, ...]:
    """Every table that exists, by name, with the digests of its files (not of its content).

    An empty `deliveries` folder is a table of no rows. Raises VerificationFailed for a file that is not Parquet.
    """
    meter = Meter(progress, "keep", sum(path.stat().st_size for name in TABLES for path in files(case, name)))
    return tuple(one for one in (_existing(case, name, meter) for name in TABLES) if one)


def faults(case: Case, name: str, recorded: Mapping[str, str], meter: Meter | None = None) -> list[str]:
    """How the files of a table differ from `recorded` (path → SHA-256), in words. `meter` counts their bytes."""
    found = {path.relative_to(case.folder).as_posix(): path for path in files(case, name)}
    out = [f"{path} is missing" for path in sorted(recorded.keys() - found.keys())]
    out += [f"{path} was added" for path in sorted(found.keys() - recorded.keys())]
    both = sorted(recorded.keys() & found.keys())
    with ThreadPoolExecutor(max_workers=2) as pool:
        there = pool.map(lambda path: _file(case, found[path], meter).sha256, both)
    return out + [f"{path} was changed" for path, sha256 in zip(both, there, strict=True) if sha256 != recorded[path]]


def _existing(case: Case, name: str, meter: Meter) -> Table | None:
    found = files(case, name)
    if not found and not getattr(case, name).exists():
        return None
    with ThreadPoolExecutor(max_workers=2) as pool:
        digests = tuple(pool.map(lambda path: _file(case, path, meter), found))
    return Table(name, sum(_rows(path) for path in found), digests)


def _file(case: Case, path: Path, meter: Meter | None = None) -> TableFile:
    sha256 = canonical.file_digest(path)
    size = path.stat().st_size
    if meter:
        meter.add(size)
    return TableFile(path.relative_to(case.folder).as_posix(), sha256, size)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq  # a twentieth of a second: while evidence is surveyed, not before

    with _readable(path):
        return int(pq.read_metadata(path).num_rows)


def content_digest(case: Case, name: str, meter: Meter | None = None) -> str:
    """Digest of a table's content, read in batches; `meter` counts the bytes of its files. Raises VerificationFailed as
    `existing` does."""
    leaves = Leaves()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for path in files(case, name):
            with _readable(path):
                for batch in batches(path):
                    leaves.update(batch, pool)
            if meter:
                meter.add(path.stat().st_size)
    return leaves.digest()


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A Parquet file's rows, a row group at a time: a batch that spans row groups is refused by Arrow when a dictionary
    lies inside a list ("Nested data conversions not implemented for chunked array outputs")."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, columns=columns).to_batches()


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        if isinstance(error, PermissionError):
            raise system_error(error, path) from None
        raise VerificationFailed(
            f"{path}: not a readable table: {error}", remedy="ingest the evidence into a new case and compare"
        ) from None


class Leaves:
    """Running digests of record batches of one schema."""

    def __init__(self) -> None:
        self.rows = 0
        self._sums: dict[tuple[str, str], tuple[Any, Any]] = {}

    def update(self, batch: pa.RecordBatch, pool: Executor | None = None) -> None:
        """Take in a batch; with a pool, columns at a time (hashing and Arrow leave the interpreter's lock)."""
        self.rows += batch.num_rows
        names = batch.schema.names
        for _ in (pool.map if pool else map)(self._add, names, batch.columns):
            pass

    def digest(self) -> str:
        leaves = [[*key, one.hexdigest(), two.hexdigest()] for key, (one, two) in self._sums.items()]
        return canonical.digest([self.rows, sorted(leaves)])

    def _add(self, path: str, column: pa.Array) -> None:
        import pyarrow.compute as pc

        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            lengths = pc.fill_null(pc.list_value_length(column).cast(pa.int64()), -1)
            self._feed((path, "list"), _bytes(lengths), b"")
            self._add(f"{path}[]", column.flatten())
        elif pa.types.is_struct(kind):
            self._feed((path, "struct"), _bytes(column.is_valid().cast(pa.uint8())), b"")
            for field, part in zip(kind, column.flatten(), strict=True):
                self._add(f"{path}.{field.name}", part)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
            name = "binary" if pa.types.is_binary(kind) else "string"
            wide = column.cast(pa.large_binary())
            lengths = pc.fill_null(pc.binary_length(wide), -1)
            self._feed((path, name), _bytes(lengths), _data(wide.drop_null()))
        elif pa.types.is_null(kind):
            self._feed((path, "null"), b"", b"")
        else:
            valid = column.is_valid().cast(pa.uint8())
            filled = column
            if pa.types.is_timestamp(kind):
                filled = column.cast(pa.int64())
            elif pa.types.is_boolean(kind):
                filled = column.cast(pa.uint8())
            self._feed((path, str(kind)), _bytes(valid), _bytes(pc.fill_null(filled, 0)))

    def _feed(self, key: tuple[str, str], one: bytes | pa.Buffer, two: bytes | pa.Buffer) -> None:
        sums = self._sums.setdefault(key, (hashlib.sha256(), hashlib.sha256()))
        sums[0].update(one)
        sums[1].update(two)


def _bytes(column: pa.Array) -> bytes:
    """Values of a numeric array without nulls, little-endian."""
    return bytes(column.to_numpy(zero_copy_only=False).tobytes())


def _data(column: pa.Array) -> bytes | pa.Buffer:
    """The joined bytes of a large_binary array without nulls."""
    if not len(column):
        return b""
    _, offsets, data = column.buffers()
    if data is None:
        return b""
    ends = memoryview(offsets).cast("q")
    start, end = ends[column.offset], ends[column.offset + len(column)]
    return data.slice(start, end - start)
