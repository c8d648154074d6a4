"""What a detection came to, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from forensics import directions, store
from forensics.unread import NotRead, days


def nothing_weighed(
    connection: Any,
    own: Sequence[str],
    unseen: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    not_read: NotRead,
) -> str:
    """Not an all-clear. What people can mend is named: the logs, the period, or the organisation's domain."""
    ours, weighed = ", ".join(own), directions.weighed_sql()
    total = store.rows(
        connection,
        f"""select count(*) n, count(*) filter ({weighed}) outbound,
        min(submitted_at) filter ({weighed}) first, max(submitted_at) filter ({weighed}) last,
        count(*) filter (direction = 'inbound') inbound, count(*) filter (direction = 'internal') internal
        from deliveries""",
    )[0]
    if not total["n"]:
        return "no record could be read." if not_read.all else "these logs show no delivery at all."
    if total["outbound"]:
        return (
            f"no delivery left {ours} {_asked(since, until)}; "
            f"those in these logs are of {days(total['first'], total['last'])}."
        )
    named = (*own, *(one for one in unseen if one not in own))
    seen, _ = store.mentioned(connection, named)
    common = store.rows(
        connection,
        "select sender_domain from deliveries where sender_domain <> '' group by 1 order by count(*) desc, 1 limit 5",
    )
    names = ", ".join(row["sender_domain"] for row in common) or "none"
    hint = f"Most mail in these logs is from {names}; if one of them is the organisation's, give it with --org."
    if not seen:
        return f"no sender or recipient in these logs is of {', '.join(named)}. {hint}"
    others = f"{total['inbound']:,} came in, {total['internal']:,} stayed within"
    return f"no delivery left {ours} for another domain ({others}). {hint}"


def _asked(since: datetime | None, until: datetime | None) -> str:
    """The period that options named, in their words.

    >>> _asked(datetime(2030, 1, 1), None)
    'from 2030-01-01 on (--since)'
    """

    def name(at: datetime) -> str:
        return f"{at:%Y-%m-%d}" if at.time() == at.min.time() else f"{at:%Y-%m-%d %H:%M} UTC"

    if since and until:
        return f"from {name(since)} until before {name(until)} (--since, --until)"
    return f"from {name(since)} on (--since)" if since else f"before {name(until)} (--until)" if until else ""


UNHEARD = (
    "No mail from outside to the organisation is in evidence: that a domain never wrote could not be weighed, "
    "and correspondents who answer could not be told by it."
)


def found(counted: Mapping[str, Any], scored: int) -> str:
    more = _not_measured(counted["not_measured"])
    if not counted["findings"]:
        seen = "counted" if more else "found"
        return f"no delivery to a lookalike of a known domain was {seen} among {scored:,} outbound deliveries{more}."
    plural = "delivery" if counted["findings"] == 1 else "deliveries"
    handed = f", {counted['handed_on']:,} handed on (final acceptance unknown)" if counted["handed_on"] else ""
    settled = f"{counted['exposed']:,} accepted by the server there{handed}, "
    settled += f"{counted['not_exposed']:,} refused or not delivered"
    open_ones = f", {counted['unsettled']:,} unsettled" if counted["unsettled"] else ""
    messages = "1 message" if counted["messages"] == 1 else f"{counted['messages']:,} messages"
    verb = "is" if counted["findings"] == 1 else "are"
    whose = "its" if counted["findings"] == 1 else "their"
    what = f"{counted['findings']:,} {plural} in {messages} {verb} held to have gone to a lookalike of the domain "
    what += f"{whose} sender meant"
    return f"{what}: {settled}{open_ones}{_sent(counted['content_sent'], counted['stage_unknown'])}{more}."


def _sent(sent: int, unknown: int) -> str:
    """
    >>> _sent(2, 1)
    ' (2 of those not accepted had been sent to the server, in whole or in part; of 1 it is not known)'
    >>> _sent(0, 3)
    ' (of 3 of those not accepted it is not known whether anything had been sent)'
    """
    if not sent:
        said = f" (of {unknown:,} of those not accepted it is not known whether anything had been sent)"
        return said if unknown else ""
    rest = f"; of {unknown:,} it is not known" if unknown else ""
    return f" ({sent:,} of those not accepted had been sent to the server, in whole or in part{rest})"


def _not_measured(findings: int) -> str:
    """
    >>> _not_measured(2)
    '; 2 more may have, of a level too rarely measured to be counted, and are kept for review'
    """
    if not findings:
        return ""
    verb = "is" if findings == 1 else "are"
    return f"; {findings:,} more may have, of a level too rarely measured to be counted, and {verb} kept for review"
