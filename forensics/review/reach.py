"""How far a pair reaches: its messages, people and outcomes, over all of the findings that a ruling on it is on.

The incidents of a case count of a pair what its headline levels count; a reviewer rules on the others as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from forensics import domains


def reach(findings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Counts of findings that have message (any value that names it), sender, recipient, exposure and
    content_sent (`forensics.sent`).

    messages, senders, recipients; exposed (accepted by a server of the typed domain), handed_on (final acceptance
    unknown), not_exposed (refused, not delivered or not settled), content_sent (of the last: sent to the server in
    whole or in part all the same).
    """
    by = Counter(row["exposure"] for row in findings)
    return {
        "messages": len({row["message"] for row in findings}),
        "senders": len({domains.key(row["sender"] or "") for row in findings}),
        "recipients": len({domains.key(row["recipient"] or "") for row in findings}),
        "exposed": by["exposed"],
        "handed_on": by["handed-on"],
        "not_exposed": by["not-exposed"] + by["unsettled"],
        "content_sent": sum(
            row["exposure"] in ("not-exposed", "unsettled") and row["content_sent"] is True for row in findings
        ),
    }
