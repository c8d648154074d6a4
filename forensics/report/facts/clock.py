"""The 72 hours of GDPR Art. 33(1), and whether the block holds.

The clock starts when the controller became aware (EDPB 9/2022, para. 31: a reasonable degree of certainty), which
only the controller can say. It is read at `as_of`, never at the time the report is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from forensics.report.facts import Clock, Containment, Finding, Number, tallies
from forensics.report.facts.incidents import utc
from forensics.report.facts.questionnaire import Questionnaire, moment
from forensics.store import rows

HOURS = 72


def clock(answers: Questionnaire, home: ZoneInfo, as_of: datetime | None, first: datetime | None = None) -> Clock:
    """What the answers say about time; nothing is assumed where they are silent. `first`: the first misdirected send.

    Hours are elapsed ones, across summer time as well.
    """
    aware = moment(answers.discovery.aware_at, home)
    notified = moment(answers.notification.notified_at, home)
    discovered = moment(answers.discovery.discovered_at, home)
    now = utc(as_of)
    deadline = aware + timedelta(hours=HOURS) if aware else None
    remaining = int((deadline - now).total_seconds()) if deadline and now else None
    disorder = _disorder(aware, discovered, notified, now, first)
    if deadline is None:
        state = "not-answered"
    elif {"notified-before-aware", "read-before-aware"} & set(disorder):
        state, remaining = "disordered", None
    elif notified is not None:
        state = "notified-in-time" if notified <= deadline else "notified-late"
    elif remaining is None:
        state = "deadline"
    else:
        state = "running" if remaining >= 0 else "passed"
    return Clock(
        state=state,
        discovered_at=discovered,
        aware_at=aware,
        deadline=deadline,
        as_of=now,
        remaining_seconds=remaining,
        notified_at=notified,
        disorder=disorder,
        discovered_how=answers.discovery.discovered_how,
        delay_reasons=answers.discovery.delay_reasons,
    )


def _disorder(
    aware: datetime | None,
    discovered: datetime | None,
    notified: datetime | None,
    read_at: datetime | None,
    first: datetime | None,
) -> tuple[str, ...]:
    """Which of these times stand in an order that cannot be."""
    orders = (
        ("notified-before-aware", notified, aware),
        ("read-before-aware", read_at, aware),
        ("read-before-notified", read_at, notified),
        ("aware-before-discovered", aware, discovered),
        ("aware-before-first", aware, first),
        ("discovered-before-first", discovered, first),
    )
    return tuple(key for key, earlier, later in orders if earlier and later and earlier < later)


def delayed(clock_facts: Clock) -> bool:
    """Reasons for delay are now owed (Art. 33(1), last sentence)."""
    return clock_facts.state in ("passed", "notified-late")


def containment(
    connection: Any, findings: Sequence[Finding], blocked_at: datetime | None, logs_end: datetime | None
) -> Containment:
    """Whether the logs show a delivery after the block that was accepted, handed on, or refused only when it had been
    sent. `logs_end`: last time in the evidence.

    By the standard of public statements: a confirmed delivery breaks it, a suspected one leaves it open.
    """
    head = tallies.headline(findings)
    accepted = [f for f in head if f.exposure in tallies.ACCEPTED]
    after = [f for f in head if blocked_at is not None and _settled(f) > blocked_at]
    accepted_after = [f for f in after if _left(f)]
    broken = [f for f in accepted_after if f.state == "confirmed"]
    held = (f for f in findings if f.state == "review" and _left(f))
    if blocked_at is None:
        state = "not-answered"
        legitimate = Number(0)
    else:
        query = (
            "SELECT count(*) FROM deliveries WHERE direction = 'outbound' "
            f"AND submitted_at > TIMESTAMPTZ '{blocked_at.isoformat()}'"
        )
        rest = rows(connection, query)[0]
        legitimate = Number(next(iter(rest.values())) - sum(f.submitted_at > blocked_at for f in head), None, query)
        if accepted_after:
            state = "broken" if broken else "unreviewed"
        else:
            state = "holds" if logs_end is not None and logs_end > blocked_at else "not-covered"
    return Containment(
        state=state,
        blocked_at=blocked_at,
        last_accepted=accepted[-1].submitted_at if accepted else None,
        logs_end=logs_end,
        accepted_after=tallies.number(broken),
        suspected_after=tallies.number(f for f in accepted_after if f.state == "suspected"),
        review_after=tallies.number(f for f in held if blocked_at is not None and _settled(f) > blocked_at),
        refused_after=tallies.number(f for f in after if not _left(f)),
        unknown_after=tallies.number(filter(tallies.may_have_been, after)),
        legitimate_after=legitimate,
    )


def _left(finding: Finding) -> bool:
    """Whether a block would have stopped it and did not: somebody outside was sent it."""
    return finding.exposure in tallies.LEFT or tallies.was_sent(finding)


def _settled(finding: Finding) -> datetime:
    return finding.resolved_at or finding.submitted_at
