"""The findings in the Elastic Common Schema, one JSON object a line.

Fields of ECS 8.12 (generated/csv/fields.csv of elastic/ecs): `email.*` and `event.*`, what ECS has no field for under
`labels`. The address of the sender is the envelope's (`email.sender.address`); no log shows the header `From:`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.formats.events import message, records, stage
from forensics.report.text.context import Context
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words

VERSION = "8.12.0"

_OUTCOMES = {"exposed": "success", "handed-on": "success", "not-exposed": "failure"}
"""Of the sending, as its server saw it; what is not settled is unknown."""


_ACTIONS = {"review": "delivery-held-for-review", "dismissed": "delivery-dismissed"}
_TAGS = {"review": "not-counted", "dismissed": "not-misdirected"}
"""Of what no headline number holds. Where a person ruled that mail was meant as sent, no rule of another program may
take it for misdirected by its tag, its action or its score; the score stays in the message."""


def render(facts: f.Facts, context: Context) -> bytes:
    """Every finding, in order of time, whatever its state (`labels.state`)."""
    lines = (json.dumps(_pruned(_event(x, context.words)), ensure_ascii=True) for x in facts.findings)
    return "".join(line + "\n" for line in lines).encode("ascii")


def _event(x: f.Finding, words: Words) -> dict[str, Any]:
    left = x.exposure in tallies.LEFT
    return {
        "@timestamp": _time(x.submitted_at),
        "ecs": {"version": VERSION},
        "message": visible(message("submitted", x, words)),
        "tags": [_TAGS.get(x.state, "misdirected"), x.state],
        "event": {
            "kind": "event",
            "category": ["email"],
            "type": ["info"],
            "action": _ACTIONS.get(x.state, "misdirected-delivery"),
            "module": "missent",
            "dataset": "missent.findings",
            "id": x.delivery_id,
            "outcome": _OUTCOMES.get(x.exposure, "unknown"),
            "reason": x.response,
            "risk_score": None if x.state == "dismissed" else x.score,
            "start": _time(x.submitted_at),
            "end": _time(x.resolved_at),
        },
        "email": {
            "direction": "outbound",
            "sender": {"address": x.sender},
            "to": {"address": [x.recipient]},
            "subject": x.subject,
            "message_id": x.message_id,
            "local_id": x.queue_id,
            "delivery_timestamp": _time(x.resolved_at) if left else None,
        },
        "host": {"name": x.host},
        "labels": {
            "finding": x.ref,
            "incident": x.incident,
            "state": x.state,
            "level": x.level,
            "exposure": x.exposure,
            "outcome": x.outcome,
            "content_sent": stage(x),
            "origin": x.origin,
            "slip": x.slip.kind,
            "observed_domain": x.slip.typed,
            "intended_domain": x.slip.meant,
            "intended_address": x.intended_address,
            "status_code": x.status_code,
            "relay_name": x.relay_name,
            "relay_address": x.relay_address,
            "records": records(x),
        },
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _pruned(value: dict[str, Any]) -> dict[str, Any]:
    """Without what the evidence does not say."""
    kept = {key: _pruned(one) if isinstance(one, dict) else one for key, one in value.items()}
    return {key: one for key, one in kept.items() if one not in (None, "", {})}
