"""Gathers `Facts`: the only place where a report's numbers are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics.casefile import CaseFile
from forensics.headline import COUNTING
from forensics.lookups import Lookup
from forensics.report.facts import (
    Custody,
    Evidence,
    Facts,
    Header,
    Method,
    Skipped,
    asked,
    beside,
    clock,
    content,
    coverage,
    destinations,
    incidents,
    questionnaire,
    regimes,
    silence,
    statements,
    tallies,
)
from forensics.rulings import Verdict

LANGUAGE = "en-GB"


def unmeasured() -> Method:
    """A method annex without any measurement."""
    return Method(
        version="",
        settings_digest="",
        suffix_list_digest="",
        libraries=(),
        parameters=(),
        rates=(),
        reliability=(),
        evaluated_on="",
    )


@dataclass(frozen=True)
class Inputs:
    """Everything a report is made from, beside the tables.

    `evidence` in the order of the manifest; `id` of each is known by `evidence_ids` (evidence id → `E1`).
    """

    casefile: CaseFile
    evidence: Sequence[Evidence] = ()
    evidence_ids: dict[str, str] = field(default_factory=dict)
    method: Method = field(default_factory=unmeasured)
    verdicts: Sequence[Verdict] = ()
    as_of: datetime | None = None
    case_state: str = ""
    tables_digest: str = ""
    verify: str = ""
    asked: tuple[datetime | None, datetime | None] = (None, None)
    """[since, until) of the detection."""
    skipped: Sequence[Skipped] = ()
    unseen_domains: Sequence[str] = ()
    custody: Custody = field(default_factory=Custody)
    worksheet: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Delivery id → what a person wrote of its message."""
    headline: Sequence[str] = COUNTING
    """Levels that count without a ruling."""
    signs: beside.Told = field(default_factory=beside.Told)
    """What detection.json says beside the findings."""
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    """What an investigator was answered, by domain."""


def gather(connection: Any, inputs: Inputs, language: str = LANGUAGE, templates: Path | None = None) -> Facts:
    """The facts of the full edition.

    `connection`: DuckDB with the views deliveries (with `direction`), unread, findings, incidents. `templates`: the
    user's own, whose regimes come before ours.
    """
    casefile = inputs.casefile
    answers = questionnaire.read(casefile)
    home = questionnaire.zone(casefile)
    read_by = {one.ref: one.loader for one in inputs.evidence}
    findings, orphaned = incidents.read(connection, inputs.verdicts, inputs.evidence_ids, inputs.headline, read_by)
    pairs = incidents.incidents(connection, findings)
    head = tallies.headline(findings)
    sent = [finding.submitted_at for finding in head]
    clock_facts = clock.clock(answers, home, inputs.as_of, min(sent, default=None))
    searched = coverage.coverage(
        connection,
        casefile,
        inputs.evidence,
        inputs.asked,
        found=(min(sent), max(sent)) if sent else None,
        ids=inputs.evidence_ids,
        skipped=inputs.skipped,
        unseen=inputs.unseen_domains,
    )
    running = silence.running(connection, inputs.evidence, inputs.evidence_ids)
    grounds = statements.Grounds(searched, running, answers.supplied)
    operators = {o.suffix.removeprefix(".").lower(): (o.then, o.now) for o in answers.operators if o.suffix}
    return Facts(
        header=Header(
            edition="full",
            found=bool(head),
            organisation=casefile.organisation.name,
            domains=casefile.organisation.domains,
            timezone=casefile.organisation.timezone,
            title=answers.report.title or "",
            reference=answers.report.reference,
            handling=answers.report.handling,
            status=answers.report.status,
            author=answers.report.author,
            qualification=answers.report.qualification,
            as_of=clock_facts.as_of,
            version=inputs.method.version,
            case_state=inputs.case_state,
            tables_digest=inputs.tables_digest,
            verify=inputs.verify,
        ),
        groups=tallies.groups(findings),
        clock=clock_facts,
        regimes=regimes.gather(answers, home, clock_facts.as_of, templates),
        containment=clock.containment(
            connection, findings, questionnaire.moment(answers.measures.blocked_at, home), searched.last
        ),
        stories=incidents.stories(findings, pairs),
        incidents=pairs,
        findings=findings,
        repeat_senders=tuple(p for p in tallies.persons(tallies.own(head)) if p.deliveries.value > 1),
        content=content.gather(findings, answers, inputs.worksheet),
        places=destinations.where(connection, findings, casefile.domains.jurisdictions_of_concern, operators, language),
        holders=destinations.holders(findings, answers.operators),
        days=coverage.days(connection, findings),
        flows=tallies.flows(findings),
        statements=statements.check(answers.statements, findings, grounds, home),
        questionnaire=questionnaire.gather(answers, home, delayed=clock.delayed(clock_facts)),
        coverage=searched,
        evidence=tuple(inputs.evidence),
        method=inputs.method,
        custody=inputs.custody,
        orphaned=orphaned,
        beside=beside.read(connection, findings, inputs.signs),
        looked=asked.about(inputs.lookups, incidents.observed(connection)),
    )
