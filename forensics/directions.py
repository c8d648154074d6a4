"""Whose mail it is, as SQL: the direction of a delivery by the organisation's domains, and its own clients."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

_CLIENTS = """
CREATE TABLE {schema}.inside_clients AS
SELECT client_address FROM {source} WHERE client_address IS NOT NULL GROUP BY client_address
HAVING coalesce(bool_or({out} AND submission <> 'authenticated'), false)
    OR (coalesce(bool_or({out} OR submission = 'internal'), false) AND NOT coalesce(bool_or({strange}), false))
"""
"""Addresses that are the organisation's own: accepted mail came from them that went out without a login, for a server
takes such mail from those its rules allow; or mail went out after a login, or the world cannot reach them, and no
stranger's mail came from them, as it does from a proxy or a gateway."""


def views(schema: str, org: Collection[str]) -> tuple[str, str, str]:
    """SQL that makes, of a schema's `deliveries`, the table of clients in it and the view `deliveries` beside it."""
    source = f"{schema}.deliveries"
    inside, outside_recipient = _within("sender_domain", org), f"NOT {_own_recipient(org)}"
    out = f"({inside} AND {outside_recipient} AND {_ACCEPTED} AND NOT {_expanded(org)})"
    strange = (
        f"(coalesce(sender_domain, '') <> '' AND NOT {inside} AND {_own_recipient(org)} AND {_ACCEPTED} "
        "AND submission <> 'authenticated')"
    )
    return (
        f"DROP TABLE IF EXISTS {schema}.inside_clients",
        _CLIENTS.format(schema=schema, source=source, out=out, strange=strange).strip(),
        "CREATE OR REPLACE VIEW deliveries AS "
        f"SELECT * EXCLUDE (logged_submission), {_direction(org)} AS direction FROM ("
        "SELECT * REPLACE (CASE WHEN submission IN ('internal', 'outside') THEN CASE WHEN client_address IN "
        f"(SELECT client_address FROM {schema}.inside_clients) THEN 'internal' ELSE 'outside' END ELSE submission END "
        f"AS submission), submission AS logged_submission FROM {source})",
    )


def _within(column: str, org: Collection[str]) -> str:
    """SQL: a domain is one of these or below one."""
    tests = [f"{column} = '{d}' OR {column} LIKE '%.{d}'" for d in (x.replace("'", "''") for x in sorted(org))]
    return f"coalesce(({' OR '.join(tests)}), false)" if tests else "false"


def _own_recipient(org: Collection[str]) -> str:
    return f"({_within('recipient_domain', org)} OR recipient_domain = '')"


_ACCEPTED = (
    "NOT (outcome = 'rejected' OR (outcome IN ('deferred', 'discarded', 'held') AND queue_id IS NULL "
    "AND submission <> 'not-seen'))"
)
"""A refusal for now has no queue id, nor has what a restriction discards or holds (access(5)) before another refuses it
after all; where no client is seen, as in traces, there may be no ids at all."""
_DENIALS = ("relay access denied", "relay not permitted", "relaying denied", "unable to relay")
"""What servers say to those they do not know (Postfix; Exim; Sendmail; Exchange)."""


def _expanded(org: Collection[str]) -> str:
    """SQL: an address of the organisation's own was expanded or forwarded to the recipient."""
    domain = "lower(regexp_extract(original_recipient, '@([^@]*)$', 1))"
    return f"(original_recipient IS NOT NULL AND ({domain} = '' OR {_within(domain, org)}))"


def _direction(org: Collection[str]) -> str:
    """SQL for a delivery's direction by these domains.

    What a server accepted and sent on to an outside address is the organisation's: servers relay outwards only for
    those their rules allow. An address in `from=<…>` alone proves nothing: what a client without a login, of an address
    that is not the organisation's own, was refused, or what only the expansion of an inside address sent out, is
    `relayed`; what such a client sent inwards is inbound.
    """
    sender, recipient = _within("sender_domain", org), _own_recipient(org)
    unproved = f"(NOT {_ACCEPTED} OR {_expanded(org)}) AND submission = 'outside'"
    denied = " OR ".join(f"contains(lower(coalesce(response, '')), '{words}')" for words in _DENIALS)
    came_in = "submission = 'outside' AND logged_submission = 'outside'"
    return (
        f"CASE WHEN {sender} AND {recipient} THEN CASE WHEN {came_in} THEN 'inbound' ELSE 'internal' END "
        f"WHEN {sender} AND ({unproved} OR (NOT {_ACCEPTED} AND ({denied}))) THEN 'relayed' "
        f"WHEN {sender} THEN 'outbound' "
        f"WHEN {recipient} THEN 'inbound' ELSE 'relayed' END"
    )


def weighed_sql(since: datetime | None = None, until: datetime | None = None) -> str:
    """SQL for the deliveries that detection weighs: outbound, with a sender, submitted in [since, until)."""
    tests = ["direction = 'outbound'", "sender <> ''"]
    tests += [f"submitted_at {sign} TIMESTAMPTZ '{at.isoformat()}'" for sign, at in ((">=", since), ("<", until)) if at]
    return " AND ".join(tests)
