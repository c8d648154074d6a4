"""What the desk shows of a case: every pair with its findings, read once and again only when the case has changed.

All is kept in memory, because a key has to be answered at once: 10,000 findings with their records take about 100 MB.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forensics import casefile, domains, sent, store
from forensics.case import Case, undetected
from forensics.custody import manifest
from forensics.review import verdicts
from forensics.review.reach import reach
from forensics.rulings import Verdict
from forensics.schema import LEVELS
from forensics.store import rows

DAY = 86_400_000_000
"""Microseconds."""

_MESSAGE = "system, host, queue_id, network_message_id, submitted_at"
_FINDINGS = f"""
SELECT f.* REPLACE (f.slip::VARCHAR AS slip, f.level::VARCHAR AS level, f.exposure::VARCHAR AS exposure,
                    f.origin::VARCHAR AS origin),
       epoch_us(d.submitted_at) AS "at", d.sender, d.recipient, d.original_recipient, d.subject,
       d.outcome::VARCHAR AS outcome, d.status_code, d.response, d.relay_name, d.relay_address,
       d.system::VARCHAR AS system, d.host::VARCHAR AS host, d.queue_id, d.message_id, d.authenticated_user,
       d.client_name, d.client_address, d.possible_duplicate_of, d.records, d.attempts,
       dense_rank() OVER (ORDER BY {", ".join("d." + name for name in _MESSAGE.split(", "))}) AS message
FROM findings f LEFT JOIN deliveries d USING (delivery_id)
ORDER BY d.submitted_at, f.delivery_id
"""
_COMPANY = f"""
WITH sent AS (
  SELECT {_MESSAGE}, min(f.delivery_id) AS finding
  FROM findings f JOIN deliveries d USING (delivery_id) GROUP BY ALL
)
SELECT sent.finding, d.delivery_id, d.recipient, d.outcome::VARCHAR AS outcome, d.direction
FROM sent JOIN deliveries d ON
  {" AND ".join(f"d.{name} IS NOT DISTINCT FROM sent.{name}" for name in _MESSAGE.split(", "))}
ORDER BY d.recipient, d.delivery_id
"""
"""Every recipient of the messages that findings belong to."""
_TRAFFIC = f"""
SELECT domain, day, sum(sent)::BIGINT AS sent, sum(received)::BIGINT AS received FROM (
  SELECT recipient_domain AS domain, epoch_us(submitted_at) // {DAY} AS day, 1 AS sent, 0 AS received
  FROM deliveries WHERE direction = 'outbound'
  UNION ALL
  SELECT sender_domain, epoch_us(submitted_at) // {DAY}, 0, 1 FROM deliveries WHERE direction = 'inbound'
) WHERE domain IN (SELECT observed_domain FROM incidents UNION SELECT intended_domain FROM incidents)
GROUP BY ALL
"""
_LOOKALIKES = """
SELECT typed, meant, words, slip, mixed, second, own FROM lookalikes
WHERE typed IN (SELECT observed_domain FROM incidents) ORDER BY slip + mixed DESC, meant
"""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """One incident. `findings`: mappings with the columns of `schema.FINDINGS` and of their delivery, by time."""

    id: str
    observed: str
    intended: str
    row: Row
    findings: tuple[Row, ...]
    lookalikes: tuple[Row, ...]

    @property
    def pair(self) -> tuple[str, str]:
        return self.observed, self.intended

    @property
    def level(self) -> str:
        """The highest of its findings."""
        return str(min((row["level"] for row in self.findings), key=LEVELS.index))

    @property
    def strongest(self) -> Row:
        return max(self.findings, key=lambda row: float(row["score"]))


@dataclass(frozen=True)
class Book:
    """A case as it stood when it was read. `state` is `verdicts.state`."""

    state: str
    detected: str
    pairs: tuple[Pair, ...]
    by_id: Mapping[str, Pair]
    findings: Mapping[str, Row]
    counts: Mapping[str, int]
    """Findings by level and by exposure."""
    verdicts: tuple[Verdict, ...]
    company: Mapping[int, tuple[Row, ...]]
    """Recipients of a message, by the findings' `message`."""
    traffic: Mapping[str, Mapping[int, tuple[int, int]]]
    """Domain → day since 1970 → (sent to it, received from it)."""
    days: tuple[int, int]
    """First and last day of the case's deliveries."""


def read(case: Case) -> Book:
    """Read the case. Raises CaseError before detection, VerificationFailed for tables that the case did not record."""
    if not case.findings.exists() or not case.incidents.exists():
        raise undetected(case)
    state = verdicts.state(case)
    inventory = manifest.read(case)
    manifest.intact(case, inventory, ("findings", "incidents", "lookalikes", "deliveries"))
    organisation = casefile.read(case).organisation.domains
    read_by = {one.id: one.loader for one in inventory.evidence}
    with store.connect(case, organisation) as connection:
        found = [row | {"content_sent": sent.of(row, read_by)} for row in rows(connection, _FINDINGS)]
        listed = rows(connection, "SELECT * FROM incidents")
        company = rows(connection, _COMPANY)
        traffic = rows(connection, _TRAFFIC)
        alike = rows(connection, _LOOKALIKES)
        span = rows(
            connection,
            f"SELECT epoch_us(min(submitted_at)) // {DAY} a, epoch_us(max(submitted_at)) // {DAY} b FROM deliveries",
        )[0]
    pairs = _pairs(listed, found, alike)
    message = {row["delivery_id"]: row["message"] for row in found}
    together: dict[int, list[Row]] = defaultdict(list)
    for row in company:
        together[message[row["finding"]]].append(row)
    counted: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    for row in traffic:
        counted[row["domain"]][row["day"]] = (row["sent"], row["received"])
    return Book(
        state,
        inventory.detection_digest,
        pairs,
        {one.id: one for one in pairs},
        {row["delivery_id"]: row for row in found},
        Counter(row[name] for row in found for name in ("level", "exposure")),
        verdicts.read(case),
        {key: tuple(rows) for key, rows in together.items()},
        counted,
        (span["a"] or 0, span["b"] or 0),
    )


def _pairs(listed: Sequence[Row], found: Sequence[Row], alike: Sequence[Row]) -> tuple[Pair, ...]:
    """Most exposed first, as the list of `missent review --export` has them; counts are of all findings of a pair."""
    own: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        own[row["incident_id"]].append(row)
    named: dict[str, list[Row]] = defaultdict(list)
    for row in alike:
        named[row["typed"]].append(row)
    ordered = sorted(
        (row for row in listed if row["incident_id"] in own),
        key=lambda row: (-row["exposed"], -row["messages"], row["observed_domain"], row["intended_domain"]),
    )
    return tuple(
        Pair(
            row["incident_id"],
            row["observed_domain"],
            row["intended_domain"],
            {**row, **reach(own[row["incident_id"]])},
            tuple(own[row["incident_id"]]),
            tuple(named[row["observed_domain"]]),
        )
        for row in ordered
    )


def moment(at: int | None) -> str:
    """`2023-03-20 08:15:00`, UTC, of microseconds since 1970."""
    return "" if at is None else f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def day(number: int) -> str:
    """`2023-03-20` of days since 1970."""
    return f"{datetime.fromtimestamp(number * DAY // 1_000_000, UTC):%Y-%m-%d}"


def shown(domain: str) -> str:
    """A domain as a person typed it."""
    return domains.u_label(domain)


class Shelf:
    """The newest book of a case; read anew when a file that it stands on was exchanged."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._marks: tuple[object, ...] = ()
        self._book: Book | None = None

    def book(self) -> Book:
        """Call it under a lock: reading takes a while."""
        marks = self._seen()
        if self._book is None or marks != self._marks:
            self._book = self._again() or read(self.case)
            self._marks = marks
        return self._book

    def _again(self) -> Book | None:
        """The book with new verdicts, where nothing else has changed."""
        before = self._book
        if before is None or self._marks[1:] != self._seen()[1:]:
            return None
        from dataclasses import replace

        return replace(before, state=verdicts.state(self.case), verdicts=verdicts.read(self.case))

    def _seen(self) -> tuple[object, ...]:
        paths = (self.case.verdicts, self.case.findings, self.case.incidents, self.case.toml, self.case.lookalikes)
        return tuple(_mark(path) for path in paths)


def _mark(path: Any) -> object:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
