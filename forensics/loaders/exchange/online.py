"""Exchange Online's summaries and traces: enhanced summary reports, Get-MessageTrace and Graph exports, CSV and JSON.

They tell one status for each recipient and one time, that of reception; no role, no original recipient, no cause of a
failure. A status that is not known costs nothing: the outcome is unknown and the word is kept as the response. Sources:
Microsoft Learn, "Message trace in the modern Exchange admin center" (reports), Get-MessageTrace, Get-MessageTraceV2,
Reporting web service `MessageTrace` (jj984335), Graph `exchangeMessageTrace`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from forensics.jsonread import DECODER, names_twice
from forensics.loaders.base import Block, Scan, ScanContext, lines, unread_rows
from forensics.loaders.exchange import addresses, dates, emailevents, event_ids, events, exports
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.blocks import Layout, Records
from forensics.loaders.exchange.events import EVENTS
from forensics.loaders.exchange.tracking import Account, digest, group_of, has_id, hashes, key_of, names_message
from forensics.native.exchange import codes

_BLANK = object()
NO_TRACE = "no message trace: it has no recipient"


@dataclass(frozen=True)
class Row:
    """One record of an export, by meaning (`fields.TRACE`); absent values are empty."""

    values: Mapping[str, str]
    summary: bool
    utc: bool
    """Its column of times says that it is UTC."""

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def _row(pairs: Iterable[tuple[str, str]], summary: bool) -> Row:
    """`pairs`: (name of a column, value); of several for one meaning the best that holds anything."""
    given: dict[str, str] = {}
    for name, value in pairs:
        key = f.squeezed(name)
        if not given.get(key, "").strip():
            given[key] = value
    values: dict[str, str] = {}
    for meaning, names in f.TRACE.items():
        have = [name for name in names if name in given]
        if have:
            values[meaning] = given[next((name for name in have if given[name].strip()), have[0])]
    time = next((name for name in f.TRACE["time"] if given.get(name, "").strip()), "")
    return Row(values, summary, time in f.UTC_NAMES)


def _event(pairs: Iterable[tuple[str, str]]) -> Row | str:
    """The same of a row of Defender's EmailEvents, or why it is none."""
    made = emailevents.trace(pairs)
    return made if isinstance(made, str) else _row(made.items(), False)


class Times(NamedTuple):
    """Stamps of some records: of messages (`utc`: the column says so), and bounds of the query. `silent`: records that
    have no status are among them."""

    times: list[str]
    utc: bool
    bounds: list[str]
    silent: bool = False


def times(records: Records, data: np.ndarray, layout: Layout) -> Times:
    """Every stamp of these records, also the bounds of the query, which help to decide a date order."""
    names = ("timestamp",) if layout.kind == "export" else f.TRACE["time"]
    own = next((at for at in map(layout.columns, names) if at), ())
    if layout.kind == "events":
        own = emailevents.time_column(layout.names)
    bounds = layout.columns(*f.BOUNDS)
    silent = layout.kind == "trace" and not layout.columns(*f.TRACE["status"])
    found = Times([], f.is_utc(layout.names), [], silent)
    for r in data:
        cells = records.cells(int(r))
        if len(cells) == len(layout.names):
            found.times.extend(emailevents.stamp(cells[i]) for i in own)
            found.bounds.extend(cells[i] for i in bounds)
    return found


class Part(NamedTuple):
    """What a record says of one recipient; `word`: a status that decides nothing, to be kept."""

    address: str
    effect: int
    word: str | None


def _part(address: str, effect: int, word: str) -> Part:
    keep = effect == codes.TRACE_UNSETTLED and _plain(word) not in event_ids.SAYS_NOTHING
    return Part(address, effect, word.strip() if keep else None)


def _plain(word: str) -> str:
    """A status as the tables have it."""
    return "".join(word.split()).lower()


def _parts(row: Row) -> list[Part] | str:
    """Recipients of a record and what became of them, or the reason why it cannot be read."""
    if row.summary:
        return _summary(row["status"])
    if addresses.is_type_name(row["recipient"]):
        return f"the recipients were lost in the export ({row['recipient'].strip()}): {f.COMMANDS['trace']}"
    if addresses.is_cut_short(row["recipient"]):
        return f"of the recipients only the beginning was exported ({row['recipient'].strip()[-64:]})"
    named, _ = addresses.cut(addresses.unbraced(row["recipient"]))
    if not named:
        return "no recipient"
    if any("@" in one for one in named) and not addresses.are_whole([one for one in named if not one.startswith("/")]):
        return f"no list of addresses in {row['recipient'][:64]!r}"
    effect = event_ids.TRACE_STATUS.get(_plain(row["status"]), codes.TRACE_UNSETTLED)
    return [_part(address, effect, row["status"]) for address in named]


_MARKED = re.compile(r'((?:"(?:\\.|[^"\\])*"|[^"#]|#(?!#))*)##(.*)', re.S)
"""An entry at its first `##` outside quotes."""


def _summary(text: str) -> list[Part] | str:
    """`address##Received, Send;address##…`."""
    parts: list[Part] = []
    for entry in _entries(text):
        split = _MARKED.fullmatch(entry)
        address, marks, status = (split[1], "##", split[2]) if split else entry.partition("##")
        address = addresses.bare(address)
        if not address or not (marks or "@" in address):
            return "recipient_status is not a list of address##status"
        words = status.split(",")
        found = [_part(address, event_ids.SUMMARY_WORD.get(_plain(w), codes.TRACE_UNSETTLED), w) for w in words]
        telling = [part for part in found if part.effect != codes.TRACE_UNSETTLED]
        kept = [part for part in found if part.word]
        parts += telling or [Part(address, codes.TRACE_UNSETTLED, ", ".join(str(part.word) for part in kept) or None)]
    return parts or "no recipient"


def _entries(text: str) -> list[str]:
    """The entries of a list at each `;`, but for one inside the quotes of an address (before its `##`)."""
    out: list[str] = []
    begin = 0
    quoted = behind = False
    for i, c in enumerate(text):
        if c == '"' and not behind:
            quoted = not quoted
        elif c == "#" and text[i : i + 2] == "##" and not quoted:
            behind = True
        elif c == ";" and not quoted:
            out.append(text[begin:i])
            begin, behind = i + 1, False
    if quoted:  # a quote that is never closed is a sign as any other
        return [one for one in text.split(";") if one.strip()]
    return [one for one in (*out, text[begin:]) if one.strip()]


class _Builder:
    """Event rows, column by column."""

    def __init__(self, context: ScanContext) -> None:
        self._context = context
        self._columns: dict[str, list[Any]] = {field.name: [] for field in EVENTS if field.name != "own"}
        self._message_ids: list[str] = []

    def add(self, row: Row, number: int, offset: int, length: int) -> str | None:
        """Adds one record; the reason when it cannot be read."""
        plan = self._context.plan
        if "time" not in row.values:
            return f"no time; export it again: {f.COMMANDS['trace']}"
        at = dates.read(row["time"], plan.order, None if row.utc else plan.zone)
        if at is None:
            return dates.unreadable(row["time"])
        parts = _parts(row)
        if isinstance(parts, str):
            return parts
        sender = addresses.bare(row["sender"])
        has_network = has_id(row["network_id"])
        flags = codes.ONLINE | (0 if has_network else codes.ALONE | (codes.TO_MINUTE if plan.to_minute else 0))
        group = group_of(row["network_id"], row["message_id"], f"{sender.lower()}\0{at // 1_000_000}")
        if group is None:
            return (
                "neither a message id nor a trace id, without which its rows cannot be told from those of other "
                f"messages; export it again with MessageTraceId and MessageId: {f.COMMANDS['trace']}"
            )
        values = {
            "peer_address": row["to_ip"].strip() or None,
            "message_id": row["message_id"] if names_message(row["message_id"]) else None,
            "network_message_id": row["network_id"] if has_network else None,
            "return_path": (sender or "<>") if "sender" in row.values else None,
            "subject": row["subject"] or None,
            "size": row["size"] or None,
            "original_ip": row["client_ip"].strip() or None,
        }
        texts = events.texts(values, [(effect, address, word) for address, effect, word in parts])
        # all sendings of one Message-ID come together in one partition (`copies`)
        together = group if has_network else digest("message", row["message_id"].lower())
        added = {
            "key": key_of(together), "group": group, "at": at, "evidence": self._context.evidence, "number": number,
            "offset": offset, "length": length, "flags": flags, "parts": len(parts), "texts": texts,
        }  # fmt: skip
        for name, value in added.items():
            self._columns[name].append(value)
        self._message_ids.append(row["message_id"])
        return None

    def table(self) -> pa.Table:
        columns = {**self._columns, "own": hashes(self._message_ids)}
        return pa.table([pa.array(columns[field.name], field.type) for field in EVENTS], schema=EVENTS)


def scan_segment(
    records: Records, low: int, high: int, layout: Layout, kinds: np.ndarray, context: ScanContext, account: Account
) -> pa.Table:
    """Events of the data records low..high of a summary or trace CSV."""
    builder = _Builder(context)
    for r in low + np.flatnonzero(kinds[low:high] == codes.DATA):
        cells = records.cells(int(r))
        if len(cells) != len(layout.names):
            account.unread.append((int(r), f"{len(cells)} columns, the header names {len(layout.names)}"))
            continue
        pairs = zip(layout.names, cells, strict=True)
        row = _event(pairs) if layout.kind == "events" else _row(pairs, layout.kind == "summary")
        place = context.number + int(r), int(records.offsets[r]), int(records.lengths[r])
        reason = row if isinstance(row, str) else builder.add(row, *place)
        if reason:
            account.unread.append((int(r), reason))
        else:
            account.used += 1
    return builder.table()


# JSON


def _values(block: Block) -> Iterator[tuple[int, int, Any]]:
    """(offset, length, value) of every line of a block; None is a line that is no JSON, `_BLANK` an empty one. Bytes
    that are no UTF-8 are carried through, and replaced in `exports.text`."""
    for offset, length, raw in lines(block):
        if not raw.strip():
            yield offset, length, _BLANK
            continue
        try:
            value = DECODER.decode(raw.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            value = None
        yield offset, length, emailevents.inner(value)


def _json_row(value: Any, kind: str) -> Row | str:
    """A row, or the reason why it is none."""
    if not isinstance(value, dict):
        return "no valid JSON" if value is None else NO_TRACE
    pairs = ((str(name), exports.text(inner)) for name, inner in value.items())
    if kind == "events":
        return _event(pairs)
    row = _row(pairs, kind == "summary")
    return row if kind == "summary" or "recipient" in row.values else NO_TRACE


def _kind(value: Any) -> str:
    """As `fields.kind`, of a JSON object."""
    return f.kind(map(str, value)) if isinstance(value, dict) else "unknown"


def _changed(value: Any, kind: str) -> bool:
    """Has a copy made HTML of an address or Message-ID in it?"""
    names = f.addresses(kind)
    return isinstance(value, dict) and any(
        addresses.changed(exports.text(inner))
        if f.squeezed(str(name)) in names
        else f.squeezed(str(name)) in f.TRACE["message_id"] and addresses.is_escaped(exports.text(inner))
        for name, inner in value.items()
    )


_HOLDING: Final = {"key", "value", "datetime", "properties"}
"""Keys inside of a record that hold what is read."""


def _contradicted(value: Any) -> str | None:
    """A key of which a JSON record says two things."""
    if not isinstance(value, dict):
        return None
    twice = sorted(name for name in names_twice(value) if f.is_read(name) or name.casefold() in _HOLDING)
    return twice[0] if twice else f.contradicted((str(name), exports.text(inner)) for name, inner in value.items())


def json_times(block: Block) -> tuple[list[Times], list[str], int]:
    """(stamps of traces, stamps of Get-MessageTrackingLog, number of records) of a JSON block."""
    found = {True: Times([], True, []), False: Times([], False, [])}
    walls: list[str] = []
    silent = False
    count = 0
    for _, _, value in _values(block):
        count += 1
        kind = _kind(value)
        if kind in ("tracking", "export"):
            stamps = [exports.text(v) for k, v in value.items() if f.slot_of(str(k)) == "date-time"]
            (walls if kind == "export" else found[f.is_utc(map(str, value))].times).extend(stamps)
            continue
        row = _json_row(value, kind)
        if not isinstance(row, str):
            silent |= "status" not in row.values
            found[row.utc].times.append(row["time"])
            found[False].bounds.extend(
                exports.text(v) for k, v in value.items() if f.squeezed(str(k)) in f.BOUNDS and v
            )
    return [one._replace(silent=silent) for one in found.values()], walls, count


def scan_json(block: Block, context: ScanContext) -> Scan:
    """Events of a JSON block, and an account of its records."""
    builder = _Builder(context)
    account = Account()
    places: list[tuple[int, int]] = []
    tracked: dict[tuple[bool, bool | None], dict[int, list[str]]] = {}
    """(Is it Exchange Online's? Of a server before 2013?) → record → fields of a log's record."""
    for r, (offset, length, value) in enumerate(_values(block)):
        places.append((offset, length))
        if context.skip is not None and context.skip[r]:
            account.ignore("duplicate")
            continue
        if value is _BLANK:
            account.ignore("blank")
            continue
        kind = _kind(value)
        reason: str | None = None
        twice = _contradicted(value)
        if twice is not None:
            reason = f.TWICE.format(twice)
        elif _changed(value, kind):
            reason = addresses.CHANGED
        elif kind in ("tracking", "export"):
            zone = None if f.is_utc(map(str, value)) else context.plan.zone
            slots = [(slot, v) for k, v in value.items() if (slot := f.slot_of(str(k)))]
            made = exports.row(slots, context.plan.order, zone)
            if isinstance(made, str):
                reason = made
            else:
                layout = Layout(-1, tuple(map(str, value)))
                tracked.setdefault((layout.online, layout.old), {})[r] = made
        else:
            row = _json_row(value, kind)
            reason = row if isinstance(row, str) else builder.add(row, context.number + r, *places[-1])
            account.used += not reason
        if reason:
            account.unread.append((r, reason))
    tables = [builder.table()]
    offsets, lengths = np.array(places, np.int64).reshape(-1, 2).T.copy()
    for (online, old), fields in sorted(tracked.items(), key=lambda one: str(one[0])):
        rows = [fields.get(r) for r in range(len(places))]
        made_of = exports.events(rows, (offsets, lengths), context, context.number, account, online=online, old=old)
        tables.append(made_of)
    account.unread.sort()
    unread = [(context.number + r, *places[r], reason) for r, reason in account.unread]
    return Scan(
        records=len(places),
        used=account.used,
        ignored=dict(sorted(account.ignored.items())),
        unread=unread_rows(block, unread),
        events=pa.concat_tables(tables),
        noted=tuple(sorted(account.noted)),
    )
