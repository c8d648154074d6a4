"""The whole detection over one view `deliveries`: correspondents, findings, incidents and the parameters used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains
from forensics.casefile import CaseFile
from forensics.detector import (
    candidates,
    earned,
    findings,
    history,
    incidents,
    judging,
    lookalikes,
    pairs,
    relays,
    signals,
    signs,
    states,
    weighing,
    wellknown,
    zones,
)
from forensics.detector.judging import Judgement
from forensics.detector.odds import Measured
from forensics.detector.weighing import Parameters
from forensics.lookups import Lookup

if TYPE_CHECKING:
    import duckdb

    from forensics.progress import Progress


@dataclass(frozen=True)
class Detection:
    """What `detect` yields: four tables (schema.CORRESPONDENTS, FINDINGS, INCIDENTS, LOOKALIKES) and how they came
    about."""

    correspondents: pa.Table
    findings: pa.Table
    incidents: pa.Table
    lookalikes: pa.Table
    """schema.LOOKALIKES: every external domain with each domain that it could stand for."""
    parameters: dict[str, Any]
    """Prior, weights, channel, their origin, zones looked at, sensitivity to the prior; `undeliverable` and
    `impersonation` (`signs`)."""


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
    lookups: Mapping[str, Lookup] | None = None,
    progress: Progress | None = None,
) -> Detection:
    """Weigh every outbound delivery of the view `deliveries` (schema.DELIVERIES and `direction`).

    `org`, `watched`, `known_good` default to what case.toml says. `since`, `until` (aware): deliveries submitted in
    [since, until) can become findings; all of them count as history. `using` replaces the fitted parameters. Only
    `direction = outbound` with a sender is scored. `lookups`: what an investigator was answered about domains.
    """
    casefile = casefile or CaseFile()
    own = tuple(domains.clean(casefile.organisation.domains if org is None else org))
    zone_list = tuple(casefile.domains.watched if watched is None else watched)
    good = tuple(domains.clean(casefile.domains.known_good if known_good is None else known_good))
    using = using or weighing.parameters()
    step = progress or _silent

    step("Reading who wrote to whom", 0, 4)
    history.build(connection)
    correspondents = history.correspondents(connection, own)
    step("Looking for lookalikes", 1, 4)
    gathered, zoned = gather(connection, own, zone_list, good, lookups or {}, casefile.domains.shared_relays)
    step("Weighing", 2, 4)
    judgement = judging.judge(gathered, using, prior=casefile.detection.prior)
    judged, spread = findings.spread(connection, judgement.pairs)
    step("Writing findings", 3, 4)
    shared = casefile.domains.shared_relays
    table = findings.table(connection, judged, spread, shared, own=own, since=since, until=until)
    answers = lookalikes.table(gathered, judgement, spread.carried)
    parameters = _parameters(using, judgement, casefile.detection.prior, gathered, zoned, table)
    accused = set(table.column("observed_domain").to_pylist())
    parameters["undeliverable"] = signs.undeliverable(connection, accused)
    parameters["impersonation"] = signs.impersonation(connection, answers)
    step("Writing findings", 4, 4)
    pairs_of = {(j.address[1], j.meant): j.slip.part for j in judged}
    return Detection(
        correspondents, table, incidents.table(connection, table, pairs_of, parameters["headline"]), answers, parameters
    )


def gather(
    connection: duckdb.DuckDBPyConnection,
    own: Collection[str],
    watched: Collection[str],
    good: Collection[str],
    lookups: Mapping[str, Lookup] = MappingProxyType({}),
    shared: Collection[str] = (),
) -> tuple[Measured, tuple[str, ...]]:
    """Candidates for every domain written to, with their measurements, and the zones looked at. Needs
    `history.build`."""
    known = history.known(connection)
    in_zones, names = zones.watched(watched, known)
    # Mail is meant for a zone that people named: what lies in it was not meant for something outside.
    asked, _ = zones.watched(watched, ())
    typed = [name for name in history.outside(connection) if not zones.good(name, good) and name not in names]
    there = set(known)
    # What no registry has can be typed but not meant, unless it is the organisation's own or named by people.
    known = [name for name in known if domains.split(name).suffix or domains.within(name, own)]
    here = {*known, *own, *names}
    near = candidates.find(typed, here, in_zones)
    suggested = {(c.typed, c.meant) for c in near}
    near += [
        c
        for c in candidates.find(typed, wellknown.names() - here)
        if (c.typed, c.meant) not in suggested and wellknown.believable(c.typed, c.meant, c.slip.kind)
    ]
    may_be_meant, may_be_typed = set(known), set(typed)
    alike = [row for row in history.alike(connection) if row[0] in may_be_typed and row[1] in may_be_meant]
    near = sorted([*near, *candidates.anchored(alike, near)], key=lambda c: (c.typed, -c.slip.log10, c.meant))
    found = [
        c._replace(seen=c.meant in there or domains.within(c.meant, own))
        for c in near
        if not domains.within(c.typed, asked) or domains.within(c.meant, {*asked, *own})
    ]
    rows = signals.measure(connection, found)
    hops = relays.next_hops(connection, own, shared, {c.typed for c in found})
    measured = Measured(
        found,
        pairs.asked(pairs.measure(connection, hops), lookups),
        rows,
        pairs.heard(connection),
        len(history.outside(connection)),
    )
    return measured, tuple(sorted(in_zones))


def _parameters(
    using: Parameters,
    judgement: Judgement,
    given: float | None,
    gathered: Measured,
    zoned: tuple[str, ...],
    table: pa.Table,
) -> dict[str, Any]:
    """Everything needed to recompute a score by hand, for detection.json."""
    data: dict[str, Any] = asdict(using)
    data["prior"] = {
        "used": judgement.prior,
        "log10_odds": round(weighing.log_odds(judgement.prior), 6),
        "stated": given or using.prior,
        "source": "case.toml, detection.prior" if given else "this log, starting from the stated prior",
        "strength": weighing.STRENGTH,
        "domains": gathered.domains,
    }
    data["zones"] = list(zoned)
    data["known_names"] = {"names": len(wellknown.names()), "reviewed": wellknown.reviewed()}
    data["suffix_list_digest"] = domains.suffix_list_digest()
    data["candidates"] = len(gathered.found)
    data["signals"] = dict(pairs.SIGNALS)
    data["writer_signals"] = dict(weighing.SIGNALS)
    data["second_names"] = dict(states.SECOND_NAME)
    data["inbound"] = any(gathered.heard)
    data["heard"] = [{"pairs": least, "share": share} for least, share in zip(pairs.STEPS, gathered.heard, strict=True)]
    data["levels"] = {"high": 0.95, "medium": 0.5, "low": 0.1}
    data["headline"] = list(earned.headline(earned.shipped()))
    data["earned"] = [{**asdict(one), "earned": one.earned} for one in earned.levels(earned.shipped())]
    data["sensitivity"] = sensitivity(table)
    return data


def sensitivity(table: pa.Table) -> list[dict[str, Any]]:
    """Findings per level if the prior odds were a tenth of, equal to, or ten times those used."""
    weights, priors = table.column("weight").to_pylist(), table.column("prior").to_pylist()
    rows = []
    for factor, shift in ((0.1, -1.0), (1.0, 0.0), (10.0, 1.0)):
        scores = [weighing.probability(p + shift + w) for p, w in zip(priors, weights, strict=True)]
        levels = [findings.level(s) for s in scores]
        rows.append({"prior_odds_times": factor, **{name: levels.count(name) for name in ("high", "medium", "low")}})
    return rows


def _silent(_what: str, _done: int, _total: int) -> None:
    """No progress wanted."""
