"""Addresses whose domains hold signs that stand for a letter which was lost: `x@m?nchen.example`.

A conversion writes `?` where its character set has no such letter, a reader U+FFFD where bytes are no text of it. What
was logged is another domain, and which one nobody can tell: so it is said of the file, and detection takes such a
domain for none (`detector.history`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics import domains
from forensics.columns import flat
from forensics.loaders import losses
from forensics.loaders.base import Assembled

KIND = "letters"
_SIGNS = ("?", "\ufffd")
_LOST = rf"@[^@]*{domains.LOST}[^@]*$"


def told(made: Assembled) -> Assembled:
    """With a row of `LOSSES` for each evidence and such domain of recipients."""
    recipients = flat(made.legs["recipient"])
    few = pc.or_(*(pc.match_substring(recipients, sign) for sign in _SIGNS))
    if not pc.any(few).as_py():
        return made
    legs = made.legs.filter(pc.and_(few, pc.match_substring_regex(recipients, _LOST)))
    found: dict[tuple[int, str], list[Any]] = {}
    for recipient, at, records in zip(
        legs["recipient"].to_pylist(), legs["at"].cast(pa.int64()).to_pylist(), legs["records"].to_pylist(), strict=True
    ):
        first = records[0] if records else None
        if first is not None:
            domain = recipient.rpartition("@")[2].lower()
            row = found.setdefault(
                (first["evidence"], domain),
                [KIND, first["evidence"], None, at, 0, first["number"], first["offset"], f"@{domain}"],
            )
            row[4] += 1
    if not found:
        return made
    tables = [table for table in (made.losses, losses.rows(found.values())) if table is not None]
    return replace(made, losses=pa.concat_tables(tables))
