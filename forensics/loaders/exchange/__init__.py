"""Exchange: message tracking logs of all versions, and what Exchange Online exports.

One loader for both, because one message may lie in both and is then one journey: `tracking` reads logs and extended
reports, `online` summaries and traces (CSV and JSON). See `event_ids` for what each event means.

The reading itself is imported when the first block comes: recognising a file must not wait for compiled code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from forensics.loaders.base import Assembled, Block, Places, Scan, ScanContext
from forensics.loaders.exchange.sniff import detect
from forensics.loaders.settings import Settings

if TYPE_CHECKING:
    from forensics.loaders.exchange.survey import Surveyor

NAME = "exchange"
SYSTEMS = ("exchange", "exchange-online")
FORMATS = (
    ("tracking", "message tracking logs of Exchange 2007 to SE, by their #Fields header"),
    ("tracking export", "Get-MessageTrackingLog exports, CSV, JSON and Excel workbooks"),
    ("historical search", "Exchange Online historical-search CSV, summary and extended, also saved by Excel"),
    ("message trace", "Get-MessageTrace and Get-MessageTraceV2 exports, CSV, JSON and Excel workbooks"),
    ("trace service", "Reporting-service and Graph message traces, JSON and NDJSON"),
    ("email events", "Defender XDR and Sentinel EmailEvents (advanced hunting, Log Analytics), CSV and JSON"),
)
"""(name, what) of all that this loader reads, for `missent formats`."""

__all__ = [
    "FORMATS", "NAME", "SYSTEMS", "assemble", "detect", "fingerprints", "places", "plan_type", "resume", "scan",
    "shown_ids", "split", "surveyor",
]  # fmt: skip
_QUEUED_AS = re.compile(r"queued as ([0-9a-z]{5,20})\b")


def split(data: np.ndarray[Any, np.dtype[np.uint8]], last: bool) -> int:
    """Complete records at the start of `data`: CSV by its quotes."""
    from forensics.loaders.exchange import read

    return read.split(data, last)


def surveyor(name: str, settings: Settings) -> Surveyor:
    """`Survey.plan` is a `survey.ScanPlan`: headers and where they hold, date order."""
    from forensics.loaders.exchange.survey import Surveyor

    return Surveyor(name, settings)


def plan_type() -> type:
    from forensics.loaders.exchange.survey import ScanPlan

    return ScanPlan


def fingerprints(block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """One hash for each record."""
    from forensics.loaders.exchange import read

    return read.fingerprints(block)


def places(block: Block) -> tuple[Places, Places]:
    """Where records lie in the evidence."""
    from forensics.loaders.exchange import read

    return read.places(block)


def scan(block: Block, context: ScanContext) -> Scan:
    """Events (`events.EVENTS`) of a block, and an account of its records."""
    from forensics.loaders.exchange import read

    return read.scan(block, context)


def resume(fragments: pa.Table) -> pa.Table:
    """Fragments are events as they are."""
    from forensics.loaders.exchange.events import EVENTS

    return fragments.select(EVENTS.names).cast(EVENTS)


def assemble(events: Any, *, final: bool) -> Assembled:
    """Hops and legs of the events; unless `final`, groups that may go on elsewhere come back as fragments."""
    from forensics.loaders.exchange import assembling

    return assembling.assemble(events, final=final)


def shown_ids(record: str) -> tuple[str, ...]:
    """The queue id that the next server gave, where its reply is logged."""
    found = _QUEUED_AS.search(record)
    return (found[1],) if found else ()
