"""Message tracking logs and extended historical-search reports: a block's records → events.

A record is used when it has a time, an event id and an id of its message; `NOTIFYMAPI` and other rows that name no
message at all are ignored, counted by event id; everything else is unread, with the reason. Records whose time or
recipients are not as a server writes them are left to `exports`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from forensics import addresses
from forensics.loaders.base import PADDING
from forensics.loaders.exchange import event_ids
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.blocks import Layout, Records
from forensics.loaders.exchange.events import EVENTS
from forensics.native.exchange import codes, packing, slots
from forensics.native.exchange import layout as packed
from forensics.native.exchange.classify import PLACES, classify
from forensics.native.exchange.csvscan import fields
from forensics.native.exchange.messages import group, message_hashes
from forensics.native.exchange.moments import NO_TIME

REASONS = {
    codes.BAD_TIME: "no time that could be read in date-time",
    codes.NO_EVENT: "no event id",
    codes.NO_ID: "recipients, but neither network-message-id, message-id nor internal-message-id; export it again: "
    + f.COMMANDS["tracking"],
}
_ROUNDED = re.compile(f.ROUNDED)
UNTOLD = (
    "it leaves out NetworkMessageId and other columns, so that SEND does not tell whether a message left the "
    "organisation (before Exchange 2013) or went to another of its servers (since then): where neither an address "
    "of the world nor a later record tells it, the outcome is unknown; export it again: " + f.COMMANDS["export"]
)
AGAIN = (codes.BAD_TIME, codes.ZONELESS, codes.ODD_RECIPIENTS)
"""Records that `exports` may still read."""


@dataclass(frozen=True)
class Reading:
    """How records are to be read. `evidence`, `number`: as in `base.ScanContext`.

    `online`: Exchange Online wrote them; `old`: a server before Exchange 2013 did (None: cannot be told). `zoned`: a
    time that names no zone is not UTC. `again`: takes the numbers in the block of records that `exports` may still
    read; without it they are read as they are.
    """

    evidence: int
    number: int
    old: bool | None
    online: bool = False
    zoned: bool = False
    again: list[int] | None = None


class Account:
    """What became of the records of a segment: used, ignored by kind, unread (record number in block, reason); `noted`:
    as in `base.Scan`."""

    def __init__(self) -> None:
        self.used = 0
        self.ignored: dict[str, int] = {}
        self.unread: list[tuple[int, str]] = []
        self.noted: set[str] = set()

    def ignore(self, kind: str, count: int = 1) -> None:
        if count:
            self.ignored[kind] = self.ignored.get(kind, 0) + count

    def add(self, other: Account, shift: int) -> None:
        """Adds another account, the records of which begin at `shift`."""
        self.used += other.used
        for kind, count in other.ignored.items():
            self.ignore(kind, count)
        self.unread += [(shift + r, reason) for r, reason in other.unread]
        self.noted |= other.noted


def slot_fields(records: Records, low: int, high: int, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Field positions by slot for the data records of a segment."""
    begin = np.empty((high - low, len(slots.SLOTS)), np.int32)
    end = np.empty((high - low, len(slots.SLOTS)), np.int32)
    fields(
        records.text,
        records.starts[low:high],
        records.firsts[low : high + 1],
        records.stops,
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
    reading: Reading,
    account: Account,
) -> pa.Table:
    """Events of records low..high, which are all of one layout. `kinds` is 0 for the records to read."""
    buf = records.text
    count = high - low
    begin, end = slot_fields(records, low, high, layout)
    at = np.full(count, NO_TIME, np.int64)
    effect = np.zeros(count, np.int8)
    flags = np.zeros(count, np.int8)
    state = np.zeros(count, np.int8)
    kinds = kinds[low:high].copy()
    wanted = len(layout.names)
    have = np.diff(records.firsts[low : high + 1])
    for r in np.flatnonzero((kinds == codes.DATA) & (have != wanted)):
        account.unread.append((low + int(r), f"{have[r]} columns, the header names {wanted}"))
        kinds[r] = codes.BROKEN
    classify(
        buf, kinds, begin, end, event_ids.WORDS, event_ids.WORD_ENDS, event_ids.EFFECTS, reading.zoned, at, effect,
        flags, state, np.empty(PLACES, np.int16), np.zeros(3, np.uint64),
    )  # fmt: skip
    message = np.empty(count, np.int32)
    modes = np.zeros(count, np.int8)
    reps = np.empty(max(count, 1), np.int32)
    table = np.empty(1 << (2 * count + 2).bit_length(), np.int32)
    whole = np.empty(max(count, 1), np.bool_)
    halves = np.empty((max(count, 1), 2), np.uint64)
    own = np.empty(count, np.uint64)
    messages = group(buf, kinds, begin, end, state, message, modes, own, reps, halves, whole, table)
    for r in np.flatnonzero((message >= 0) & (modes == codes.BY_INTERNAL)):
        if _ROUNDED.match(field_text(buf, begin[r, slots.INTERNAL], end[r, slots.INTERNAL])):
            state[r], message[r] = codes.NO_ID, -1
    main = np.zeros(messages, np.bool_)
    best = np.full((messages, packing.COUNT + 1), -1, np.int32)
    most = packing.weigh(
        buf, state, message, modes, begin, end, effect, at, reading.again is not None, main, best, np.empty(1, np.int32)
    )  # fmt: skip

    data = kinds == codes.DATA
    account.used += int(np.count_nonzero(data & (state == codes.USED)))
    for r in np.flatnonzero(data & (state != codes.USED)):
        if state[r] == codes.NO_MESSAGE:
            e = end[r, slots.EVENT]
            account.ignore(
                f"event {bytes(buf[begin[r, slots.EVENT] : e if e >= 0 else ~e]).decode('utf-8', 'replace')}"
            )
        elif reading.again is not None and state[r] in AGAIN:
            reading.again.append(low + int(r))
        else:
            account.unread.append((low + int(r), REASONS[int(state[r])]))
    if not messages:
        return EVENTS.empty_table()
    flags[modes == codes.BY_MESSAGE] |= codes.BY_ID
    if reading.online or layout.online:
        flags |= codes.ONLINE
    sent = np.flatnonzero((state == codes.USED) & (effect == codes.SEND))
    if reading.old:
        flags |= codes.OLD
    elif reading.old is None and len(sent):
        left = [_is_outside(field_text(buf, begin[r, slots.SERVER_IP], end[r, slots.SERVER_IP])) for r in sent]
        flags[sent[left]] |= codes.OLD
        if not all(left):
            account.noted.add(UNTOLD)
    rec, parts = np.empty(count, np.int32), np.empty(count, np.int32)
    offsets = np.empty(count + 1, np.int32)
    space = [np.empty(size, np.int32) for size in (most, most, most, most, packed.COLUMNS)]
    room = (int(records.ends[high - 1]) - int(records.starts[low])) // 2 + 200 * count
    while True:
        out = np.empty(room, np.uint8)
        rows = packing.pack(
            buf, state, message, modes, begin, end, effect, main, best, most, rec, parts, offsets, out, *space
        )  # fmt: skip
        if rows >= 0:
            break
        room *= 2
    rec = rec[:rows]
    texts = pa.Array.from_buffers(
        pa.binary(), rows, [None, pa.py_buffer(offsets[: rows + 1]), pa.py_buffer(out[: offsets[rows]].copy())]
    )
    for m in np.flatnonzero(~whole[:messages]):
        halves[m] = np.frombuffer(_digest(buf, begin, end, reps[m], modes), np.uint64)
    halves = halves[message[rec]]
    columns = {
        "key": _mix(halves[:, 0] ^ halves[:, 1]),
        "group": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(halves)]),
        "at": at[rec],
        "evidence": np.full(rows, reading.evidence, np.int32),
        "number": rec.astype(np.int64) + (reading.number + low),
        "offset": records.offsets[low:high][rec],
        "length": records.lengths[low:high][rec],
        "own": own[rec],
        "flags": flags[rec],
        "parts": parts[:rows],
        "texts": texts,
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in EVENTS], schema=EVENTS)


def _is_outside(text: str) -> bool:
    """Is it an address of the world? What was sent there left the organisation, in whichever version's words."""
    address = text.strip(" []")
    return addresses.is_address(address) and addresses.outside(address)


def _digest(buf: np.ndarray, begin: np.ndarray, end: np.ndarray, r: int, modes: np.ndarray) -> bytes:
    """16 bytes for the message of a record whose network-message-id is no GUID: a digest of it, of its Message-ID, or
    of its internal id and server."""
    slot = (slots.NETWORK_ID, slots.MESSAGE_ID, slots.INTERNAL)[modes[r]]
    text = field_text(buf, begin[r, slot], end[r, slot])
    if modes[r] == codes.BY_INTERNAL:
        text += "\0" + field_text(buf, begin[r, slots.SERVER_HOST], end[r, slots.SERVER_HOST])
    return digest(("network", "message", "internal")[modes[r]], text)


def digest(kind: str, text: str) -> bytes:
    """16 bytes that name a message known by another id than a GUID."""
    text = text.lower().translate(_NO_HYPHEN) if kind == "network" else text.lstrip(" <").rstrip(" >")
    return hashlib.blake2b(f"{kind}\0{text}".encode(), digest_size=16).digest()


_NO_HYPHEN = str.maketrans("", "", "-{}")


def has_id(text: str) -> bool:
    """Is it an id, and not a word or zeros that stand for none? As `native.exchange.messages` has it."""
    return any(c in "123456789" for c in text)


def names_message(message_id: str) -> bool:
    """Is it a Message-ID, and not what stands for none?"""
    return "@" in message_id or has_id(message_id)


def group_of(network_id: str, message_id: str, beside: str) -> bytes | None:
    """16 bytes for a message of an export: as `scan_segment` names the same message in a log; None without any id.

    `beside`: what tells messages of one Message-ID apart, where that is the only id: it can be sent again, and copied.
    """
    plain = network_id.lower().translate(_NO_HYPHEN)
    if has_id(plain):
        if len(plain) == 32:
            try:
                return bytes.fromhex(plain)
            except ValueError:
                pass
        return digest("network", plain)
    bare = message_id.strip(" <>")
    return digest("message", f"{bare}\0{beside}") if names_message(bare) else None


def hashes(message_ids: Sequence[str]) -> np.ndarray:
    """The hash of each Message-ID by which records of one network-message-id are told apart; 0 for none."""
    texts = [(one if names_message(one) else "").encode("utf-8", "replace") for one in message_ids]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int32)
    out = np.zeros(len(texts), np.uint64)
    if texts:
        data = np.frombuffer(b"".join(texts) + bytes(PADDING), np.uint8)
        message_hashes(data, np.concatenate([np.zeros(1, np.int32), ends[:-1]]).astype(np.int32), ends, out)
    return out


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
