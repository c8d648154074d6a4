"""Records as they stand in the evidence, for people who want to read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from forensics.case import Case
from forensics.custody import reread
from forensics.custody.evidence import blocks
from forensics.custody.manifest import EvidenceEntry, Manifest
from forensics.errors import EvidenceError

Address = tuple[str, int, int, int]
"""(evidence id, record number, byte offset in the decompressed content, length), as in `schema.RECORD`."""


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


def _from(case: Case, evidence: EvidenceEntry, addresses: list[Address]) -> dict[Address, bytes]:
    found: dict[Address, bytes] = {}
    source = next(reread.places(case, evidence), None)
    if source is None:
        return found
    rest = iter(addresses)
    address = next(rest, None)
    try:
        cutter = reread.Cutter(evidence.loader)
        for block in blocks(source, cutter.split, begin=cutter.begin):
            while address and address[2] < block.offset + len(block.data):
                start = address[2] - block.offset
                found[address] = block.data[start : start + address[3]].tobytes()
                address = next(rest, None)
            if address is None:
                break
    except EvidenceError:
        # A file that cannot be opened any more is named by `verify`; what was read before stays quoted.
        return found
    return found
