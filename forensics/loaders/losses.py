"""What the evidence says of records that are not in it: the logging daemon's own words, gaps in numbers, messages whose
beginning, end or recipients are missing.

Sources: rsyslog (imuxsock, imjournal: rate limits; action errors), systemd-journald (rate limits, rotation, boots),
syslog-ng, syslogd(8). What is said here is said by the log; what is missing nobody can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from forensics.loaders.base import LOSSES

KINDS = {
    "lost": "lost by the logging daemon, as it says itself",
    "begins to drop": "the logging daemon begins to drop records",
    "suppressed": "suppressed by the journal's rate limit",
    "missed": "missed between journal and syslog",
    "repeated": "repeated records, of which the log has one",
    "not written": "the logging daemon could not write",
    "logger stopped": "the logging daemon was stopped",
    "journal replaced": "a damaged journal was put aside",
    "journal vacuumed": "old journal files were removed",
    "journal begins": "the journal has nothing before this time",
    "reboot": "the machine was started anew",
    "runs on": "records whose text holds what looks like a further record",
    "sequence gap": "gaps in the records' own numbers",
    "recipients": "recipients of which the log has no delivery, though their message left the queue",
    "letters": "recipients whose domain holds a sign that stands for a letter which was lost",
    "begins outside": "messages whose beginning is not in the evidence",
    "ends outside": "messages whose end is not in the evidence",
    "shared id": "queue ids that two messages under one host's name had at once",
}
"""Every kind, and what it is."""
LOGGERS = (b"rsyslog", b"syslog", b"systemd-journal", b"journal")
"""How the names of logging daemons begin."""
_SAID = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("lost", r"\blost (\d+) messages?\b"),
        ("lost", r"\b(\d+) messages? (?:was|were )?(?:lost|discarded|dropped)\b"),
        ("begins to drop", r"\bbegins? to drop messages\b"),
        ("suppressed", r"\bSuppressed (\d+) messages?\b"),
        ("missed", r"\b[Mm]issed (\d+) (?:kernel )?messages?\b"),
        ("repeated", r"\b[Mm]essage (?:'.*' )?repeated (\d+) times"),
        ("not written", r"\bwrite error\b|could not be written|\bNo space left on device\b"),
        ("logger stopped", r"\bexiting on signal\b|\bsyslog-ng shutting down\b|\bJournal stopped\b"),
        ("journal replaced", r"corrupted or uncleanly shut down"),
        ("journal vacuumed", r"\bVacuuming done, freed [1-9]|\bDeleted (?:empty |archived )*journal\b"),
        ("journal begins", r"^-- (?:Logs begin|Journal begins) at "),
        ("reboot", r"^-- (?:Reboot|Boot [0-9a-f]{32}) --"),
    )
)


def said(text: str) -> tuple[str, int | None] | None:
    """(kind, how many) of what a line of the logging daemon says of missing records; None when it says nothing of
    them. How many is None where the line does not tell."""
    for kind, pattern in _SAID:
        if found := pattern.search(text):
            return kind, int(found[1]) if found.groups() and len(found[1]) < 19 else None
    return None


def rows(found: Iterable[Sequence[Any]]) -> pa.Table:
    """(kind, evidence, host, at, count, number, offset, text) rows as a table of `LOSSES`; texts are cut to 400
    characters."""
    columns = list(zip(*found, strict=True)) or [()] * len(LOSSES)
    columns[-1] = tuple(text[:400] for text in columns[-1])
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, LOSSES, strict=True)], schema=LOSSES)
