"""The whole detection over one view `deliveries`: correspondents, findings, incidents and the parameters used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains
from forensics.case import CaseFile
from forensics.detector import candidates, findings, history, incidents, judging, signals, weighing, zones
from forensics.detector.candidates import Candidate
from forensics.detector.judging import Judged
from forensics.detector.weighing import Parameters

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Detection:
    """What `detect` yields: three tables (schema.CORRESPONDENTS, FINDINGS, INCIDENTS) and how they came about."""

    correspondents: pa.Table
    findings: pa.Table
    incidents: pa.Table
    parameters: dict[str, Any]
    """Prior, weights, channel, their origin, zones looked at, sensitivity to the prior."""


@dataclass(frozen=True)
class Evidence:
    """Candidates and measurements, before anything is judged."""

    found: list[Candidate]
    measured: pa.Table
    zones: tuple[str, ...]


def detect(
    connection: duckdb.DuckDBPyConnection,
    casefile: CaseFile | None = None,
    *,
    org: Collection[str] | None = None,
    watched: Collection[str] | None = None,
    known_good: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    using: Parameters | None = None,
    progress: Progress | None = None,
) -> Detection:
    """Weigh every outbound delivery of the view `deliveries` (schema.DELIVERIES and `direction`).

    `org`, `watched`, `known_good` default to what case.toml says. `since`, `until` (aware): deliveries submitted in
    [since, until) can become findings; all of them count as history. `using` replaces the fitted parameters. Only
    `direction = outbound` with a sender is scored.
    """
    casefile = casefile or CaseFile()
    own = tuple(domains.clean(casefile.organisation.domains if org is None else org))
    zone_list = tuple(casefile.domains.watched if watched is None else watched)
    good = tuple(domains.clean(casefile.domains.known_good if known_good is None else known_good))
    using = using or weighing.parameters()
    prior = casefile.detection.prior or using.prior
    step = progress or (lambda what, done, total: None)

    step("Reading who wrote to whom", 0, 4)
    history.build(connection)
    correspondents = history.correspondents(connection, own)
    step("Looking for lookalikes", 1, 4)
    evidence = gather(connection, own, zone_list, good)
    step("Weighing", 2, 4)
    judged = judging.judge(evidence.measured, evidence.found, using, prior)
    judged, spread = findings.spread(connection, judged)
    step("Writing findings", 3, 4)
    table = findings.table(connection, judged, spread, casefile.domains.shared_relays, since=since, until=until)
    step("Writing findings", 4, 4)
    return Detection(
        correspondents,
        table,
        incidents.table(connection, table, {(j.address[1], j.meant): j.slip.part for j in judged}),
        _parameters(using, prior, evidence, judged, table),
    )


def gather(
    connection: duckdb.DuckDBPyConnection, own: Collection[str], watched: Collection[str], good: Collection[str]
) -> Evidence:
    """Candidates for every domain written to, and their measurements. Needs `history.build`."""
    known = history.known(connection)
    in_zones, names = zones.watched(watched, known)
    typed = [name for name in history.outside(connection) if not zones.good(name, good)]
    there = set(known)
    found = [
        c._replace(seen=c.meant in there or domains.within(c.meant, own))
        for c in candidates.find(typed, {*known, *own, *names}, in_zones)
    ]
    return Evidence(found, signals.measure(connection, found), tuple(sorted(in_zones)))


def _parameters(
    using: Parameters, prior: float, evidence: Evidence, judged: Sequence[Judged], table: pa.Table
) -> dict[str, Any]:
    data: dict[str, Any] = asdict(using)
    data |= {"fitted_prior": using.prior, "prior": prior, "prior_log10_odds": round(weighing.log_odds(prior), 6)}
    data["zones"] = list(evidence.zones)
    data["suffix_list_digest"] = domains.suffix_list_digest()
    data["candidates"] = len(evidence.found)
    data["signals"] = dict(weighing.SIGNALS)
    data["sensitivity"] = sensitivity(judged, table)
    return data


def sensitivity(judged: Sequence[Judged], table: pa.Table) -> list[dict[str, Any]]:
    """Deliveries per level if the prior odds were a tenth of, equal to, or ten times the stated ones."""
    weights, priors = table.column("weight").to_pylist(), table.column("prior").to_pylist()
    rows = []
    for factor, shift in ((0.1, -1.0), (1.0, 0.0), (10.0, 1.0)):
        scores = [weighing.probability(p + shift + w) for p, w in zip(priors, weights, strict=True)]
        levels = [findings.level(s) for s in scores]
        rows.append({"prior_odds_times": factor, **{name: levels.count(name) for name in ("high", "medium", "low")}})
    return rows
