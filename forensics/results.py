"""What each stage came to: the numbers that commands print, read back from the case."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import directions, errors, headline, schema
from forensics.case import Case
from forensics.unread import NotRead, UnreadReason, few

if TYPE_CHECKING:
    from forensics.custody.manifest import Manifest

__all__ = ["Detected", "Ingested", "NotRead", "Reported", "Run", "UnreadReason"]

MOST_REASONS = 12
MOST_NAMES = 3
MOST_ALIKE = 3
"""Of what was not read, and of notes that differ in numbers alone, printed for people; `--json` and manifest.json have
all of it."""


@dataclass(frozen=True)
class Ingested:
    """records = used + ignored + unread, over all evidence of the case; duplicates are among the ignored."""

    case: Path
    evidence: int
    already: int
    records: int
    used: int
    ignored: int
    duplicates: int
    unread: int
    deliveries: int
    first: datetime | None
    last: datetime | None
    """Of all records; of deliveries: `first_delivery`, `last_delivery`."""
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    first_delivery: datetime | None
    last_delivery: datetime | None
    organisation: tuple[str, ...]
    """Domains in force."""
    unseen_domains: tuple[str, ...]
    """Domains given as the organisation's that no sender or recipient has: not kept."""
    not_read: NotRead
    losses: tuple[Mapping[str, Any], ...]
    """What the logs themselves show to be missing, by file and kind: file, kind, records, count, first, last."""
    read_again: tuple[str, ...] = ()
    """Evidence that the case had and that was read again: new evidence bears on it, or what was kept of it is gone."""
    resumed: int = 0
    """Bytes of content that needed no reading, since an ingest that was cut short had read them."""
    moved: tuple[tuple[str, str], ...] = ()
    """(path before, path now) of evidence that the case had and that lies elsewhere now: found by its content."""
    unmatched: tuple[str, ...] = ()
    """What entries of `[[sources]]` in case.toml call evidence, where none of the case is called so."""

    @property
    def exit_code(self) -> int:
        return self.not_read.exit_code


@dataclass(frozen=True)
class Detected:
    """`findings` and `messages` count the levels that the evaluation earned (`headline`), `kept_for_review` all others;
    `not_measured` those of them of level medium or above. Where `scored` is nought, nothing was weighed: no finding
    then, and no all-clear either."""

    case: Path
    verdict: str
    scored: int
    findings: int
    messages: int
    exposed: int
    handed_on: int
    not_exposed: int
    unsettled: int
    content_sent: int
    """Of these two: sent to a server, in whole or in part, before it refused or the connection broke."""
    stage_unknown: int
    """Of these two: whether anything had been sent is not known."""
    kept_for_review: int
    not_measured: int
    headline: tuple[str, ...]
    """Levels that count."""
    contested: int
    """Domains that look like a slip, and write back."""
    impersonating: int
    """Lookalikes that write from a partner's local parts."""
    no_such_domain: int
    """Domains that do not exist and resemble none: probably mistyped, the domain meant unknown."""
    first: datetime | None
    last: datetime | None
    incidents: tuple[Mapping[str, Any], ...]
    organisation: tuple[str, ...]
    """Domains in force."""
    covering: Mapping[str, tuple[str, ...]]
    """Public suffixes that case.toml names where single domains are meant, by key: what they cover is not weighed."""
    unseen_domains: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    not_read: NotRead

    @property
    def suspects(self) -> int:
        """Findings of level medium and above, counted or not."""
        return self.findings + self.not_measured

    @property
    def exit_code(self) -> int:
        return self.not_read.exit_code or (errors.OK if self.scored else errors.NOTHING_WEIGHED)


@dataclass(frozen=True)
class Reported:
    case: Path
    files: tuple[Path, ...]
    answered: int
    required: int
    notes: tuple[str, ...]
    unknown: int = 0
    """Of the answered items: answered by `unknown`."""


@dataclass(frozen=True)
class Run:
    ingested: Ingested
    detected: Detected
    reported: Reported

    @property
    def exit_code(self) -> int:
        return self.detected.exit_code


def ingested(
    case: Case,
    inventory: Manifest,
    already: int,
    skipped: Sequence[tuple[str, str]],
    unseen: Sequence[str] = (),
) -> Ingested:
    """What the case holds now. `already`: files named that it held before; `skipped`: those named now and not read."""
    from forensics import casefile as case_files
    from forensics import store
    from forensics.custody import told

    entries = inventory.evidence
    ends = [datetime.fromisoformat(t) for one in entries for t in (one.first, one.last) if t]
    with store.connect(case, directed=False) as connection:
        span = store.rows(connection, "select min(submitted_at) first, max(submitted_at) last from deliveries")[0]
        not_read = _not_read(connection, inventory)
    return Ingested(
        case=case.folder, evidence=len(entries), already=already,
        records=sum(one.records for one in entries), used=sum(one.used for one in entries),
        ignored=sum(sum(one.ignored.values()) for one in entries),
        duplicates=sum(one.duplicates for one in entries), unread=sum(one.unread for one in entries),
        deliveries=next((table.rows for table in inventory.tables if table.name == "deliveries"), 0),
        first=min(ends, default=None), last=max(ends, default=None), skipped=tuple(skipped), notes=_notes(inventory),
        first_delivery=span["first"], last_delivery=span["last"],
        organisation=case_files.read(case).organisation.domains, unseen_domains=tuple(unseen), not_read=not_read,
        losses=_losses(inventory), unmatched=tuple(told.unmatched(inventory)),
    )  # fmt: skip


def not_read(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """What was not read, for people: each reason once, the commonest first, with how many files and some of their
    names.

    >>> not_read([("a.pst", "Outlook data file"), ("b.pst", "Outlook data file"), ("c", "empty")])
    ['a.pst, b.pst (2 files): Outlook data file', 'c: empty']
    """
    names: dict[str, list[str]] = {}
    for name, reason in sorted(set(skipped)):
        names.setdefault(reason, []).append(name)
    ordered = sorted(names.items(), key=lambda one: (-len(one[1]), one[1]))
    lines = []
    for reason, files in ordered[:MOST_REASONS]:
        more = f" and {len(files) - MOST_NAMES:,} more" if len(files) > MOST_NAMES else ""
        several = f" ({len(files):,} files)" if len(files) > 1 else ""
        lines.append(f"{', '.join(files[:MOST_NAMES])}{more}{several}: {reason}")
    rest = ordered[MOST_REASONS:]
    if rest:
        lines.append(f"{sum(len(files) for _, files in rest):,} more files, for {len(rest):,} other reasons")
    return lines


def noted(notes: Sequence[str]) -> list[str]:
    """`Ingested.notes` for people: of those that say the same of many files, but for numbers, the first ones.

    >>> noted([f"mail.{n}: {n} messages end outside" for n in range(5, 10)])[2:]
    ['mail.7: 7 messages end outside', 'and 2 more such notes, with other numbers or times: manifest.json has them all']
    """
    alike: dict[str, list[str]] = {}
    for note in notes:
        alike.setdefault(_NUMBER.sub("0", note.partition(": ")[2] or note), []).append(note)
    lines = []
    for found in alike.values():
        lines += found[:MOST_ALIKE]
        rest = found[MOST_ALIKE:]
        many = f"and {len(rest):,} more such notes, with other numbers or times: manifest.json has them all"
        lines += rest if len(rest) < 2 else [many]
    return lines


_NUMBER = re.compile(r"\d[\d,.:-]*")


def detected(case: Case) -> Detected:
    """What the case's findings come to, and the verdict in one sentence."""
    from forensics import casefile as case_files
    from forensics import store, verdict
    from forensics.custody import manifest, parameters
    from forensics.detector import zones

    casefile = case_files.read(case)
    own, covering = casefile.organisation.domains, zones.covering(casefile)._asdict()
    inventory = manifest.read(case)
    told = parameters.read(case)
    counting = headline.told(told)
    counts = headline.sql(counting)
    since, until = (_moment(inventory.settings.get(name)) for name in ("since", "until"))
    with store.connect(case, own) as connection:
        counted = store.rows(
            connection,
            f"""select count(*) findings,
            count(distinct {schema.MESSAGE.format("d")}) messages,
            count(*) filter (f.exposure = 'exposed') exposed,
            count(*) filter (f.exposure = 'handed-on') handed_on,
            count(*) filter (f.exposure = 'not-exposed') not_exposed,
            count(*) filter (f.exposure = 'unsettled') unsettled,
            min(d.submitted_at) first, max(d.submitted_at) last
            from findings f join deliveries d using (delivery_id) where f.level in {counts}""",
        )[0]
        counted |= _stages(connection, inventory, counts)
        apart = store.rows(
            connection,
            f"""select count(*) kept_for_review, count(*) filter (level <> 'low') not_measured
            from findings where level not in {counts}""",
        )[0]
        weighed = directions.weighed_sql(since, until)
        scored = store.rows(connection, f"select count(*) n from deliveries where {weighed}")[0]["n"]
        contested = store.rows(
            connection,
            """select count(distinct observed_domain) n from findings
            where contested or (score < 0.95 and score_without_theirs >= 0.95)""",
        )[0]["n"]
        incidents = store.rows(
            connection,
            f"""select observed_domain, intended_domain, slip, story, messages, recipients, senders, exposed,
            not_exposed, first_seen, last_seen, score
            from incidents where incident_id in (select incident_id from findings where level in {counts})
            order by messages desc, observed_domain, intended_domain""",
        )
        heard = bool(store.rows(connection, "select 1 from deliveries where direction = 'inbound' limit 1"))
        not_read = _not_read(connection, inventory)
        unseen = inventory.unseen_domains
        if scored:
            said = verdict.found(counted | apart, scored)
        else:
            said = "nothing was weighed: " + verdict.nothing_weighed(connection, own, unseen, since, until, not_read)
        if scored and not heard:
            said = f"{said} {verdict.UNHEARD}"
    return Detected(
        case.folder, " ".join([said, *not_read.sentences]), scored, headline=counting, incidents=tuple(incidents),
        organisation=own, covering=covering,
        unseen_domains=unseen, since=since, until=until, not_read=not_read, contested=contested,
        impersonating=len(told.get("impersonation", ())), no_such_domain=len(told.get("undeliverable", ())),
        **counted, **apart,
    )  # fmt: skip


def _stages(connection: Any, inventory: Manifest, counts: str) -> dict[str, int]:
    """How many of the counted findings that nobody accepted had been sent, and of how many that is not known."""
    from forensics import sent, store

    read_by = {one.id: one.loader for one in inventory.evidence}
    told = [
        sent.of(row, read_by)
        for row in store.rows(
            connection,
            f"""select d.outcome::varchar outcome, d.response, d.attempts, d.records
            from findings f join deliveries d using (delivery_id)
            where f.level in {counts} and f.exposure in ('not-exposed', 'unsettled')""",
        )
    ]
    return {"content_sent": told.count(True), "stage_unknown": told.count(None)}


def _notes(inventory: Manifest) -> tuple[str, ...]:
    """Damage, how years were found for stamps that have none, and what loaders noted; alike ones together."""
    from forensics.custody import notes

    damage = [f"{one.names[0]}: {one.damage}" for one in inventory.evidence if one.damage]
    found = [one.notes["year"] for one in inventory.evidence if one.notes.get("year")]
    years = Counter((year["first"], str(year["by"]).partition(" (")[0]) for year in found)
    years_from = [
        f"stamps without a year: {number} of the files from {year}, by {how}" for (year, how), number in years.items()
    ]
    annexes = [
        f"annex {one['name']}: answers to lookups, asked until {one['asked'][:10]}; no evidence of mail"
        for one in inventory.settings.get("annexes", ())
    ]
    told: dict[str, list[str]] = {}
    for one in inventory.evidence:
        for sentence in notes.noted(one.notes):
            told.setdefault(sentence, []).append(one.names[0])
    noted = [f"{few(names, 1)}: {sentence}" for sentence, names in told.items()]
    return (*damage, *sorted(years_from), *noted, *annexes)


def _losses(inventory: Manifest) -> tuple[Mapping[str, Any], ...]:
    from dataclasses import asdict

    from forensics.custody import notes

    return tuple(
        {"file": one.names[0], **asdict(total)} for one in inventory.evidence for total in notes.loss_totals(one.notes)
    )


def _not_read(connection: Any, inventory: Manifest) -> NotRead:
    from forensics import unread

    return unread.not_read(connection, inventory.evidence, len({one.name for one in inventory.skipped}))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def score(value: float) -> str:
    """Two decimals, but never certainty.

    >>> score(0.9999), score(0.104)
    ('over 0.99', '0.10')
    """
    return "over 0.99" if value > 0.99 else f"{value:.2f}"
