"""Is this a Postfix log? Judged by a few lines of content, in plain Python: it runs on every file of a folder."""

from __future__ import annotations

import re

_STAMP = (
    rb"(?:<\d{1,3}>)?(?:[^|\n]{1,60} \| )?(?:1 )?"
    rb"(?:(?:\d{4} )?(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d"
    rb"|(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d{9,11}\.\d{1,9} )"
)
_SYSLOG = re.compile(rb"^" + _STAMP + rb"[^\n]*$", re.M)
_WORDS = rb"[\d.,]*(?:Z|[+-]\d\d:?\d\d)?:? +(?:[\w.:<>\[\]%@/+-]+ +){0,12}?"
"""What may stand between stamp and program: the rest of the stamp, hosts, other stamps, priorities. Outsiders' words
come later: behind the program in syslog, behind a comma in a table, behind `=`, `(` or an address in Exim's log."""
_PROGRAM = (
    rb"(?:smtpd?|lmtp|qmgr|cleanup|pickup|bounce|local|virtual|pipe|error|postscreen|master|scache|anvil|tlsmgr"
    rb"|postfix-script|trivial-rewrite|verify|discard|relay|postsuper|dnsblog|tlsproxy|proxymap|nqmgr|oqmgr)"
)
_TAG = rb"(?:[\w.-]+/(?:[\w.-]+/)*" + _PROGRAM + rb"(?:\[\d+\])?[: ]|" + _PROGRAM + rb"\[\d+\]: )"
_POSTFIX = re.compile(rb"^" + _STAMP + _WORDS + _TAG, re.M)
"""A program's name behind that of Postfix (`syslog_name`), or with its number."""
_BARE = re.compile(
    rb"^"
    + _STAMP
    + rb"[^\n]{0,120}? postfix[\w-]{0,40}(?:\[\d+\]: | \S+ \S+ (?:-|\[[^\n]*?\]) ) *"
    + rb"(?:[0-9A-Za-z]{5,24}: (?:to=<|from=<|client=|message-id=|uid=|removed$)|NOQUEUE: )",
    re.M,
)
"""A tag without the daemon, as rsyslog's programname cuts it; then the text tells."""


def speaks_of_postfix(data: bytes) -> bool:
    """Whether any line is one of a Postfix program."""
    return bool(_POSTFIX.search(data) or _BARE.search(data))


def confidence(head: bytes) -> float:
    """0.99 for lines of Postfix programs, 0.6 for other syslog lines (all accounted for as ignored), else 0."""
    if _POSTFIX.search(head) and b"/" in head:
        return 0.99
    if _BARE.search(head):
        return 0.99
    lines = head.count(b"\n") or 1
    if b"\0" not in head and len(_SYSLOG.findall(head)) * 2 > lines:
        return 0.6
    return 0.0
