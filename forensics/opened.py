"""A case as an object, for notebooks and programs: `forensics.open("case")`.

Nothing is read before it is asked for, nothing can be changed. All values are as the evidence has them: what strangers
wrote is text here, and escaped wherever a notebook shows it.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from forensics import casefile as case_files
from forensics import pipeline, workbench
from forensics.arguments import checked
from forensics.case import Case as Folder
from forensics.errors import MissentError, UsageError
from forensics.report.text.visible import cut, visible
from forensics.results import score as score_text

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

    from forensics.custody.checks import Verification
    from forensics.results import Run

__all__ = ["Case", "Finding", "Incident", "Reason", "Rows", "open", "run"]

SHOWN = 20
"""Rows that a notebook shows of a table."""
WIDE = 80
"""Characters that a notebook shows of a value."""

T = TypeVar("T")


@dataclass(frozen=True)
class Reason:
    """One part of a finding's weight. `source`: `ours`, or `theirs` where only mail from outside could have made it."""

    name: str
    weight: float
    text: str
    source: str


class Rows(Generic[T]):
    """A table of the case, or a query over its tables, read when it is asked for.

    `df()` gives pandas, `arrow()` pyarrow, `pl()` polars (where that is installed); iterating and indexing give one
    row each. `sql(query)` asks further; in it, `self` are these rows and every view of the case has its name.
    """

    def __init__(self, case: Case, query: str, row: type[T] | None = None) -> None:
        self._case = case
        self._query = query
        self._row = row

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self._case.answer(self._query)

    def df(self) -> pd.DataFrame:
        """All rows as a pandas data frame; times with their zone (UTC)."""
        return self.arrow().to_pandas()

    def pl(self) -> Any:
        """All rows as a polars data frame. Raises UsageError where polars is not installed."""
        try:
            polars: Any = import_module("polars")
        except ImportError:
            said = "pip install polars, or take df() or arrow()"
            raise UsageError("pl(): polars is not installed", remedy=said) from None
        return polars.from_arrow(self.arrow())

    def sql(self, query: str) -> Rows[dict[str, Any]]:
        """A further query. Raises UsageError, when the rows are read, with DuckDB's own words if it is wrong."""
        return Rows(self._case, f"WITH self AS ({self._query}) SELECT * FROM ({_text('sql', query).rstrip('; ')})")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._case.answer(f"SELECT * FROM ({self._query}) LIMIT 0").column_names)

    def __len__(self) -> int:
        return int(self._case.answer(f"SELECT count(*) AS n FROM ({self._query})")["n"][0].as_py())

    def __iter__(self) -> Iterator[T]:
        for row in self.arrow().to_pylist():
            yield self._made(row)

    def __getitem__(self, index: int) -> T:
        if not isinstance(index, int):
            raise UsageError(
                f"rows are asked for by number, not {index!r}", remedy="df() gives a table that can be sliced"
            )
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"row {index} of {length}")
        at = index % length
        return self._made(self._case.answer(f"SELECT * FROM ({self._query}) LIMIT 1 OFFSET {at}").to_pylist()[0])

    def _made(self, row: dict[str, Any]) -> T:
        if self._row is None:
            return row  # type: ignore[return-value]
        return self._row.of(self._case, row)  # type: ignore[attr-defined, no-any-return]

    def __repr__(self) -> str:
        return f"<{len(self):,} rows: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        columns = self.columns
        few = self._case.answer(f"SELECT * FROM ({self._query}) LIMIT {SHOWN}").to_pylist()
        rest = len(self) - len(few)
        note = f"<p>… and {rest:,} more rows</p>" if rest > 0 else ""
        return _grid(columns, [[row[name] for name in columns] for row in few]) + note


@dataclass(frozen=True)
class Incident:
    """All findings of one pair: a typed domain and the domain meant. Times are UTC."""

    incident_id: str
    observed_domain: str
    intended_domain: str
    slip: str
    story: str | None
    observed_jurisdiction: str | None
    intended_jurisdiction: str | None
    first_seen: datetime
    last_seen: datetime
    messages: int
    recipients: int
    senders: int
    exposed: int
    not_exposed: int
    score: float
    case: Case

    @classmethod
    def of(cls, case: Case, row: Mapping[str, Any]) -> Incident:
        return cls(**{name: row[name] for name in cls.__annotations__ if name != "case"}, case=case)

    @property
    def findings(self) -> Rows[Finding]:
        """Its findings, in order of time."""
        return self.case._rows(f"{_FINDINGS} WHERE f.incident_id = '{_sql(self.incident_id)}' {_BY_TIME}", Finding)

    def explain(self) -> workbench.Explanation:
        """What speaks for and against it, with the records quoted."""
        return self.case.explain(self.observed_domain)

    def __repr__(self) -> str:
        pair = f"{visible(self.observed_domain)} for {visible(self.intended_domain)}"
        return f"<Incident {pair}, score {score_text(self.score)}>"

    def _repr_html_(self) -> str:
        return _facts({name: getattr(self, name) for name in type(self).__annotations__ if name != "case"})


@dataclass(frozen=True)
class Finding:
    """One delivery held to have gone to a lookalike of the domain that its sender meant."""

    delivery_id: str
    submitted_at: datetime
    sender: str
    recipient: str
    outcome: str
    observed_domain: str
    intended_domain: str
    slip: str
    score: float
    level: str
    exposure: str
    incident_id: str
    reasons: tuple[Reason, ...]
    verdict: str | None
    """The ruling that holds for it: confirmed, dismissed, undecided, or None where nobody ruled."""
    case: Case

    @classmethod
    def of(cls, case: Case, row: Mapping[str, Any]) -> Finding:
        given = {name: row[name] for name in cls.__annotations__ if name not in ("case", "reasons")}
        return cls(**given, reasons=tuple(Reason(**one) for one in row["reasons"]), case=case)

    def explain(self) -> workbench.Explanation:
        """What speaks for and against it, with the records quoted."""
        return self.case.explain(self.delivery_id)

    def __repr__(self) -> str:
        way = f"{visible(self.sender)} → {visible(self.recipient)}"
        return f"<Finding {way}, {self.level}, score {score_text(self.score)}>"

    def _repr_html_(self) -> str:
        shown = {n: getattr(self, n) for n in type(self).__annotations__ if n not in ("case", "reasons")}
        weights = [[one.name, f"{one.weight:+.2f}", one.text, one.source] for one in self.reasons]
        return _facts(shown) + _grid(("reason", "weight", "text", "source"), weights)


_FINDINGS = """
SELECT f.delivery_id, d.submitted_at, d.sender, d.recipient, d.outcome, f.observed_domain, f.intended_domain, f.slip,
       f.score, f.level, f.exposure, f.incident_id, f.reasons, r.verdict
FROM findings f JOIN deliveries d USING (delivery_id) LEFT JOIN rulings r USING (delivery_id)"""
_BY_TIME = "ORDER BY d.submitted_at, f.delivery_id"


class Case:
    """A case folder, opened for reading."""

    @checked
    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self._organisation = case_files.read(self._folder).organisation.domains

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder.folder

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        from forensics import views
        from forensics.custody import staging

        staging.finish(self._folder)
        return views.connect(self._folder, self._organisation)

    def refresh(self) -> None:
        """Read the case anew, after a command has changed it."""
        self.__dict__.pop("_connection", None)
        self._organisation = case_files.read(self._folder).organisation.domains

    def answer(self, query: str) -> pa.Table:
        """The rows of one query over the views, as an Arrow table. Raises UsageError when it is wrong."""
        from forensics import views

        return views.answer(self._connection, _text("query", query))

    def sql(self, query: str) -> Rows[dict[str, Any]]:
        """A query over the case's tables and views (`missent sql … 'show tables'` lists them), read when asked for."""
        return self._rows(_text("sql", query).rstrip("; "))

    def _rows(self, query: str, row: type[T] | None = None) -> Rows[T]:
        return Rows(self, query, row)

    @property
    def deliveries(self) -> Rows[dict[str, Any]]:
        """Every delivery, with its `direction`."""
        return self._rows("SELECT * FROM deliveries")

    def outbound(self) -> Rows[dict[str, Any]]:
        """What left the organisation."""
        return self._rows("SELECT * FROM deliveries WHERE direction = 'outbound'")

    @property
    def findings(self) -> Rows[Finding]:
        """All findings, in order of time, dismissed ones included (`verdict` says which)."""
        return self._rows(f"{_FINDINGS} {_BY_TIME}", Finding)

    @property
    def findings_open(self) -> Rows[Finding]:
        """Findings that no person dismissed."""
        return self._rows(f"{_FINDINGS} WHERE coalesce(r.verdict, '') <> 'dismissed' {_BY_TIME}", Finding)

    @property
    def incidents(self) -> Rows[Incident]:
        """Findings by pair, in order of the first."""
        return self._rows("SELECT * FROM incidents ORDER BY first_seen, incident_id", Incident)

    @property
    def verdicts(self) -> Rows[dict[str, Any]]:
        """Every ruling ever made, oldest first."""
        return self._rows("SELECT * FROM verdicts ORDER BY sequence")

    @property
    def evidence(self) -> Rows[dict[str, Any]]:
        """What was handed in: digests, sizes, and what became of every record."""
        return self._rows("SELECT * FROM evidence")

    @property
    def unread(self) -> Rows[dict[str, Any]]:
        """Records that could bear on a delivery and were not understood, with the reason and their bytes."""
        return self._rows("SELECT * FROM unread")

    @property
    def citations(self) -> Rows[dict[str, Any]]:
        """The records behind each delivery, one a row."""
        return self._rows("SELECT * FROM citations")

    @property
    def correspondents(self) -> Rows[dict[str, Any]]:
        """The outside domains that the organisation writes to or hears from."""
        return self._rows("SELECT * FROM correspondents")

    @property
    def lookalikes(self) -> Rows[dict[str, Any]]:
        """What each outside domain could be a slip for, and how probable that is."""
        return self._rows("SELECT * FROM lookalikes")

    def explain(self, subject: str) -> workbench.Explanation:
        """The weighed parts behind a delivery id, an address or a domain, and the records quoted."""
        return workbench.explain(self.folder, _text("explain", subject))

    @checked
    def verify(self, *, all_records: bool = False) -> Verification:
        """Walk the case back to the bytes of its evidence."""
        return workbench.verify(self.folder, all_records=all_records)

    def __repr__(self) -> str:
        return f"<Case {visible(str(self.folder))}>"

    def _repr_html_(self) -> str:
        counts = self.answer(
            "SELECT (SELECT count(*) FROM evidence) AS evidence, (SELECT count(*) FROM deliveries) AS deliveries, "
            "(SELECT count(*) FROM unread) AS unread, (SELECT count(*) FROM findings) AS findings, "
            "(SELECT count(*) FROM findings_open) AS findings_open, (SELECT count(*) FROM incidents) AS incidents"
        ).to_pylist()[0]
        return _facts({"case": str(self.folder), "organisation": ", ".join(self._organisation), **counts})


def open(folder: str | Path = "case") -> Case:
    """Open a case that `missent ingest` or `missent run` made. Raises CaseError where there is none."""
    if not isinstance(folder, str | Path):
        raise UsageError(f"open: {folder!r} is no path", expected="the folder of a case, as text or pathlib.Path")
    return Case(Path(folder))


def run(logs: str | Path | Sequence[str | Path], folder: str | Path = "case", **options: Any) -> Case:
    """`missent run`: read the logs, weigh, write the report; gives the case, opened. Options as `pipeline.run`'s.

    Raises what `pipeline.run` raises, all of it MissentError.
    """
    try:
        done: Run = pipeline.run([logs] if isinstance(logs, str | Path) else logs, folder, **options)
    except TypeError as error:
        if isinstance(error, MissentError):
            raise
        raise UsageError(f"run: {error}", remedy="help(forensics.pipeline.run) lists the options") from error
    return open(done.ingested.case)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name}: {value!r} is not text", expected="a string")
    return value


def _sql(value: str) -> str:
    return value.replace("'", "''")


def _shown(value: object) -> str:
    """As HTML, nothing in it being markup."""
    if isinstance(value, float):
        value = f"{value:.4g}"
    return html.escape(cut(visible("" if value is None else str(value)), WIDE))


def _grid(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_shown(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_shown(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _facts(values: Mapping[str, object]) -> str:
    rows = "".join(f"<tr><th>{_shown(name)}</th><td>{_shown(value)}</td></tr>" for name, value in values.items())
    return f"<table><tbody>{rows}</tbody></table>"
