"""The queue ids that a record shows, read from its text alone: independent of the scanner, whose work they check."""

from __future__ import annotations

import re

_OWN = re.compile(r": ([0-9a-z]{5,20}): ")
_NEXT = re.compile(r"queued as ([0-9a-z]{5,20})\b")


def shown(text: str) -> tuple[str, ...]:
    """Queue ids that a Postfix record (lower case) names: its own and the next one's."""
    return tuple(sorted({match[1] for pattern in (_OWN, _NEXT) if (match := pattern.search(text))}))
