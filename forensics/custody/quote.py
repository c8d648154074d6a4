"""Records as they stand in the evidence, for people who want to read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from forensics.case import Case
from forensics.custody import places
from forensics.custody.evidence import blocks
from forensics.custody.manifest import EvidenceEntry, Manifest
from forensics.errors import EvidenceError

Address = tuple[str, int, int, int]
"""(evidence id, record number, byte offset in the decompressed content, length), as in `schema.RECORD`."""
_STEP = 1 << 20
"""Bytes that are unpacked at a time: what lies behind the last record wanted is not unpacked."""


def quote(case: Case, inventory: Manifest, records: Iterable[Address]) -> dict[Address, bytes]:
    """The bytes of each record, read from the evidence now. Records whose evidence is gone are left out."""
    known = inventory.evidence_by_id()
    wanted: dict[str, set[Address]] = defaultdict(set)
    for record in records:
        wanted[record[0]].add(record)
    found: dict[Address, bytes] = {}
    for name, addresses in wanted.items():
        if name in known:
            found |= _from(case, known[name], sorted(addresses, key=lambda address: address[2]))
    return found


def text(content: bytes, encoding: str = "") -> str:
    """A record's bytes as text, in the encoding that its evidence was read in; UTF-8 where that is none.

    >>> text("navy.ml".encode("utf-16-le"), "utf-16-le"), text(b"navy.ml")
    ('navy.ml', 'navy.ml')
    """
    return content.decode(encoding or "utf-8", "backslashreplace")


def _from(case: Case, evidence: EvidenceEntry, addresses: list[Address]) -> dict[Address, bytes]:
    """Blocks are cut anywhere: an address says where its record lies, whatever the format."""
    found: dict[Address, bytes] = {}
    source = next(places.recorded(case, evidence), None)
    if source is None:
        return found
    rest = iter(addresses)
    address = next(rest, None)
    begun: list[tuple[Address, bytearray]] = []
    try:
        for block in blocks(source, lambda data, _last: len(data), size=_STEP):
            ends = block.offset + len(block.data)
            while address and address[2] < ends:
                begun.append((address, bytearray()))
                address = next(rest, None)
            for one, taken in begun:
                start = max(one[2] - block.offset, 0)
                taken += block.data[start : max(one[2] + one[3] - block.offset, 0)].tobytes()
            found |= {one: bytes(taken) for one, taken in begun if one[2] + one[3] <= ends}
            begun = [(one, taken) for one, taken in begun if one[2] + one[3] > ends]
            if address is None and not begun:
                break
    except EvidenceError:
        # A file that cannot be opened any more is named by `verify`; what was read before stays quoted.
        return found
    return found
