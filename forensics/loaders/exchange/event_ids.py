"""What every Exchange tracking event means for a delivery: one table, each row with its source.

`TABLE` is the whole knowledge; `lookup(event, source)` reads it. Effects are those of `native.exchange.codes`.
Sources of the rows:

- `EX2019`: Microsoft Learn, "Message tracking", Exchange Server 2016/2019, tables "Event types" and "Source values"
  (https://learn.microsoft.com/exchange/mail-flow/transport-logs/message-tracking).
- `EX2010`: Microsoft TechNet, "Understanding Message Tracking", Exchange 2010 (bb124375).
- `EX2007`: Microsoft TechNet, "Information Written to the Message Tracking Log", Exchange 2007 (cc539063).
- `rows`: undocumented; meaning read from real rows (`SENDEXTERNAL` is what "left the organisation" looks like since
  Exchange 2013; `RECIPIENTINFO` and `SETROUTE` stand in extended reports: MicrosoftDocs/OfficeDocs-o365seccomp,
  issue 937).

An event that is not in the table costs no record: it names recipients, decides nothing, and its word is kept (`OTHER`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from forensics.native.exchange.codes import (
    DEFER,
    DELIVER,
    DISCARD,
    DUPLICATE,
    ENTER,
    EXPIRE,
    FAIL,
    HOLD,
    INFO,
    OTHER,
    REFUSE,
    RELEASE,
    REPLACE,
    REPORT,
    SEND,
    SEND_OUT,
    TRACE_DELIVERED,
    TRACE_DISCARDED,
    TRACE_FAILED,
    TRACE_HELD,
    TRACE_PENDING,
    TRACE_REPLACED,
    TRACE_UNSETTLED,
)  # fmt: skip


class Meaning(NamedTuple):
    """One row: event id, source (`*` = any other), effect, what it says, where that is written."""

    event: str
    source: str
    effect: int
    says: str
    origin: str


TABLE: Final = (
    Meaning(
        "AGENTINFO",
        "*",
        INFO,
        "data logged by agents; a rule's or the spam agent's action=quarantine holds it",
        "EX2019",
    ),
    Meaning("BADMAIL", "*", DISCARD, "from Pickup or Replay: can be neither delivered nor returned", "EX2019"),
    Meaning("CLIENTSUBMISSION", "*", INFO, "submitted from the Outbox of a mailbox", "EX2019"),
    Meaning("DEFER", "*", DEFER, "delivery delayed", "EX2019"),
    Meaning("DELIVER", "*", DELIVER, "delivered to a local mailbox", "EX2019"),
    Meaning("DELIVERFAIL", "*", INFO, "an agent chose a folder that does not exist; delivery goes on", "EX2019"),
    Meaning("DROP", "*", DISCARD, "dropped without a delivery report", "EX2019"),
    Meaning("DSN", "*", REPORT, "a delivery status notification was generated; reference names the message", "EX2019"),
    Meaning("DUPLICATEDELIVER", "*", DUPLICATE, "the mailbox already had this message", "EX2019"),
    Meaning("DUPLICATEEXPAND", "*", INFO, "a list member already was a recipient", "EX2019"),
    Meaning("DUPLICATEREDIRECT", "*", INFO, "the alternate recipient already was a recipient", "EX2019"),
    Meaning("EXPAND", "*", REPLACE, "a distribution group was expanded", "EX2019"),
    Meaning("FAIL", "*", FAIL, "delivery failed; sources SMTP, DNS, QUEUE, ROUTING, AGENT", "EX2019"),
    Meaning("HADISCARD", "*", INFO, "a shadow copy was discarded after the primary was delivered", "EX2019"),
    Meaning("HARECEIVE", "*", INFO, "a shadow copy was received", "EX2019"),
    Meaning("HAREDIRECT", "*", INFO, "a shadow copy was created", "EX2019"),
    Meaning("HAREDIRECTFAIL", "*", INFO, "a shadow copy could not be created", "EX2019"),
    Meaning("INITMESSAGECREATED", "*", HOLD, "sent to the arbitration mailbox for approval", "EX2019"),
    Meaning("LOAD", "*", INFO, "loaded at boot", "EX2019"),
    Meaning("MODERATIONEXPIRE", "*", EXPIRE, "no moderator decided", "EX2019"),
    Meaning("MODERATORAPPROVE", "*", RELEASE, "a moderator approved", "EX2019"),
    Meaning("MODERATORREJECT", "*", REFUSE, "a moderator rejected", "EX2019"),
    Meaning("MODERATORSALLNDR", "*", FAIL, "no approval request could be delivered", "EX2019"),
    Meaning("NOTIFYMAPI", "*", INFO, "a message was seen in an Outbox of this server", "EX2019"),
    Meaning("NOTIFYSHADOW", "*", INFO, "a shadow copy of a submission is needed", "EX2019"),
    Meaning("POISONMESSAGE", "*", HOLD, "put into (or taken out of) the poison queue", "EX2019"),
    Meaning("PROCESS", "*", INFO, "processed", "EX2019"),
    Meaning("PROCESSMEETINGMESSAGE", "*", INFO, "a meeting message was processed", "EX2019"),
    Meaning("QUARANTINE", "*", HOLD, "quarantined", "rows"),
    Meaning("RECEIVE", "*", ENTER, "received by SMTP, Pickup, Replay or from a mailbox", "EX2019"),
    Meaning("RECIPIENTINFO", "*", INFO, "data of a recipient, logged by an agent (Exchange Online)", "rows"),
    Meaning("REDIRECT", "*", REPLACE, "redirected to an alternate recipient", "EX2019"),
    Meaning("RESOLVE", "*", REPLACE, "recipient resolved to another address", "EX2019"),
    Meaning("RESUBMIT", "*", INFO, "resubmitted from Safety Net", "EX2019"),
    Meaning("RESUBMITDEFER", "*", INFO, "a resubmission was deferred", "EX2019"),
    Meaning("RESUBMITFAIL", "*", INFO, "a resubmission failed; the first delivery stands", "EX2019"),
    Meaning("SEND", "*", SEND, "sent by SMTP between transport services", "EX2019; to other servers: EX2007, EX2010"),
    Meaning("SENDEXTERNAL", "*", SEND_OUT, "sent by SMTP to a server outside the organisation", "rows"),
    Meaning("SETROUTE", "*", INFO, "the next hop of a recipient was chosen (Exchange Online)", "rows"),
    Meaning("SPAM", "*", OTHER, "identified as spam (Exchange Online); see FilteredAsSpam", "rows"),
    Meaning("SUBMIT", "*", INFO, "mailbox submission handed to the transport service", "EX2019"),
    Meaning("SUBMITDEFER", "*", DEFER, "handing a submission to transport was deferred", "EX2019"),
    Meaning("SUBMITFAIL", "*", FAIL, "handing a submission to transport failed", "EX2019"),
    Meaning("SUPPRESSED", "*", DISCARD, "transmission suppressed", "EX2019"),
    Meaning("SUSPEND", "*", HOLD, "suspended in the queue", "EX2007"),
    Meaning("RESUME", "*", RELEASE, "resumed after a suspension", "rows"),
    Meaning("THROTTLE", "*", INFO, "throttled", "EX2019"),
    Meaning("TRANSFER", "*", REPLACE, "recipients moved to a forked message", "EX2019"),
)

TRACE_STATUS: Final = {
    "delivered": TRACE_DELIVERED,
    "failed": TRACE_FAILED,
    "pending": TRACE_PENDING,
    "quarantined": TRACE_HELD,
    "filteredasspam": TRACE_UNSETTLED,
    "expanded": TRACE_REPLACED,
    "resolved": TRACE_REPLACED,
    "gettingstatus": TRACE_UNSETTLED,
    "none": TRACE_UNSETTLED,
    "unknown": TRACE_UNSETTLED,
    "unknownfuturevalue": TRACE_UNSETTLED,
    "dropped": TRACE_DISCARDED,
    "": TRACE_UNSETTLED,
}
"""Status of a message trace, lower-case and without blanks → effect; another is TRACE_UNSETTLED, and its word is kept.
Sources: Microsoft Learn, "Message trace in the modern Exchange admin center", Get-MessageTraceV2 (-Status) and Graph
`exchangeMessageTrace.status`; `dropped`: `emailevents`.

FilteredAsSpam alone does not tell where the message went, because Microsoft's texts differ: "The message was identified
as spam, and was rejected or blocked (not quarantined)" ("Message trace in the modern Exchange admin center"); "The
message was marked as spam" (Get-MessageTraceV2); "The message was delivered to the Junk Email folder" (MicrosoftDocs/
OfficeDocs-Exchange, pull request 2400). Outbound mail that is marked as spam is sent all the same, through the
high-risk delivery pool ("Outbound delivery pools")."""

SUMMARY_WORD: Final = {
    "receive": TRACE_UNSETTLED,
    "send": TRACE_DELIVERED,
    "sendexternal": TRACE_DELIVERED,
    "deliver": TRACE_DELIVERED,
    "delivered": TRACE_DELIVERED,
    "duplicatedeliver": TRACE_DELIVERED,
    "fail": TRACE_FAILED,
    "failed": TRACE_FAILED,
    "defer": TRACE_PENDING,
    "pending": TRACE_PENDING,
    "expand": TRACE_REPLACED,
    "expanded": TRACE_REPLACED,
    "resolve": TRACE_REPLACED,
    "resolved": TRACE_REPLACED,
    "redirect": TRACE_REPLACED,
    "transfer": TRACE_UNSETTLED,
    "quarantine": TRACE_HELD,
    "quarantined": TRACE_HELD,
    "drop": TRACE_DISCARDED,
    "spam": TRACE_UNSETTLED,
    "filteredasspam": TRACE_UNSETTLED,
    "submit": TRACE_UNSETTLED,
    "gettingstatus": TRACE_UNSETTLED,
    "none": TRACE_UNSETTLED,
    "": TRACE_UNSETTLED,
}
"""Words of `recipient_status` (`address##Receive, Send`) in the enhanced summary report, lower-case and without blanks;
another is TRACE_UNSETTLED, and is kept. The best of a recipient's words counts, in whatever order they stand. Sources:
Microsoft Learn, "Message trace in the modern Exchange admin center", Enhanced summary reports; `##Receive,
FilteredAsSpam`: MicrosoftDocs/OfficeDocs-Exchange, issue 2393."""

SAYS_NOTHING: Final = ("receive", "submit", "transfer", "none", "unknown", "gettingstatus", "")
"""Words of a trace that are not kept where they do not settle anything: they say no more than that."""


WORDS: Final = np.frombuffer("".join(row.event for row in TABLE).lower().encode(), np.uint8)
"""The event ids of `TABLE` behind each other, in small letters: what `classify` compares with."""
WORD_ENDS: Final = np.cumsum([len(row.event) for row in TABLE], dtype=np.int32)
EFFECTS: Final = np.array([row.effect for row in TABLE], np.int8)


def lookup(event: str, source: str) -> Meaning | None:
    """The row for this event id and source, in any case; None when the event is not known.

    >>> lookup("SendExternal", "SMTP").effect == SEND_OUT
    True
    """
    wanted = event.strip().upper()
    rows = [row for row in TABLE if row.event == wanted]
    for row in rows:
        if row.source == source.strip().upper():
            return row
    return next((row for row in rows if row.source == "*"), None)
