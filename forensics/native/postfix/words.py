"""Numbers that the scanner and the assembler share: kinds of event, columns, programs, statuses, literals."""

from __future__ import annotations

import numpy as np

from forensics.native import codes
from forensics.native.text import lit

# Kinds of record. Below EVENT: ignored or unread; from EVENT on: events.
OTHER, KNOWN, UNREAD, STRANGE, NOTICE = range(5)
"""Another program's line; a line of Postfix known to say nothing of deliveries; one that may and is not understood; one
that does not and is of unknown shape; one of the logging daemon, which may say that records are missing."""
EVENT = 8
CLIENT, PICKUP, MSGID, CHECK, QUEUED, EXPIRED, REMOVED, DELIVERY, REJECT, NOTIFY, DELETED, HELD, RELEASED, REQUEUED = (
    range(8, 22)
)
SESSION, PROXIED, TAKEN, ENDED = range(22, 26)
"""smtpd(8) in front of a filter: its client, and the id that the message got behind it; MailScanner's requeue; the end
of a session, with how often its client logged in. The last one is no event of a message (`sessions`)."""
KINDS = 26

# Columns of the int32 matrix. A to G are spans (start, end).
KIND, PROGRAM, LINE, OFFSET, LENGTH, TIMEKIND, HOST, QID, A, B, C, D, E, F, G, N0, N1, FLAGS, PROCESS = (
    0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 25, 26, 27,
)  # fmt: skip
INTS = 28
# Columns of the int64 matrix.
TIME, KEY, RKEY, OKEY = 0, 1, 2, 3
LONGS = 4

# FLAGS
ODD_TO, ODD_ORIG, WITH_TLS, WITHOUT_TLS, REPEATED, LOGGED_IN, OPEN, RUNS_ON = 1, 2, 4, 8, 16, 32, 64, 128
"""LOGGED_IN: a refusal in a session whose client had logged in; OPEN: one whose session may end elsewhere; RUNS_ON:
text that others wrote holds what looks like a further record."""

# TIMEKIND
NO_TIME, ABSOLUTE, LOCAL, NO_YEAR = codes.NO_TIME, codes.ABSOLUTE, codes.LOCAL, codes.NO_YEAR
NO_YEAR_UTC = 4
"""Without a year, but in UTC whatever the file's zone is."""

# N0 of DELIVERY
SENT, DEFERRED, BOUNCED, EXPIRED_STATUS, PROBE = 1, 2, 3, 4, 5
# N1 of DELIVERY: what G is
QUEUED_AS, FORWARDED_AS = 1, 2
# N0 of CHECK and REJECT: what was done
WARN, DO_REJECT, DO_HOLD, DO_DISCARD, DO_REDIRECT, DO_BCC = 1, 2, 3, 4, 5, 6
# N1 of REJECT: 1 = at RCPT (D is that recipient), 2 = whole message

# Reasons for UNREAD (N0). Of what is in none of the forms that are read, only that is unread which could bear on a
# delivery.
REASONS = (
    "",
    "no readable time stamp",
    "no host and program behind the time stamp",
    "unknown program under a Postfix name",
    "malformed delivery line",
    "malformed queue manager line",
    "unknown delivery status",
    "malformed rejection line",
    "part of a record split by the container runtime",
    "empty line",
    "malformed client line",
    "a queue id of unknown form",
    "a line of a mail program that is not understood",
    "a Postfix record behind a head that is not understood",
    "a Postfix record under a tag that names no Postfix program",
    "a record that runs into another one",
    "an address in a form that Postfix does not write",
    "a record that breaks off",
)
(R_STAMP, R_TAG, R_PROGRAM, R_DELIVERY, R_QUEUE, R_STATUS, R_REJECT, R_PARTIAL, R_EMPTY, R_CLIENT, R_ID, R_LINE, R_HEAD,
 R_FOREIGN, R_JOINED, R_ADDRESS, R_BREAKS) = range(1, 18)  # fmt: skip

PROGRAMS = (
    "anvil", "bounce", "cleanup", "defer", "discard", "dnsblog", "error", "flush", "lmtp", "local", "master", "mailq",
    "nqmgr", "oqmgr", "pickup", "pipe", "postalias", "postcat", "postconf", "postdrop", "postfix", "postfix-script",
    "postfix-wrapper", "postfix-tls-script", "postkick", "postlock", "postlog", "postlogd", "postmap", "postmulti",
    "postqueue", "postscreen", "postsuper", "post-install", "proxymap", "proxywrite", "qmgr", "qmqpd", "relay", "retry",
    "scache", "sendmail", "showq", "smtp", "smtpd", "spawn", "tlsmgr", "tlsproxy", "trace", "trivial-rewrite", "verify",
    "virtual", "newaliases", "virtual-delivery", "tlsmgrd", "unknown-service", "policy-spf", "policyd-spf", "postgrey",
    "policy-server",
)  # fmt: skip
"""Programs that log under `syslog_name` (postfix(1), master(8)); a program behind a `/` must be one of these."""

(P_BOUNCE, P_CLEANUP, P_PICKUP, P_POSTSCREEN, P_POSTSUPER, P_QMGR, P_SMTPD) = (
    PROGRAMS.index(p) + 1 for p in ("bounce", "cleanup", "pickup", "postscreen", "postsuper", "qmgr", "smtpd")
)
P_NQMGR, P_OQMGR, P_QMQPD, P_DISCARD = (PROGRAMS.index(p) + 1 for p in ("nqmgr", "oqmgr", "qmqpd", "discard"))

POLICY = PROGRAMS.index("policy-spf") + 1
"""From this number on: policy servers, which are asked about recipients and decide nothing by themselves."""
BARE = 126
"""Number of the program where a tag says `postfix` alone: rsyslog's programname and app-name end at the first `/`."""
BLANK, NAMELESS = 125, 127
"""Where the scanner counts blank lines, and other programs' names beyond its table."""

SESSION_STAGES = (
    "AUTH", "CONNECT", "EHLO", "ETRN", "HELO", "HELP", "MAIL", "NOOP", "QUIT", "RSET", "STARTTLS", "UNKNOWN", "VRFY",
    "XCLIENT", "XFORWARD",
)  # fmt: skip
"""Where smtpd(8) refuses something that is no delivery."""
STAGE_NAMES = lit("".join(SESSION_STAGES))
STAGE_ENDS = np.cumsum([0, *map(len, SESSION_STAGES)])

CARRIERS = (
    "conmon", "containerd", "docker", "fluent", "journal", "k8s", "kube", "mail", "podman", "postfix", "rsyslog",
    "syslog", "systemd", "vector",
)  # fmt: skip
"""How the names of programs begin that hand on what others wrote as their own records: runtimes of containers, loggers,
and what containers with a mail server are called."""
SLOTS = 512
"""Of the table by which a program's name is found, see `scanner.fill_programs`; more than twice the programs."""
PROGRAM_NAMES = lit("".join(PROGRAMS))
PROGRAM_ENDS = np.cumsum([0, *map(len, PROGRAMS)])

L_TO, L_ORIG_TO = lit("to="), lit("orig_to=")
L_BARE_RELAY, L_BARE_ORIG, L_NOT_CACHED = lit(", relay="), lit(", orig_to="), lit("-but-not-cached")
L_EOM_PROXY, L_MILTER_HEADER, L_MILTER_BODY = lit("END-OF-MESSAGE: "), lit("milter-header-"), lit("milter-body-")
L_END_RELAY, L_END_ORIG = lit(">, relay="), lit(">, orig_to=")
L_DSN, L_STATUS = lit("dsn="), lit("status=")
L_DELAY_NEXT, L_CONN_NEXT = lit(", delay="), lit(", conn_use=")
L_SENT, L_DEFERRED, L_BOUNCED, L_EXPIRED = lit("sent"), lit("deferred"), lit("bounced"), lit("expired")
L_DELIVERABLE, L_UNDELIVERABLE, L_SOFTBOUNCE = lit("deliverable"), lit("undeliverable"), lit("SOFTBOUNCE")
L_QUEUED_AS, L_FORWARDED_AS, L_INTERNAL_ID = lit("queued as "), lit("forwarded as "), lit("[InternalId=")
L_FROM, L_SIZE, L_NRCPT, L_REMOVED, L_STATUS_SEP = (
    lit("from="),
    lit(", size="),
    lit("nrcpt="),
    lit("removed"),
    lit(", status="),
)
L_FORCE, L_RETURNED = lit("force-expired"), lit(", returned to sender")
L_CLIENT, L_SASL_USER, L_ORIG_ID, L_ORIG_CLIENT = (
    lit("client="), lit(", sasl_username="), lit(", orig_queue_id="), lit(", orig_client="),
)  # fmt: skip
L_SASL_SENDER, L_ORIG_ANY = lit(", sasl_sender="), lit(", orig_")
L_MSGID = lit("message-id=")
L_UID, L_FROM_BR, L_ORIG_ID_SP = lit("uid="), lit("from=<"), lit(" orig_id=")
L_WARNING, L_INFO, L_REJECT, L_HOLD = lit("warning: "), lit("info: "), lit("reject: "), lit("hold: ")
L_DISCARD, L_REDIRECT, L_BCC, L_REPLACE = lit("discard: "), lit("redirect: "), lit("bcc: "), lit("replace: ")
L_PREPEND, L_STRIP, L_PASS, L_FILTER, L_DELAY = (
    lit("prepend: "), lit("strip: "), lit("pass: "), lit("filter: "), lit("delay: "),
)  # fmt: skip
L_WARN, L_PERMIT, L_HANGUP, L_REJECT_WARNING = lit("warn: "), lit("permit: "), lit("hangup: "), lit("reject_warning: ")
L_MILTER, L_MILTER_REJECT, L_MILTER_HOLD, L_MILTER_DISCARD = (
    lit("milter-"), lit("milter-reject: "), lit("milter-hold: "), lit("milter-discard: "),
)  # fmt: skip
L_PROXY_REJECT, L_PROXY_ACCEPT = lit("proxy-reject: "), lit("proxy-accept: ")
L_DISCONNECT, L_AUTH, L_SASL_USER_BR = lit("disconnect from "), lit(" auth="), lit("> sasl_username=<")
L_MAILSCANNER, L_REQUEUE, L_TO_SP = lit("MailScanner"), lit("Requeue: "), lit(" to ")
L_HEADER, L_BODY, L_MIME_ERROR, L_SUBJECT = lit("header "), lit("body "), lit("mime-error "), lit("subject:")
L_SEMI_FROM, L_SP_FROM = lit("; from=<"), lit(" from ")
L_END_TO, L_END_TO2, L_END_PROTO, L_END_PROTO2, L_HELO = (
    lit("> to=<"), lit(">, to=<"), lit("> proto="), lit(">, proto="), lit("helo=<"),
)  # fmt: skip
L_TLS, L_NONE, L_NO_STARTTLS = lit("tls="), lit("none"), lit("nostarttls")
L_RCPT, L_DATA, L_BDAT, L_EOM, L_EOD = lit("RCPT"), lit("DATA"), lit("BDAT"), lit("END-OF-MESSAGE"), lit("END-OF-DATA")
L_CONTENT, L_TO_BR, L_HELO_CMD = lit(" content"), lit("to=<"), lit("Helo command rejected")
L_NOQUEUE = lit("NOQUEUE: ")
L_NOTIFY, L_SENDER, L_POSTMASTER, L_ID = lit(" notification: "), lit("sender "), lit("postmaster "), lit("[ID ")
L_PLACED, L_RELEASED, L_REQUEUED = lit("placed on hold"), lit("released from hold"), lit("requeued")
L_POSTFIX = lit("postfix")
L_FORWARDED, L_MESSAGE_REPEATED, L_LAST_MESSAGE = (
    lit("Message forwarded from "), lit("message repeated "), lit("last message repeated "),
)  # fmt: skip
L_TIMES, L_MARK, L_DASHES, L_DASHES_END, L_CURSOR, L_NRCPT_SEP = (
    lit(" times: [ "), lit("-- MARK --"), lit("-- "), lit(" --"), lit("-- cursor: "), lit(", nrcpt="),
)  # fmt: skip
L_RSYSLOG, L_SYSLOG, L_JOURNALD, L_JOURNAL = lit("rsyslog"), lit("syslog"), lit("systemd-journal"), lit("journal")
L_RETURN = lit("#015")
"""A carriage return as rsyslog writes it ($EscapeControlCharactersOnReceive)."""
MONTHS = lit("JanFebMarAprMayJunJulAugSepOctNovDec")

# Units of time, microseconds
SECOND, DAY, MONTH_UNIT, YEAR_UNIT = codes.SECOND, codes.DAY, codes.MONTH_UNIT, codes.YEAR_UNIT
BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], np.int64)
"""Days of a year before each month, 29 February not counted."""
MONTH_LENGTHS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
