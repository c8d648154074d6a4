"""The timeline as CSV for DFIR-IRIS.

Columns as IRIS checks them on upload of a timeline (`case_events_upload_csv` in
source/app/blueprints/rest/case/case_timeline_routes.py): all ten, a title in every row, no line break inside a cell
(the upload is cut into lines first). Assets and indicators must exist in the case before, so none are named; an empty
category is IRIS's default one. `event_tags` are separated by `|`.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC

from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.formats.csvs import guarded
from forensics.report.formats.events import Event, events, records
from forensics.report.text.context import Context
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words

COLUMNS = (
    "event_date", "event_tz", "event_title", "event_category", "event_content", "event_raw", "event_source",
    "event_assets", "event_iocs", "event_tags",
)  # fmt: skip


def render(facts: f.Facts, context: Context) -> bytes:
    """The CSV, without a byte order mark: it would become part of the first column's name."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(event, context.words) for event in events(facts, context.words))
    return out.getvalue().encode("utf-8")


def _row(event: Event, words: Words) -> list[str]:
    at = event.at.astimezone(UTC)
    x = event.finding
    raw = "" if x is None else "; ".join(part for part in (records(x), x.delivery_id) if part)
    tags = ["missent", event.kind] if x is None else ["missent", event.kind, x.state, x.exposure]
    if x is not None and tallies.was_sent(x):
        tags.append("content-sent")
    if x is not None and tallies.may_have_been(x):
        tags.append("content-sent-unknown")
    title = words(f"events.kind.{event.kind}")
    cells = (
        f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}",
        "+00:00",
        f"{title}: {x.ref}" if x else event.message,
        "",
        event.message,
        raw,
        "missent",
        "",
        "",
        "|".join(tags),
    )
    # `+00:00` is a time zone that IRIS reads, and no formula.
    return [cell if index == 1 else guarded(visible(cell))[0] for index, cell in enumerate(cells)]
