"""What a loader is: one folder with these module-level functions, and one line in `LOADERS`.

A loader turns blocks of bytes into events and events into hops and legs; it opens nothing and writes nothing.
`forensics.ingest` calls it in this order:

1. `detect` on the first bytes of every evidence; the loader with the highest confidence (at least 0.5) gets it.
2. `surveyor` → `feed(block)` for every block in order → `result()`: how many records, first and last time, and
   whatever must be known about the whole file before single blocks can be read (years, zones, a CSV header).
3. `scan(block, context)` for every block, in parallel and in any order: events, and an account of every record.
4. `assemble(events, final=False)`: hops and legs that are complete inside the block; the events of all others come
   back as `fragments`, a table that must have the
   column `key` (uint64: equal for all events of one group).
5. `resume(fragments)` → events → `assemble(events, final=True)`: fragments of all blocks of all evidence,
   partitioned by `key`. Fragments arrive in any order; the loader sorts them by what it put into them.

`forensics.custody` calls `split`, `places` and `shown_ids`, to verify what deliveries cite.

Blocks are plain lines: what stood around records in the evidence (encodings, exports of log systems, prefixes) was
taken away before (`forensics.wraps`). A record's address in the evidence is therefore never counted from its position
in the block, but asked of `places`.

Everything between the steps is picklable, so that the steps can run in threads, processes or on a cluster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from forensics import schema

if TYPE_CHECKING:
    from forensics.loaders.settings import Settings

Places = np.ndarray[Any, np.dtype[np.int64]]

PADDING = 64
"""Zero bytes that must lie behind every block, so that a scanner may look ahead unchecked."""

UNREAD_ROWS = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.binary(), nullable=False),
    ]
)
"""`schema.UNREAD` without `evidence`, which ingest adds."""


RECORD_INDEX = pa.struct(
    [
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""A record's address while ingest runs: `evidence` is the position in this run's ordered evidence list."""

HOPS = pa.schema(
    [
        schema.column("hop", pa.int64(), "row key within one batch; LEGS.hop points here", nullable=False),
        schema.column("system", schema.CODE, "which of the loader's SYSTEMS", nullable=False),
        schema.column("host", schema.CODE, "logging host or server"),
        schema.column("queue_id", pa.string(), "queue id / internal-message-id"),
        schema.column("message_id", pa.string(), "Message-ID without <>"),
        schema.column("network_message_id", pa.string(), "Exchange only"),
        schema.column("first_at", schema.TIME, "first event", nullable=False),
        schema.column("last_at", schema.TIME, "last event", nullable=False),
        schema.column("sender", pa.string(), "envelope sender; empty for <>; null unknown"),
        schema.column("authenticated_user", pa.string(), "who submitted"),
        schema.column("client_name", pa.string(), "submitting client"),
        schema.column("client_address", pa.string(), "submitting client's address"),
        schema.column("size_bytes", pa.int64(), "message size"),
        schema.column("recipient_count", pa.int32(), "envelope recipients as logged"),
        schema.column("subject", pa.string(), "decoded subject"),
        schema.column("born", pa.bool_(), "the evidence shows how the message entered this hop", nullable=False),
        schema.column("closed", pa.bool_(), "the evidence shows that this hop was done with it", nullable=False),
        schema.column(
            "records",
            pa.list_(pa.field("element", RECORD_INDEX, nullable=False)),
            "message-level records",
            nullable=False,
        ),
    ]
)
"""One stay of one message in one queue: a Postfix queue id from birth to removal, or one message on
Exchange (all servers that share its network-message-id).

A batch may have more columns: `previous_id` (id this hop had before a requeue); `greylisted` (refusals for now,
which a later acceptance of the same client, sender and recipient ends); `repeated` (a record that can be logged once
only is there twice); `generation` (int8: hops of one system that
differ in it name their messages by ids that cannot be compared, and are joined as those of two systems are);
`alike` (int64: hops that have one in common may be one message, 0 for none; equal recipients of one sender are then
possible duplicates);
`submission` (`schema.SUBMISSIONS`; where it is missing, `authenticated` if a user is named, else `not-seen`);
`peer_name`, `peer_address` (who connected, where that told of another client: XFORWARD)."""

LEGS = pa.schema(
    [
        schema.column("hop", pa.int64(), "HOPS.hop", nullable=False),
        schema.column("recipient", pa.string(), "final recipient of this hop, first spelling", nullable=False),
        schema.column("original_recipient", pa.string(), "before expansion in this hop; null"),
        schema.column("recipient_role", schema.CODE, "to, cc, bcc or unknown", nullable=False),
        schema.column("outcome", schema.CODE, "as in DELIVERIES", nullable=False),
        schema.column("at", schema.TIME, "settling (or last) event", nullable=False),
        schema.column("status_code", pa.string(), "enhanced status code"),
        schema.column("response", pa.string(), "remote text"),
        schema.column("relay_name", pa.string(), "next server"),
        schema.column("relay_address", pa.string(), "its address"),
        schema.column("tls", pa.bool_(), "TLS to the next server"),
        schema.column("attempts", pa.int32(), "attempts seen", nullable=False),
        schema.column("next_id", pa.string(), "id the next server gave (`queued as`, InternalId); null"),
        schema.column(
            "records",
            pa.list_(pa.field("element", RECORD_INDEX, nullable=False)),
            "records of this recipient",
            nullable=False,
        ),
    ]
)
"""What one hop did for one recipient.

A batch may have more columns: `alias` (address before expansion, also where the recipient was addressed directly
too), `forwarded` (`next_id` is an id of the same host's own), `mailbox` (it ended in one: nothing continues it),
`program` (a program took it, whose transport `relay_name` names), `port` (int32: of the next server; 0 for a socket
without one), `refused` (the host decided about it before it took it: no server has handed it on to this hop)."""


LOSSES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # one of `loaders.losses.KINDS`
        pa.field("evidence", pa.int32(), nullable=False),  # position in this run's ordered evidence list
        pa.field("host", pa.string()),  # the logging host; null when unknown
        pa.field("at", pa.int64()),  # microseconds UTC; null when the record has no time
        pa.field("count", pa.int64()),  # records (or recipients) missing; null when nobody says how many
        pa.field("number", pa.int64(), nullable=False),  # of the record that tells of it
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),  # what it says
    ]
)
"""What the evidence says of records that are not in it."""


@dataclass(frozen=True)
class Example:
    """Records of a mail program that hold nothing which could bear on a delivery and are in no form that is known:
    how many of one shape, and the first of them. `shape` empty: of all further shapes."""

    program: str
    shape: str
    count: int
    number: int
    offset: int
    length: int
    text: str


STATEMENTS = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("id", pa.uint64(), nullable=False),  # hash of the message's id on its host; 0: the record has none
        pa.field("says", pa.uint64(), nullable=False),  # hash of all that the record says, but its host and time
        pa.field("host", pa.dictionary(pa.int32(), pa.string()), nullable=False),
    ]
)
"""What records say, by which the same ones are found under another host's name or in another form."""


class Block(Protocol):
    """Whole records of one evidence (`forensics.custody.evidence.Block`, or `forensics.wraps.Unwrapped`)."""

    @property
    def data(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Exactly the block's bytes."""

    @property
    def offset(self) -> int:
        """Where it begins in the decompressed content. Records: `places`."""

    @property
    def last(self) -> bool: ...


@dataclass(frozen=True)
class Survey:
    """What is known about one evidence before its blocks are read.

    `first`, `last`: earliest and latest time in microseconds UTC, None when no record has one. `blocks`: byte
    offset → number of the first record (1-based) of each block fed, so that blocks can be read in any order.
    `hosts`: stable hashes of the logging hosts seen (two evidence files without a common host cannot hold the same
    line); None when the format has no such thing. `plan`: the loader's own, handed back in `ScanContext.plan`. `notes`:
    what was inferred (year, zone, clock steps), for manifest and report; `noted` among them has sentences for people.
    `losses`: rows of `LOSSES` that only the order of all records tells of (gaps in their numbers), `evidence` 0.
    `undated`: what `loaders.timing` needs to give it another year, where it was asked for with those of other files.
    """

    records: int
    first: int | None
    last: int | None
    blocks: Mapping[int, int]
    hosts: frozenset[int] | None = None
    plan: Any = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    losses: pa.Table | None = None
    undated: Any = None


class Surveyor(Protocol):
    def feed(self, block: Block) -> None: ...

    def result(self) -> Survey:
        """Raises AmbiguousTime when the evidence leaves a year or date order open and no setting decides it."""


@dataclass(frozen=True)
class ScanContext:
    """What `scan` must know beside the block.

    `evidence`: position in this run's ordered evidence list. `id`: its SHA-256. `number`: 1-based number of the block's
    first record.
    `skip`: for each record of the block True when it is a duplicate of a record in an earlier evidence (None: none is).
    `shared`: (first, last) microseconds UTC of the times that another evidence of the same host covers too: groups
    with an event in one of them are never complete inside one block. In order, none touching the next.
    `hosts`: names that stand for another name of the same host.
    """

    evidence: int
    number: int
    plan: Any = None
    id: str = ""
    skip: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    shared: tuple[tuple[int, int], ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scan:
    """One block's records, all accounted for: records = used + sum(ignored) + unread rows.

    `ignored`: kind → count, for records that were understood and are irrelevant: another program's; a mail program's of
    a form that says nothing of deliveries; `other lines of PROGRAM`, which are in no known form but hold no message id,
    address, status or refusal; `duplicate` for those in `ScanContext.skip`. Whatever could bear on a delivery and was
    not understood is unread. `examples`: of the other lines, by shape. `losses`: rows of `LOSSES`. `noted`: sentences
    that a reader of the results must know. `span`: least and greatest time (microseconds UTC) that was compared with
    `ScanContext.shared`; None where nothing was.
    """

    records: int
    used: int
    ignored: Mapping[str, int]
    unread: pa.Table
    events: Any
    examples: tuple[Example, ...] = ()
    losses: pa.Table | None = None
    noted: tuple[str, ...] = ()
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Assembled:
    """`hops` and `legs` as in `HOPS` and `LEGS` (hop numbers count from 0 in each batch);
    `fragments`: events of groups that are not complete here, with a uint64 column `key`; None when final. `losses`:
    rows of `LOSSES` about the hops that are complete here. `strays`: hops (as in `HOPS`) too little of which is there
    to be counted as such: parts of a message, it may be, whose host has another name elsewhere."""

    hops: pa.Table
    legs: pa.Table
    fragments: pa.Table | None
    losses: pa.Table | None = None
    strays: pa.Table | None = None


class Loader(Protocol):
    """One mail system's log format."""

    NAME: str
    """Short name, as `missent formats` prints it and the manifest records it."""

    SYSTEMS: tuple[str, ...]
    """What its hops may have as `system`. A message seen by two systems is joined by rules of its own
    (`forensics.stitch.systems`)."""

    FORMATS: tuple[tuple[str, str], ...]
    """(name, what) of all that it reads, for `missent formats`."""

    def detect(self, head: bytes) -> float:
        """Confidence 0-1 that this is ours, from the first 64 KiB of content; cheap, never by file name."""

    def split(self, data: np.ndarray[Any, np.dtype[np.uint8]], last: bool) -> int:
        """Bytes at the start of `data` that are complete records; 0 = need more. With `last`, all of it."""

    def plan_type(self) -> type:
        """The dataclass of which `Survey.plan` is."""

    def surveyor(self, name: str, settings: Settings) -> Surveyor:
        """`name` is the evidence's display name."""

    def fingerprints(self, block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """One 64-bit hash for each record of the block, equal for equal bytes: finds records that lie in two files."""

    def places(self, block: Block) -> tuple[Places, Places]:
        """(offset, length) in the evidence of each record of the block."""

    def scan(self, block: Block, context: ScanContext) -> Scan: ...

    def resume(self, fragments: pa.Table) -> Any:
        """Fragments (of any number of blocks and evidence, in any order) back into events for `assemble`."""

    def assemble(self, events: Any, *, final: bool) -> Assembled:
        """Hops and legs of the events; unless `final`, groups that may go on elsewhere come back as fragments."""

    def shown_ids(self, record: str) -> tuple[str, ...]:
        """Ids of messages that a record (its text in lower case) names: its own, and those that other servers gave.
        A record that names neither recipient nor sender belongs to a delivery whose other records name its id."""


class NamesHosts(Protocol):
    """What a loader has beside, whose records name the host that logged them: one host may have several names, and its
    records may be collected under two of them (`forensics.ingest.copies`)."""

    def host_key(self, name: str) -> int:
        """What a survey has in `hosts` for a host of this name."""

    def statements(self, events: Any) -> pa.Table:
        """`STATEMENTS` of what `scan` made of a block."""


class TellsStages(Protocol):
    """What a loader has beside, whose records tell how far an attempt had come when it failed."""

    def content_sent(self, response: str) -> bool | None:
        """Whether the message, or part of it, had been sent to the server when it refused or the connection broke, by
        what the sending server itself wrote around the `response` of a hop; None where that does not tell."""


def places(block: Block, begins: Places, ends: Places) -> tuple[Places, Places]:
    """(offset, length) in the evidence of records between these positions of the block, without their line ends."""
    begins, ends = begins.astype(np.int64, copy=False), ends.astype(np.int64, copy=False)
    starts = getattr(block, "starts", None)
    if starts is None:
        return begins + block.offset, ends - begins
    of: Any = block
    first = np.searchsorted(starts, begins, side="right") - 1
    last = np.searchsorted(starts, np.maximum(ends - 1, begins), side="right") - 1
    offsets = of.offsets[first]
    return offsets, of.offsets[last] + of.lengths[last] - offsets


def unread_rows(block: Block, rows: Sequence[tuple[int, int, int, str]]) -> pa.Table:
    """(number, offset, length, reason) rows of a block as a table, each with its bytes in the evidence, cut to 4 KiB.

    Where an export holds no record, it tells why (`forensics.wraps`), and not what the loader made of it."""
    if not rows:
        return UNREAD_ROWS.empty_table()
    outer = getattr(block, "outer", block.data)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    raw = [outer[at - block.offset :][: min(length, 4096)].tobytes() for at, length in zip(*columns[1:3], strict=True)]
    known: Mapping[int, str] = getattr(block, "reasons", {})
    if known:
        lines = np.searchsorted(block.offsets, np.array(columns[1], np.int64))  # type: ignore[attr-defined]
        columns[3] = [known.get(line, why) for line, why in zip(lines.tolist(), columns[3], strict=True)]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, UNREAD_ROWS, strict=False)]
    return pa.Table.from_arrays([*arrays, pa.array(raw, pa.binary())], schema=UNREAD_ROWS)


def whole_lines(data: np.ndarray[Any, np.dtype[np.uint8]], last: bool) -> int:
    """`Loader.split` of a format of lines: up to and with the last line feed. A bare carriage return ends no line."""
    if last:
        return len(data)
    step = 1 << 16
    for end in range(len(data), 0, -step):
        start = max(0, end - step)
        found = np.flatnonzero(data[start:end] == 10)
        if len(found):
            return start + int(found[-1]) + 1
    return 0


def lines(block: Block) -> Iterator[tuple[int, int, bytes]]:
    """(offset, length, text) of every line of a block of whole lines: its address in the evidence without the line end,
    and its bytes in the block without the line feed."""
    pieces = block.data.tobytes().split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    offsets, lengths = line_places(block)
    yield from zip(offsets.tolist(), lengths.tolist(), pieces, strict=True)


def is_open_ended(block: Block) -> bool:
    """Whether the content's last record has no line end, so that a part of it may be missing. Records taken out of
    those of another program (`starts`) have none of their own."""
    return block.last and not hasattr(block, "starts") and len(block.data) > 0 and int(block.data[-1]) != 10


def line_places(block: Block) -> tuple[Places, Places]:
    """`Loader.places` of a format of lines."""
    ends = np.flatnonzero(block.data == 10)
    if len(block.data) and block.data[-1] != 10:
        ends = np.append(ends, len(block.data))
    begins = np.concatenate([ends[:0], [0], ends[:-1] + 1])[: len(ends)]
    returned = (ends > begins) & (block.data[np.maximum(ends - 1, 0)] == 13)
    return places(block, begins, ends - returned)


def line_fingerprints(block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """`Loader.fingerprints` of a format of lines."""
    digests = (hashlib.blake2b(raw, digest_size=8).digest() for _, _, raw in lines(block))
    return np.frombuffer(b"".join(digests), np.uint64)


def no_plan() -> type:
    """`plan_type` of a loader whose surveys hand no plan on."""
    return type(None)


def key_of(*parts: str | int | None) -> int:
    """A stable 64-bit number for what these values name together: the `key` of fragments, a hash of hosts."""
    text = repr(parts).encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
