"""What was read together (a *batch*), as files: hops and legs, their keys, fragments, unread records, an account.

A batch lies in a folder of its own below `CASE/.runs`, is written once, aside, and then given its name; who finds the
name taken leaves what is there, so that a task may run twice, even at once. In it, evidence is counted from 0 (its
*members*); which evidence of the case these are is said when it is used, so that it stays true when others join.

    hops.arrow, legs.arrow           `loaders.base.HOPS`, `LEGS`
    hop_keys.arrow, leg_keys.arrow   `stitch.journeys.HopLegKeys`
    fragments.arrow                  in PARTITIONS record batches, by `key`, or few of them in one; only where there are
                                     some
    unread.arrow                     `loaders.base.UNREAD_ROWS` and `member`; only where there are some
    strays.arrow, losses.arrow       what joining fragments found beside; only where there is any
    batch.json                       `Batch`, without its digest
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.columns import whole
from forensics.custody.runs import digest
from forensics.errors import naming
from forensics.loaders.base import LOSSES, Example
from forensics.stitch.journeys import HopLegKeys

PARTITIONS = 64
"""Of fragments, by their key."""
FEW = 256 << 10
"""Bytes of fragments that are not worth so many record batches, each of which takes time to read."""
FACTS = "batch.json"
OPTIONAL = ("unread", "strays", "losses")
_OF_HOP = (
    "id", "host", "msgid", "previous", "first", "flags", "system", "alike", "peer", "sender", "client",
    "client_address", "name",
)  # fmt: skip
_OF_LEG = tuple(f.name for f in fields(HopLegKeys) if f.name not in _OF_HOP)
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")
_PACKED_SMALL = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_SMALL = pa.ipc.IpcReadOptions(use_threads=False)
"""Of fragments: to hand thousands of small buffers to other threads takes longer than to pack or unpack them."""


@dataclass(frozen=True)
class Account:
    """What reading one member came to: records = used + the sum of ignored + unread."""

    records: int
    used: int
    ignored: Mapping[str, int]
    unread: int
    examples: tuple[Example, ...]
    losses: tuple[Mapping[str, Any], ...]
    """Rows of `LOSSES`; `evidence` is the member."""
    noted: tuple[str, ...]
    span: tuple[int, int] | None
    """Least and greatest time of what may belong together with records of other evidence, microseconds UTC."""


@dataclass(frozen=True)
class Batch:
    """One batch's facts. `name`: of its folder; `digest`: SHA-256 over its files."""

    name: str
    loader: str
    members: tuple[Account, ...]
    hops: int
    legs: int
    hosts: tuple[str, ...]
    """Names of the logging hosts, as logged."""
    twice: tuple[int, ...]
    """Hops of which a record is there twice."""
    fragments: int
    """Bytes of them in memory."""
    unread: int
    digest: str = ""


@dataclass(frozen=True)
class Tables:
    """What is written of a batch. `hops` and `legs` name members as their evidence."""

    loader: str
    members: tuple[Account, ...]
    hops: pa.Table
    legs: pa.Table
    keys: HopLegKeys
    fragments: pa.Table | None = None
    unread: pa.Table | None = None
    strays: pa.Table | None = None
    losses: pa.Table | None = None


def write(folder: Path, name: str, made: Tables) -> Batch:
    """Write a batch below `folder`, where it gets its name as a whole. Raises the errors of `naming`."""
    aside = folder / f"{name}.{secrets.token_hex(8)}"
    aside.mkdir(parents=True)
    try:
        _save(made.hops, aside / "hops.arrow")
        _save(made.legs, aside / "legs.arrow")
        _save(_columns(made.keys, _OF_HOP), aside / "hop_keys.arrow")
        _save(_columns(made.keys, _OF_LEG), aside / "leg_keys.arrow")
        fragments, unread = made.fragments, made.unread
        if fragments is not None and len(fragments):
            _save_by_key(fragments, aside / "fragments.arrow")
        for kind in OPTIONAL:
            table = getattr(made, kind)
            if table is not None and len(table):
                _save(table, aside / f"{kind}.arrow")
        batch = Batch(
            name=name,
            loader=made.loader,
            members=made.members,
            hops=len(made.hops),
            legs=len(made.legs),
            hosts=_hosts(made.hops),
            twice=_twice(made.hops),
            fragments=0 if fragments is None else fragments.nbytes,
            unread=0 if unread is None else len(unread),
        )
        facts = {key: value for key, value in asdict(batch).items() if key != "digest"}
        with naming(aside / FACTS):
            (aside / FACTS).write_text(json.dumps(facts, ensure_ascii=False, sort_keys=True), "utf-8")
        found = digest(aside)
        _take_name(aside, folder / name)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return replace(batch, digest=found)


def _take_name(aside: Path, place: Path) -> None:
    """The same name is the same content: one that came first stays, unless it is not whole."""
    try:
        aside.rename(place)
    except OSError:
        if not place.exists():
            raise
        if _same(place, digest(aside)):
            shutil.rmtree(aside, ignore_errors=True)
            return
        before = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
        place.rename(before)
        aside.rename(place)
        shutil.rmtree(before, ignore_errors=True)


def _same(place: Path, found: str) -> bool:
    try:
        return digest(place) == found
    except (OSError, ValueError):
        return False


def facts(place: Path, found: str) -> Batch:
    """The facts of a batch whose digest was compared. Raises OSError, ValueError, KeyError, TypeError."""
    data = json.loads((place / FACTS).read_text("utf-8"))
    members = tuple(_account(one) for one in data.pop("members"))
    hosts, twice = tuple(data.pop("hosts")), tuple(data.pop("twice"))
    data.pop("digest", None)
    return Batch(**data, members=members, hosts=hosts, twice=twice, digest=found)


def _account(data: Mapping[str, Any]) -> Account:
    span = data["span"]
    return Account(
        records=data["records"],
        used=data["used"],
        ignored=data["ignored"],
        unread=data["unread"],
        examples=tuple(Example(**one) for one in data["examples"]),
        losses=tuple(data["losses"]),
        noted=tuple(data["noted"]),
        span=None if span is None else (span[0], span[1]),
    )


def rows(place: Path, members: NDArray[np.int32]) -> tuple[pa.Table, pa.Table]:
    """Hops and legs of a batch; `members`: the evidence that each member is."""
    hops, legs = _load(place / "hops.arrow"), _load(place / "legs.arrow")
    return of_evidence(hops, members), of_evidence(legs, members)


def of_evidence(table: pa.Table, members: NDArray[np.int32]) -> pa.Table:
    """Hops or legs whose records name the case's evidence in place of a batch's members."""
    if not len(table) or (members == np.arange(len(members))).all():
        return table
    column = whole(table["records"])
    values = column.values
    evidence = pa.array(members[values.field("evidence").to_numpy(zero_copy_only=False)])
    struct = pa.StructArray.from_arrays(
        [evidence, *(values.field(n) for n in range(1, values.type.num_fields))], fields=list(values.type)
    )
    placed = pa.ListArray.from_arrays(column.offsets, struct, type=column.type)
    return table.set_column(table.schema.get_field_index("records"), table.schema.field("records"), placed)


def keys(place: Path) -> HopLegKeys:
    """The keys of a batch's hops and legs."""
    tables = (_load(place / "hop_keys.arrow"), _load(place / "leg_keys.arrow"))
    return HopLegKeys(**{name: table[name].to_numpy() for table in tables for name in table.column_names})


def fragments(place: Path, partitions: range, members: NDArray[np.int32]) -> pa.Table:
    """The fragments of some partitions; `evidence` is the case's."""
    with pa.memory_map(str(place / "fragments.arrow")) as file:
        reader = pa.ipc.open_file(file, options=_SMALL)
        together = reader.num_record_batches == 1
        wanted = range(1) if together else partitions
        table = pa.Table.from_batches([reader.get_batch(n) for n in wanted], reader.schema)
        if together and len(partitions) < PARTITIONS:
            part = _partition(table)
            table = table.filter(pa.array((part >= partitions.start) & (part < partitions.stop)))
    evidence = pa.array(members[table["evidence"].to_numpy()], pa.int32())
    at = table.schema.get_field_index("evidence")
    return table.set_column(at, table.schema.field(at), evidence)


def optional(place: Path, kind: str) -> pa.Table | None:
    """What a batch has of a table of OPTIONAL."""
    path = place / f"{kind}.arrow"
    return _load(path) if path.exists() else None


def losses(found: Sequence[Mapping[str, Any]]) -> pa.Table:
    """An account's losses as a table of `LOSSES`."""
    return pa.Table.from_pylist([dict(one) for one in found], LOSSES)


def _columns(found: HopLegKeys, names: Sequence[str]) -> pa.Table:
    return pa.table({name: np.ascontiguousarray(getattr(found, name)) for name in names})


def _hosts(hops: pa.Table) -> tuple[str, ...]:
    return tuple(sorted({name for name in hops["host"].unique().to_pylist() if name}))


def _twice(hops: pa.Table) -> tuple[int, ...]:
    if "repeated" not in hops.column_names:
        return ()
    return tuple(np.flatnonzero(hops["repeated"].fill_null(False).to_numpy()).tolist())


def _save(table: pa.Table, path: Path) -> None:
    with naming(path), pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema, options=_PACKED) as out:
        out.write_table(table.combine_chunks())


def _save_by_key(table: pa.Table, path: Path) -> None:
    part = _partition(table)
    ends = np.cumsum(np.bincount(part, minlength=PARTITIONS)).tolist() if table.nbytes > FEW else [len(table)]
    ordered = table.take(pa.array(np.argsort(part, kind="stable"))).combine_chunks()
    with (
        naming(path),
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, table.schema, options=_PACKED_SMALL) as out,
    ):
        for low, high in zip([0, *ends], ends, strict=False):
            out.write_batch(ordered.slice(low, high - low).combine_chunks().to_batches()[0] if high > low
                            else pa.RecordBatch.from_pylist([], table.schema))  # fmt: skip


def _partition(table: pa.Table) -> NDArray[np.int64]:
    """Of each row its partition."""
    found: NDArray[np.int64] = (table["key"].to_numpy() % np.uint64(PARTITIONS)).astype(np.int64)
    return found


def _load(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()


__all__ = [
    "PARTITIONS", "Account", "Batch", "Tables", "facts", "fragments", "keys", "losses", "of_evidence",
    "optional", "rows", "write",
]  # fmt: skip
