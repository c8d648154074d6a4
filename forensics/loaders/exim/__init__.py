"""Exim: the mainlog, as Exim's own file or by way of syslog.

The small loader: plain Python over lines, Arrow between the steps. `lines` reads what stands in front of a line,
`fields` the rest of it; `survey` goes over a whole file once, `read` makes events, `assembling` makes hops and legs of
them. All follows the chapter "Log files" of Exim's specification
(https://www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html) and was tried on Exim 4.96.
"""

from __future__ import annotations

from forensics.loaders.base import whole_lines as split
from forensics.loaders.exim.assembling import assemble
from forensics.loaders.exim.lines import detect, shown_ids
from forensics.loaders.exim.read import fingerprints, places, resume, scan, statements
from forensics.loaders.exim.stages import content_sent
from forensics.loaders.exim.survey import Surveyor as surveyor
from forensics.loaders.exim.survey import host_key

NAME = "exim"
SYSTEMS = ("exim",)
FORMATS = (
    ("mainlog", "Exim's mainlog with any log_selector and log_timezone; give the host of plain files in case.toml"),
    (
        "mainlog in syslog",
        "the same lines behind stamp, host and `exim[pid]:`, with or without their own stamp",
    ),
)


def plan_type() -> type:
    """`forensics.loaders.timing.Plan`."""
    from forensics.loaders.timing import Plan

    return Plan


__all__ = [
    "FORMATS", "NAME", "SYSTEMS", "assemble", "content_sent", "detect", "fingerprints", "host_key", "places",
    "plan_type", "resume", "scan", "shown_ids", "split", "statements", "surveyor",
]  # fmt: skip
