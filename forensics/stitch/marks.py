"""What joining needs to know of single hops and legs, as flags and hashes, and what filters say of what they took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics import schema
from forensics.columns import flat, hashes, one_chunk, reaches
from forensics.native import codes

Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]


def optional(table: pa.Table, name: str, kind: pa.DataType) -> Any:
    """A column that not every batch has; nulls where it is missing."""
    return table[name] if name in table.column_names else pa.nulls(len(table), kind)


def places(column: Any, names: Sequence[str]) -> Longs:
    """The place of each word of a column in `names`."""
    coded = one_chunk(column)
    if not len(coded):
        return np.zeros(0, np.int64)
    coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
    table: Longs = np.array([names.index(v) for v in coded.dictionary.to_pylist()] or [0], np.int64)
    indices: Longs = coded.indices.to_numpy(zero_copy_only=False)
    return table[indices]


def micros(column: Any) -> Longs:
    """Times as microseconds since 1970 UTC."""
    found: Longs = flat_numbers(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    return found


def flat_numbers(column: Any) -> Any:
    """A number column without nulls as numpy."""
    return column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)


def truth(column: Any) -> NDArray[np.bool_]:
    """A truth column as numpy, null as False."""
    filled = pc.fill_null(column, False)
    out: NDArray[np.bool_] = (
        filled.to_numpy() if isinstance(filled, pa.ChunkedArray) else filled.to_numpy(zero_copy_only=False)
    )
    return out.astype(np.bool_)


def text(table: pa.Table, name: str) -> pa.StringArray:
    """An optional column as one array of strings."""
    return flat(optional(table, name, pa.string()))


def hop_flags(hops: pa.Table, name: pa.StringArray, address: pa.StringArray) -> Longs:
    """The flags of hops in `native.codes`; `name`, `address`: who connected."""
    reach, loops = reaches(address)
    local = truth(pc.equal(text(hops, "submission"), "local"))
    unseen = ~truth(pc.is_valid(name)) & ~truth(pc.is_valid(address)) & ~local
    flags: Longs = (
        truth(optional(hops, "greylisted", pa.bool_())) * codes.GREYLISTED
        + truth(hops["born"]) * codes.BORN
        + truth(hops["closed"]) * codes.CLOSED
        + (reach == codes.OWN) * codes.FROM_SELF
        + (reach == codes.PRIVATE) * codes.FROM_INSIDE
        + local * codes.FROM_PROGRAM
        + unseen * codes.FROM_UNSEEN
        + loops * codes.FROM_LOOP
        + (truth(pc.is_valid(hops["authenticated_user"])) & ~local) * codes.KNOWN_USER
    ).astype(np.int64)
    return flags


def leg_flags(legs: pa.Table, relay: Longs, loops: NDArray[np.bool_]) -> Longs:
    """The flags of legs in `native.codes`; `relay`, `loops`: `columns.reaches` of their relays' addresses."""
    program = truth(optional(legs, "program", pa.bool_()))
    port = optional(legs, "port", pa.int32())
    mailbox = truth(optional(legs, "mailbox", pa.bool_()))
    here = np.flatnonzero((relay == codes.OWN) & ~mailbox)
    if len(here):
        port_here = flat_numbers(pc.fill_null(port, 0))[here]
        mailbox[here] = _says(legs["response"], here, _STORED) | (port_here == LMTP)
    flags: Longs = (
        truth(optional(legs, "forwarded", pa.bool_())) * codes.FORWARDED
        + mailbox * codes.MAILBOX
        + (~truth(pc.is_valid(legs["original_recipient"])) & ~truth(optional(legs, "refused", pa.bool_())))
        * codes.DIRECT
        + program * codes.PROGRAM
        + (program | truth(pc.is_valid(port))) * codes.SHOWN
        + loops * codes.TO_LOOP
    ).astype(np.int64)
    return flags


LMTP = 24
"""Port of stores that take mail by LMTP (RFC 2033, 5: not that of SMTP)."""
_STORED = r"\bSaved$"
"""What Dovecot's LMTP server says of mail in a mailbox: `250 2.0.0 <address> SESSION Saved`."""
_DESTROYED = r"(?i)\b(discard(ed|ing)?|destroyed|dropped)\b"
_KEPT = r"(?i)\bquarantin(ed?|ing)\b"
"""What filters say of mail that they took and do not give back: amavis (`2.7.0 Ok, discarded, id=… - spam`), ClamSMTP
(`Virus Detected; Discarded Email`) and others, as their logs in public show them."""


def settled(legs: pa.Table, relay: Longs) -> Longs:
    """The outcome of each leg as `schema.OUTCOMES`: what a filter of the organisation's own network says that it
    destroyed or keeps was not delivered. What servers of the world say of themselves is not believed."""
    outcome = places(legs["outcome"], schema.OUTCOMES)
    inside = (relay != codes.PUBLIC) | truth(optional(legs, "program", pa.bool_()))
    taken = np.flatnonzero(inside & (outcome == codes.DELIVERED))
    if len(taken):
        outcome[taken[_says(legs["response"], taken, _KEPT)]] = codes.HELD
        outcome[taken[_says(legs["response"], taken, _DESTROYED)]] = codes.DISCARDED
    return outcome


def _says(column: Any, rows: Longs, pattern: str) -> NDArray[np.bool_]:
    """Whether these rows of a string column match."""
    return truth(pc.match_substring_regex(one_chunk(column).take(pa.array(rows)), pattern))


def targets(legs: pa.Table, host: Hashes, relay_address: Hashes) -> Hashes:
    """One number for who took each leg; 0 where nobody is named."""
    port = flat_numbers(pc.fill_null(optional(legs, "port", pa.int32()), 0)).astype(np.uint64)
    place = np.where(relay_address != 0, relay_address, hashes(legs["relay_name"]))
    with np.errstate(over="ignore"):
        mixed = (place ^ (port * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xC2B2AE3D27D4EB4F) ^ host
    return np.where(place != 0, mixed | np.uint64(1), np.uint64(0))
