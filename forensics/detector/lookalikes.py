"""What each external domain could stand for and how probable that is, as the table LOOKALIKES; and back from it.

With it one domain can be explained without judging all of them anew: what is known of the pair is read, and what its
own writers did is measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import schema
from forensics.detector.candidates import Candidate
from forensics.detector.judging import Judgement, Measured
from forensics.detector.slips import Slip
from forensics.detector.states import States

_DIGITS = 9


def table(measured: Measured, judgement: Judgement) -> pa.Table:
    """The LOOKALIKES table, sorted by typed and meant domain."""
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
    return pa.table({f.name: columns[f.name].cast(f.type) for f in schema.LOOKALIKES}, schema=schema.LOOKALIKES)


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
