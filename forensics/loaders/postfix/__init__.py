"""Postfix: syslog lines in any of the usual stamps and containers' prefixes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders import base
from forensics.loaders.base import line_places as places
from forensics.loaders.base import whole_lines as split
from forensics.loaders.postfix.stages import content_sent
from forensics.loaders.settings import Settings

NAME = "postfix"
SYSTEMS = ("postfix",)
FORMATS = (
    ("syslog", "Postfix lines with RFC 3164 stamps (with or without year), RFC 5424 or ISO 8601 stamps of any offset"),
    ("maillog_file", "Postfix's own log file"),
    ("containers", "the same behind the prefixes of Docker, docker compose and Kubernetes"),
)
"""(name, what) of all that this loader reads, for `missent formats`."""

__all__ = [
    "FORMATS", "NAME", "SYSTEMS", "assemble", "content_sent", "detect", "fingerprints", "places", "plan_type", "resume",
    "scan", "shown_ids", "split", "surveyor",
]  # fmt: skip


def detect(head: bytes) -> float:
    """0.99 when a line of the head is a Postfix program's, 0.6 when lines are syslog of others, else 0."""
    from forensics.loaders.postfix.sniff import confidence

    return confidence(head)


def surveyor(name: str, settings: Settings) -> base.Surveyor:
    from forensics.loaders.postfix.survey import Surveyor

    return Surveyor(name, settings)


def plan_type() -> type:
    from forensics.loaders.timing import Plan

    return Plan


def fingerprints(block: base.Block) -> NDArray[np.uint64]:
    from forensics.loaders.postfix.survey import fingerprints as lines

    found: NDArray[np.uint64] = lines(block)
    return found


def scan(block: base.Block, context: base.ScanContext) -> base.Scan:
    from forensics.loaders.postfix.read import scan as read

    return read(block, context)


def host_key(name: str) -> int | None:
    from forensics.loaders.postfix import hosts

    return hosts.key(name)


def statements(events: Any) -> pa.Table:
    from forensics.loaders.postfix import hosts

    return hosts.statements(events)


def resume(fragments: pa.Table) -> Any:
    from forensics.loaders.postfix.read import resume as read

    return read(fragments)


def assemble(events: Any, *, final: bool) -> base.Assembled:
    """Hops and legs of the events; unless `final`, groups that may go on elsewhere come back as fragments."""
    from forensics.loaders.postfix import assembling

    return assembling.assemble(events, final=final)


def shown_ids(record: str) -> tuple[str, ...]:
    """Queue ids that a record names: its own and the next server's."""
    from forensics.loaders.postfix import queue_ids

    return queue_ids.shown(record)
