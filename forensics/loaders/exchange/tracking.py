"""Message tracking logs and extended historical-search reports: a block's records → events.

A record is used when it has a time, a known event id and an id of its message; `NOTIFYMAPI` and other rows that
name no message at all are ignored, counted by event id; everything else is unread, with the reason.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from forensics.loaders.exchange import csvscan, emit
from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.blocks import Layout, Records
from forensics.loaders.exchange.events import EVENTS

REASONS = {
    emit.BAD_TIME: "no time that could be read in date-time",
    emit.UNKNOWN_EVENT: "event id is not known",
    emit.LISTS_DIFFER: "recipient-address and recipient-status differ in length",
    emit.NO_ID: "recipients, but neither network-message-id, message-id nor internal-message-id",
}

CARRIED = (
    ("message_id", f.MESSAGE_ID, False),
    ("network_message_id", f.NETWORK_ID, False),
    ("return_path", f.RETURN_PATH, False),
    ("purported", f.SENDER, False),
    ("subject", f.SUBJECT, False),
    ("size", f.BYTES, False),
    ("recipient_count", f.COUNT, True),
    ("internal_id", f.INTERNAL, False),
    ("client_ip", f.CLIENT_IP, True),
    ("client_host", f.CLIENT_HOST, True),
    ("server_host", f.SERVER_HOST, True),
    ("original_ip", f.ORIGINAL_IP, True),
)
"""Message-level columns: name, slot, and whether only rows of acceptance (`RECEIVE`) tell them."""

_SLOTS = np.array([slot for _, slot, _ in CARRIED], np.int32)
_ENTERING = np.array([entering for _, _, entering in CARRIED], np.bool_)


class Account:
    """What became of the records of a segment: used, ignored by kind, unread (record number in block, reason)."""

    def __init__(self) -> None:
        self.used = 0
        self.ignored: dict[str, int] = {}
        self.unread: list[tuple[int, str]] = []

    def ignore(self, kind: str, count: int = 1) -> None:
        if count:
            self.ignored[kind] = self.ignored.get(kind, 0) + count


def slot_fields(records: Records, low: int, high: int, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Field positions by slot for the data records of a segment."""
    begin = np.zeros((high - low, len(f.SLOTS)), np.int32)
    end = np.zeros((high - low, len(f.SLOTS)), np.int32)
    csvscan.fields(
        records.text,
        records.starts[low:high],
        records.firsts[low : high + 1],
        records.stops,
        0,
        high - low,
        f.positions(layout.names),
        begin,
        end,
    )
    return begin, end


def scan_segment(
    records: Records,
    low: int,
    high: int,
    layout: Layout,
    kinds: np.ndarray,
    evidence: int,
    number: int,
    account: Account,
) -> pa.Table:
    """Events of records low..high, which are all of one layout. `kinds` is 0 for the records to read."""
    buf = records.text
    count = high - low
    begin, end = slot_fields(records, low, high, layout)
    at = np.full(count, csvscan.NO_TIME, np.int64)
    effect = np.zeros(count, np.int8)
    flags = np.zeros(count, np.int8)
    state = np.zeros(count, np.int8)
    kinds = kinds[low:high].copy()
    wanted = len(layout.names)
    have = np.diff(records.firsts[low : high + 1])
    for r in np.flatnonzero((kinds == csvscan.DATA) & (have != wanted)):
        account.unread.append((low + int(r), f"{have[r]} columns, the header names {wanted}"))
        kinds[r] = csvscan.BROKEN
    emit.classify(
        buf, kinds, begin, end, at, effect, flags, state, emit.EVENT_HASHES, emit.EVENT_EFFECTS, emit.QUARANTINE
    )
    message = np.empty(count, np.int32)
    modes = np.zeros(count, np.int8)
    reps = np.empty(max(count, 1), np.int32)
    table = np.empty(1 << (2 * count + 2).bit_length(), np.int32)
    messages = emit.group(buf, kinds, state, begin, end, message, modes, reps, table)
    rows = np.zeros(count, np.int32)
    main = np.zeros(max(messages, 1), np.int8)
    scratch = np.empty(1, np.int32)
    total = emit.count(buf, state, message, begin, end, effect, rows, main, scratch, scratch.copy())

    data = kinds == csvscan.DATA
    account.used += int(np.count_nonzero(data & (state == emit.USED)))
    for r in np.flatnonzero(data & (state != emit.USED)):
        if state[r] == emit.NO_MESSAGE:
            e = end[r, f.EVENT]
            account.ignore(f"event {bytes(buf[begin[r, f.EVENT] : e if e >= 0 else ~e]).decode('utf-8', 'replace')}")
        else:
            account.unread.append((low + int(r), REASONS[int(state[r])]))
    if not total:
        return EVENTS.empty_table()

    rec, part = np.empty(total, np.int32), np.empty(total, np.int32)
    rs, re, ss, se = (np.empty(total, np.int32) for _ in range(4))
    emit.emit(buf, message, begin, end, effect, rows, main, rec, part, rs, re, ss, se)
    carry_s = np.empty((len(_SLOTS), total), np.int32)
    carry_e = np.empty((len(_SLOTS), total), np.int32)
    emit.carriers(rec, part, message, modes, at, begin, end, effect, _SLOTS, _ENTERING, carry_s, carry_e)
    flags[modes == emit.BY_MESSAGE] |= emit.BY_ID

    host_s, host_e = _host(begin, end, effect, rec)
    handed = np.isin(effect[rec], (ids.SEND, ids.SEND_OUT, ids.DELIVER))
    replaced = effect[rec] == ids.REPLACE
    group = _groups(buf, begin, end, reps[:messages], modes)[message[rec]]
    halves = group.view("<u8").reshape(-1, 2)
    columns = {
        "key": _mix(halves[:, 0] ^ halves[:, 1]),
        "group": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), total, [None, pa.py_buffer(group)]),
        "at": at[rec],
        "evidence": np.full(total, evidence, np.int32),
        "number": rec.astype(np.int64) + (number + low),
        "offset": records.offsets[low:high][rec],
        "length": records.lengths[low:high][rec],
        "part": part,
        "effect": effect[rec],
        "flags": flags[rec],
        "online": pa.array(np.full(total, layout.online)),
        "recipient": csvscan.gather(buf, rs, re),
        "status": csvscan.gather(buf, ss, se),
        "host": csvscan.gather(buf, host_s, host_e),
        "peer": _only(buf, begin, end, rec, f.SERVER_HOST, handed),
        "peer_address": _only(buf, begin, end, rec, f.SERVER_IP, handed),
        "context": csvscan.gather(buf, *_context(begin, end, rec, handed, replaced)),
        "related": _only(buf, begin, end, rec, f.RELATED, replaced),
    }
    for c, (name, _, _) in enumerate(CARRIED):
        columns[name] = csvscan.gather(buf, carry_s[c], carry_e[c])
    return pa.table([pa.array(columns[field.name], field.type) for field in EVENTS], schema=EVENTS)


def _only(
    buf: np.ndarray, begin: np.ndarray, end: np.ndarray, rec: np.ndarray, slot: int, where: np.ndarray
) -> pa.Array:
    """A slot's text on the rows `where`, null elsewhere and where empty."""
    s, e = begin[rec, slot], end[rec, slot]
    return csvscan.gather(buf, np.where(where & (s != e), s, -1), e)


def _context(
    begin: np.ndarray, end: np.ndarray, rec: np.ndarray, handed: np.ndarray, replaced: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """source-context of a hand-off, reference of a transfer (the internal id of the message that was forked)."""
    slot = np.where(handed, f.CONTEXT, f.REFERENCE)
    s, e = begin[rec, slot], end[rec, slot]
    return np.where((handed | replaced) & (s != e), s, -1).astype(np.int32), e


def _host(begin: np.ndarray, end: np.ndarray, effect: np.ndarray, rec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logging server: client-hostname of a hand-off (server-hostname is the other side), else server-hostname."""
    away = np.isin(effect, (ids.SEND, ids.SEND_OUT))
    mailbox = np.isin(effect, (ids.DELIVER, ids.DUPLICATE))  # by the transport server, since 2013 by the mailbox's own
    first = np.where(away | mailbox, f.CLIENT_HOST, f.SERVER_HOST)
    other = np.where(away | mailbox, f.SERVER_HOST, f.CLIENT_HOST)
    at = np.arange(len(effect))
    empty = begin[at, first] == end[at, first]
    slot = np.where(empty & ~away, other, first)
    s, e = begin[at, slot], end[at, slot]
    return np.where(s != e, s, -1).astype(np.int32)[rec], e[rec]


def _groups(buf: np.ndarray, begin: np.ndarray, end: np.ndarray, reps: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """16 bytes for each message: its network-message-id, else a digest of its Message-ID or internal id and server."""
    out = np.zeros((len(reps), 16), np.uint8)
    ok = np.zeros(len(reps), np.bool_)
    emit.guids(buf, begin, end, reps, modes, out, ok)
    for m in np.flatnonzero(~ok):
        r = reps[m]
        slot = (f.NETWORK_ID, f.MESSAGE_ID, f.INTERNAL)[modes[r]]
        text = field_text(buf, begin[r, slot], end[r, slot])
        if modes[r] == emit.BY_INTERNAL:
            text += "\0" + field_text(buf, begin[r, f.SERVER_HOST], end[r, f.SERVER_HOST])
        out[m] = np.frombuffer(digest(("network", "message", "internal")[modes[r]], text), np.uint8)
    return out


def digest(kind: str, text: str) -> bytes:
    """16 bytes that name a message known by another id than a GUID."""
    text = text.lower().translate(_NO_HYPHEN) if kind == "network" else text.lstrip(" <").rstrip(" >")
    return hashlib.blake2b(f"{kind}\0{text}".encode(), digest_size=16).digest()


_NO_HYPHEN = str.maketrans("", "", "-{}")


def group_of(network_id: str, message_id: str) -> bytes | None:
    """16 bytes for a message of an export: as `_groups` names the same message in a log; None without any id."""
    plain = network_id.lower().translate(_NO_HYPHEN)
    if len(plain) == 32:
        try:
            return bytes.fromhex(plain)
        except ValueError:
            pass
    if plain:
        return digest("network", plain)
    return digest("message", message_id) if message_id.strip(" <>") else None


def key_of(group: bytes) -> int:
    """The partition key of a group, as `scan_segment` computes it."""
    halves = np.frombuffer(group, "<u8")
    return int(_mix(halves[:1] ^ halves[1:])[0])


def field_text(buf: np.ndarray, s: int, e: int) -> str:
    """One field as text."""
    if e >= 0:
        return bytes(buf[s:e]).decode("utf-8", "replace")
    return bytes(buf[s:~e]).decode("utf-8", "replace").replace('""', '"')


def _mix(value: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser: network-message-ids are not evenly spread."""
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = value ^ (value >> np.uint64(31))
    return mixed
