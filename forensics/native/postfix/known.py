"""What Postfix's programs log that says nothing of a delivery: the beginnings of such texts.

From the `msg_info()` and `msg_warn()` calls of Postfix 2.x to 3.11. Every recipient's fate is in a line `to=<…>, …
status=…`, or in a refusal; the rest is about sessions, TLS, tables and the daemons themselves, or repeats what the
status line says too. Behind its beginning such a text may hold what it likes, also of a client's or a server's choice,
but no field in angle brackets, no `status=`, nor another record's tag: that is no such line, or two in one. A text that
is not known here is either unread or, where it holds nothing that could bear on a delivery, counted among the other
lines of its program (`scanner`). A line more is an entry more.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.text import at, between, find_byte, lit

BEHIND_ID = (
    # smtp(8), lmtp(8): why the next server or the next address is tried; the status line follows
    "host ", "lost connection with ", "conversation with ", "connect to ", "enabling PIX workarounds: ",
    "Cannot start TLS: ", "TLS is required, but ", "Server certificate not ", "Server certificate not trusted",
    "client TLS configuration problem", "TLSA lookup error ", "TLS policy lookup error ", "SASL ",
    "SMTPUTF8 is required", "mail for ", "message size ", "network address conversion ", "all network protocols ",
    "unexpected server message", "server unavailable ", "Server configuration error", "server configuration error",
    "Temporary lookup error", "local data error ", "unable to look up ", "unable to find primary relay ",
    "breaking line > ", "replacing server reply ", "no TLSA records found", "non-SMTP response ", "protocol error",
    "certificate verification failed ", "Untrusted TLS ", "Trusted TLS ", "Verified TLS ", "Anonymous TLS ",
    "Name service error for ", "delivery temporarily suspended: ",
    # header and body checks of smtp(8) and cleanup(8) that decide nothing
    "replace: ", "prepend: ", "warning: header ", "warning: body ", "info: header ", "info: body ", "strip: ",
    "pass: ", "filter: ", "delay: ",
    # the others
    "skipped, still being delivered", "status=deferred (bounce failed)", "status=deferred (trace failed)",
    "status=deferred (defer failed)", "passing <", "not sending trace/success notification", "expired",
    "resent-message-id=", "undeliverable postmaster notification discarded", "recipient limit ",
    "enabling VERP for sender ", "using backwards-compatible default setting ", "queue file size limit exceeded",
)  # fmt: skip
"""Behind a queue id."""

PLAIN = (
    # smtpd(8), postscreen(8), dnsblog(8), tlsproxy(8): sessions
    "connect from ", "disconnect from ", "lost connection after ", "timeout after ", "too many errors after ",
    "Server configuration error after ", "Server local data error after ", "hangup after ",
    "improper command pipelining ", "abort: TLS from ", "CONNECT from ", "CONNECT ", "DISCONNECT ", "PASS OLD ",
    "PASS NEW ", "HANGUP after ", "PREGREET ", "DNSBL rank ", "WHITELISTED ", "BLACKLISTED ", "ALLOWLISTED ",
    "DENYLISTED ", "WHITELIST VETO ", "ALLOWLIST VETO ", "BARE NEWLINE from ", "COMMAND PIPELINING from ",
    "COMMAND TIME LIMIT from ", "COMMAND COUNT LIMIT from ", "COMMAND LENGTH LIMIT from ", "NON-SMTP COMMAND from ",
    "DATA without valid RCPT ", "BDAT without valid RCPT ", "entering STRESS mode ", "leaving STRESS mode ",
    "reject: connect from ", "addr ", "discarding EHLO keywords: ", "mapping DSN status ",
    # sessions to other servers
    "connect to ", "Host offered STARTTLS: ", "host ", "trying... ",
    # TLS
    "setting up TLS connection ", "Anonymous TLS connection ", "Trusted TLS connection ", "Untrusted TLS connection ",
    "Verified TLS connection ", "initializing the ", "SSL_accept error ", "SSL_connect error ", "SSL3 alert ",
    "SSL_accept:", "SSL_connect:", "TLS SNI ", "TLS handshake failed ", "certificate verification failed ",
    "certificate peer name ", "Peer certificate ", "Unverified: ", "Verified: ", "subject=", "issuer=",
    "fingerprint=", "save session ", "reloaded session ", "looking for session ", "remove session ",
    "write server TLS cache ", "read server TLS cache ", "put smtpd session ", "lookup smtpd session ",
    "delete smtpd session ", "delete smtp session ", "open smtp TLS cache ", "open smtpd TLS cache ",
    "read smtp TLS cache ", "write smtp TLS cache ", "read from ", "write to ", "Read ", "Write ",
    # the daemons themselves
    "statistics: ", "cache ", "daemon started ", "reload ", "reload -- ", "terminating on signal ",
    "master exit time has arrived", "table ", "database ", "using backwards-compatible default setting ",
    "refreshing the Postfix mail system", "starting the Postfix mail system", "stopping the Postfix mail system",
    "waiting for the Postfix mail system ", "the Postfix mail system is ", "Postfix is using backwards-compatible ",
    "Postfix is running with backwards-compatible ", "See http://www.postfix.org/", "See https://www.postfix.org/",
    "To disable backwards compatibility ", "ignoring status update ", "rebuilding ", "set-permissions: ", "Deleted: ",
    "Requeued: ", "Placed on hold: ", "Released from hold: ", "Expired: ", "Force-expired: ",
    "Renamed to match inode number: ",
    # what a daemon shows with -v: the dialogue, and what its functions see
    "> ", "< ", "input attribute name: ", "input attribute value: ", "send attr ", "wanted attribute: ",
    "name_mask: ", "match_hostname: ", "match_hostaddr: ", "match_string: ", "match_list_match: ",
)  # fmt: skip
"""Without a queue id."""

WARNING = (
    "hostname ", "Illegal address syntax from ", "non-SMTP command from ", "Connection rate limit exceeded: ",
    "Connection concurrency limit exceeded: ", "Recipient address rate limit exceeded: ",
    "Message delivery request rate limit exceeded: ", "New TLS session rate limit exceeded: ",
    "AUTH command rate limit exceeded: ", "non-ESMTP response from ", "non-LMTP response from ", "bad ETRN ",
    "reject: ETRN ", "restriction ", "do not list domain ", "access table ", "TLS library problem: ",
    "problem talking to ", "timeout on ", "premature end-of-input on ", "dict_", "table ", "database ", "hash:",
    "btree:", "lmdb:", "cdb:", "texthash:", "proxy:", "mysql:", "pgsql:", "ldap:", "sqlite:", "regexp:", "pcre:",
    "cidr:", "tcp:", "unix:", "socketmap:", "memcache:", "virtual_alias_maps ", "virtual_mailbox_maps ",
    "numeric hostname: ", "numeric domain name ", "valid_hostname: ", "malformed domain name ", "malformed address ",
    "no MX host for ", "Unable to look up ", "unable to look up host ", "RBL lookup error: ", "mail for ",
    "you may need ", "this may slow down ", "so that Postfix ", "to turn off these warnings ", "please avoid ",
    "host ", "TLS policy lookup ", "TLSA lookup error ", "SASL ", "SASL: ", "xsasl_", "dnsblog_query: ",
    "psc_dnsbl_request: ", "smtpd_peer_init: ", "network_biopair_interop: ", "service \"", "process ",
    "unknown macro name ", "milter ", "connect to ", "stripping too many comments ", "too many ", "unexpected ",
    "symlink leaves directory: ", "group or other writable: ", "not owned by ", "run-time library vs. ",
    "ignoring unsupported ALPN ", "using backwards-compatible default setting ",
)  # fmt: skip
"""Behind `warning: `, `error: `, `fatal: ` or `panic: `, without a queue id. Of other such texts only those pass for
other lines that hold nothing that could bear on a delivery."""

WARNING_BEHIND_ID = (
    "message has been queued for ", "message dated ", "queue file size limit exceeded", "read timeout on ", "remove ",
    "rename ", "BDAT request from ", "malformed BDAT command ", "null BDAT request ", "ignoring ", "TLS ",
    "timeout receiving delivery status ", "flush ", "unix-domain ", "no sender ", "canonical_maps ",
    "sender_canonical_maps ", "recipient_canonical_maps ", "virtual_alias_maps ", "virtual_maps ", "sender_bcc_maps ",
    "recipient_bcc_maps ", "unreasonable ", "message rejected: ", "message not accepted, ", "milter ",
    "postmaster notice failed ", "undeliverable postmaster notification discarded", "uid=",
)  # fmt: skip
"""Behind such a word and a queue id."""

PEER = (
    "SASL ", "TLS cipher list ", "TLS ", "re-using session ", "Issuing session ticket", "Reusing old session",
    "Decrypting session ticket", "certificate verification ", "subject_CN=", "depth=", "Matched ",
    "matched peername: ", "SNI hostname: ", "looking up session ", "save session ", "reloaded session ",
    "remove session ", "replacing command ", "discarding EHLO keywords: ", "Trusted: ", "Untrusted: ", "Verified: ",
    "Anonymous: ",
)  # fmt: skip
"""Behind `NAME[ADDRESS]: ` or `NAME[ADDRESS]:PORT: `."""

QUIET = np.isin(
    np.arange(128),
    [
        w.PROGRAMS.index(name) + 1
        for name in (
            "anvil", "dnsblog", "flush", "master", "newaliases", "post-install", "postalias", "postconf", "postfix",
            "postfix-script", "postfix-tls-script", "postfix-wrapper", "postkick", "postlock", "postlogd", "postmap",
            "postmulti", "postqueue", "proxymap", "proxywrite", "scache", "showq", "spawn", "tlsmgr", "tlsmgrd",
            "tlsproxy", "trivial-rewrite",
        )
    ],
)  # fmt: skip
"""Programs that never have a message in hand: an address in what they say (of a table, mostly) is no recipient's."""

DAEMONS = np.isin(
    np.arange(128),
    [
        w.PROGRAMS.index(name) + 1
        for name in (
            "bounce", "cleanup", "defer", "discard", "error", "lmtp", "local", "nqmgr", "oqmgr", "pickup", "pipe",
            "postscreen", "postsuper", "qmgr", "qmqpd", "retry", "smtp", "smtpd", "trace", "virtual",
        )
    ],
)  # fmt: skip
"""Programs that have messages in hand: under their names alone, too, a record may bear on a delivery."""

LABELS = ("warning: ", "error: ", "fatal: ", "panic: ")
"""msg(3): something went wrong. What that did to a recipient is said elsewhere."""


def table(texts: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """(bytes of all beginnings, their ends, for each byte the first beginning with it, then their number)."""
    ordered = sorted(set(texts))
    first = np.searchsorted(np.array([ord(text[0]) for text in ordered]), np.arange(257)).astype(np.int64)
    return lit("".join(ordered)), np.cumsum([0, *map(len, ordered)]), first


ID_TEXTS, ID_ENDS, ID_FIRST = table(BEHIND_ID)
PLAIN_TEXTS, PLAIN_ENDS, PLAIN_FIRST = table(PLAIN)
WARNING_TEXTS, WARNING_ENDS, WARNING_FIRST = table(WARNING)
WARNING_ID_TEXTS, WARNING_ID_ENDS, WARNING_ID_FIRST = table(WARNING_BEHIND_ID)
PEER_TEXTS, PEER_ENDS, PEER_FIRST = table(PEER)
LABEL_TEXTS, LABEL_ENDS, LABEL_FIRST = table(LABELS)
L_HOST = lit("host ")


@kernel
def is_peer(buf, i, end):
    """True when the word at i is `NAME[ADDRESS]`, perhaps with a port."""
    k = i
    while k < end and buf[k] != 32 and buf[k] != 91:
        k += 1
    while k < end and buf[k] != 32 and buf[k] != 93:
        k += 1
    return k < end and buf[k] == 93


@kernel
def listed(buf, i, end, texts, ends, first):
    """Where the beginning ends that the text [i, end) has in a table; -1 when it has none."""
    if i >= end:
        return -1
    for n in range(first[buf[i]], first[buf[i] + 1]):
        start = ends[n]
        size = ends[n + 1] - start
        if i + size > end:
            continue
        same = True
        for k in range(1, size):
            if buf[i + k] != texts[start + k]:
                same = False
                break
        if same and (buf[i + size - 1] != 32 or not at(buf, i, L_HOST) or is_peer(buf, i + size, end)):
            return i + size
    return -1


@kernel
def states(buf, i, end):
    """True when [i, end) holds a field in angle brackets or `status=`: what only a line about a message says."""
    k = find_byte(buf, i, end, 61)
    while k < end:
        if k > i and buf[k + 1] == 60 and between(buf[k - 1], 97, 122):
            return True
        if k - 6 >= i and buf[k - 1] == 115 and buf[k - 6] == 115 and buf[k - 2] == 117 and buf[k - 3] == 116:
            return True
        k = find_byte(buf, k + 1, end, 61)
    return False


@kernel
def bears(buf, i, end):
    """True when [i, end) holds what could bear on a delivery: an address, `status=`, a field in angle brackets, a
    refusal."""
    k = i
    while k < end:
        c = buf[k]
        if c == 64:
            return True
        if c == 61 and (buf[k + 1] == 60 or (k - 6 >= i and buf[k - 1] == 115 and buf[k - 6] == 115)):
            return True
        if c == 114 and k + 6 <= end and buf[k + 1] == 101 and buf[k + 2] == 106 and buf[k + 3] == 101:
            return True
        k += 1
    return False


@kernel
def of_a_function(buf, i, end):
    """True when [i, end) begins with the name of a function and a colon, as what daemons show with -v does."""
    k = i
    seen = False
    while k < end and (between(buf[k], 97, 122) or between(buf[k], 48, 57) or buf[k] == 95):
        if buf[k] == 95:
            seen = True
        k += 1
    return seen and k + 1 < end and buf[k] == 58 and buf[k + 1] == 32
