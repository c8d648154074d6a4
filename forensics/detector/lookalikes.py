"""What each external domain could stand for and how probable that is, as the table LOOKALIKES; and back from it.

With it one domain can be explained without reading all mail again: what was measured of the pair and of each of its
writers, and who lent whom a verdict, stands there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import schema
from forensics.detector import odds
from forensics.detector.candidates import Candidate
from forensics.detector.judging import Judgement, Key
from forensics.detector.odds import Measured
from forensics.detector.slips import Slip
from forensics.detector.states import States

_DIGITS = 9


_CARRIED = "carried_from"
_TOLD = tuple(field.name for field in schema.WRITER if field.name != _CARRIED)
"""What is stored of each row of `signals.measure` as it stands there."""


def table(measured: Measured, judgement: Judgement, carried: Mapping[Key, tuple[str, str]]) -> pa.Table:
    """The LOOKALIKES table, sorted by typed and meant domain. `carried`: as from `findings.spread`."""
    if judgement.answers is None or judgement.without is None:
        return schema.LOOKALIKES.empty_table()
    found, without = judgement.answers, judgement.without
    columns: dict[str, Any] = {
        name: measured.pairs.column(name) for name in ("typed", "meant", "kind", "part", "channel")
    }
    names = zip(columns["typed"].to_pylist(), columns["meant"].to_pylist(), strict=True)
    columns["words"] = pa.array([measured.slip_of[pair].words for pair in names], pa.string())
    for name in ("slip", "mixed", "second", "own", "direction"):
        columns[name] = pa.array(np.round(getattr(found, name), _DIGITS), pa.float64())
    for name in ("slip", "mixed"):
        columns[f"{name}_without_theirs"] = pa.array(np.round(getattr(without, name), _DIGITS), pa.float64())
    rows = measured.pairs.drop_columns(["typed", "meant", "kind", "part", "channel"]).to_pylist()
    columns["measured"] = pa.array([json.dumps(row, sort_keys=True) for row in rows], pa.string())
    columns["writers"] = _writers(measured, carried)
    return pa.table({f.name: columns[f.name].cast(f.type) for f in schema.LOOKALIKES}, schema=schema.LOOKALIKES)


def _writers(measured: Measured, carried: Mapping[Key, tuple[str, str]]) -> pa.Array:
    """Of each pair the rows of its writers, in their order."""
    rows, of_pair = measured.rows, odds.pair_rows(measured)
    names = ("writer_local", "writer_domain", "recipient_local", "recipient_domain")
    keys = zip(*(rows[name].to_pylist() for name in names), strict=True)
    roots = ["@".join(carried.get(((w, x), (a, d)), ())) or None for w, x, a, d in keys]
    parts = [rows[name].combine_chunks() for name in _TOLD]
    one = pa.StructArray.from_arrays([*parts, pa.array(roots, pa.string())], names=[*_TOLD, _CARRIED])
    order = np.argsort(of_pair, kind="stable")
    ends = np.cumsum(np.bincount(of_pair, minlength=len(measured.pairs)))
    return pa.ListArray.from_arrays(pa.array([0, *ends.tolist()], pa.int32()), one.take(pa.array(order)))


WRITERS = """
select w.*, typed as recipient_domain, meant from (select typed, meant, unnest(writers) as w from lookalikes
where typed = $typed) order by recipient_domain, w.recipient_local, w.writer_domain, w.writer_local, meant
"""
"""SQL: the writers of one typed domain, each with each domain that may have been meant."""


def writers(rows: pa.Table, pairs: pa.Table) -> tuple[pa.Table, dict[Key, tuple[str, str]]]:
    """From what WRITERS gives and the table of `pairs`: what `signals.measure` gave, as far as it is weighed, and who
    carried on from whom."""
    of_pair = {one["meant"]: one for one in pairs.select(["meant", "seen", "typed_pairs", "meant_pairs"]).to_pylist()}
    meant = rows["meant"].to_pylist()
    for name, told in (("seen", "seen"), ("typed_use", "typed_pairs"), ("meant_use", "meant_pairs")):
        rows = rows.append_column(name, pa.array([of_pair[one][told] for one in meant]))
    carried = {}
    if rows[_CARRIED].null_count < len(rows):
        for row in rows.to_pylist():
            if row[_CARRIED] is not None:
                local, _, domain = row[_CARRIED].rpartition("@")
                key = ((row["writer_local"], row["writer_domain"]), (row["recipient_local"], row["recipient_domain"]))
                carried[key] = (local, domain)
    return rows.drop_columns([_CARRIED]), carried


def candidates(rows: Sequence[Mapping[str, Any]]) -> list[Candidate]:
    """The candidates that these rows of LOOKALIKES tell."""
    return [
        Candidate(
            row["typed"], row["meant"], Slip(row["kind"], row["channel"], row["part"], row["words"]),
            bool(json.loads(row["measured"])["seen"]),
        )
        for row in rows
    ]  # fmt: skip


def pairs(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """These rows of LOOKALIKES as `pairs.measure` gave them."""
    told = [{name: row[name] for name in ("typed", "meant", "kind", "part", "channel")} for row in rows]
    return pa.Table.from_pylist([one | json.loads(row["measured"]) for one, row in zip(told, rows, strict=True)])


def states(rows: Sequence[Mapping[str, Any]]) -> tuple[States, States]:
    """The answers of these rows: with all evidence, and without what the other side can bring about."""

    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=float)

    full = States(column("slip"), column("second"), column("mixed"), column("own"), column("direction"))
    nothing = np.zeros(len(rows))
    return full, States(column("slip_without_theirs"), nothing, column("mixed_without_theirs"), nothing, nothing + 1.0)
