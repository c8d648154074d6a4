"""Verdicts by spreadsheet: a CSV of all incidents and findings, and the way back.

No cell can run in a spreadsheet: one that begins with = + - @ TAB CR or LF gets a leading apostrophe, which the import
takes away again (a cell that itself begins with apostrophes before such a character gets one more). The first row
below the header says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics import named, sent
from forensics.case import Case, undetected
from forensics.cells import guard, unguard
from forensics.custody import log, manifest
from forensics.custody.chain import Clock, now
from forensics.custody.tables import batches, files
from forensics.errors import UsageError, system_error
from forensics.report.text.visible import visible
from forensics.review.reach import reach
from forensics.review.verdicts import NewVerdict, read, record_all
from forensics.rulings import Held, Verdict, held, on
from forensics.schema import VERDICTS

COLUMNS = (
    "kind", "observed_domain", "intended_domain", "delivery_id", "verdict", "reason", "reviewer", "level", "score",
    "submitted_at", "sender", "recipient", "subject", "outcome", "exposure", "origin", "findings", "why",
)  # fmt: skip
NOTE = (
    "Fill in verdict (confirmed, dismissed or undecided), reason and reviewer; leave the other columns as they are. "
    "A row of kind incident rules on all its findings, a row of kind delivery on that one. "
    "A leading apostrophe before = + - @ keeps a cell from being run and is removed on import."
)


def export_csv(case: Case, path: Path) -> int:
    """Write the list to rule on (UTF-8 with byte order mark, so that Excel reads it); returns its rows.

    Columns: see COLUMNS; incidents with the most exposed deliveries first, each followed by its findings by time.
    Raises CaseError before detection, UsageError where something has that name, OSError when it cannot be written.
    """
    named.new("--export", path)
    verdicts = held(read(case))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow(["note", *[""] * (len(COLUMNS) - 2), NOTE])
    rows = 0
    for row in _rows(case, verdicts):
        writer.writerow([guard(str(row.get(column, ""))) for column in COLUMNS])
        rows += 1
    named.write("--export", path, ("\ufeff" + out.getvalue()).encode())
    return rows


def _rows(case: Case, verdicts: Held) -> Iterator[dict[str, Any]]:
    found = list(incidents(case))
    for incident in found:
        pair = (incident["observed_domain"], incident["intended_domain"])
        yield {
            "kind": "incident",
            "observed_domain": pair[0],
            "intended_domain": pair[1],
            **_ruled(on(verdicts, pair)),
            "score": f"{incident['score']:.4f}",
            "submitted_at": incident["findings"][0]["submitted_at"],
            "findings": len(incident["findings"]),
            "why": visible(incident["slip"] or ""),
        }
        for row in incident["findings"]:
            ruled = on(verdicts, pair, row["delivery_id"])
            yield {
                "kind": "delivery",
                "observed_domain": pair[0],
                "intended_domain": pair[1],
                "delivery_id": row["delivery_id"],
                **_ruled(ruled if ruled and ruled.deliveries else None),
                "level": row["level"],
                "score": f"{row['score']:.4f}",
                "submitted_at": row["submitted_at"],
                **{key: visible(row[key] or "") for key in ("sender", "recipient", "subject")},
                **{key: row[key] for key in ("outcome", "exposure", "origin")},
                "why": visible("; ".join(row["reasons"])),
            }


def _ruled(verdict: Verdict | None) -> dict[str, str]:
    if verdict is None:
        return {"verdict": "", "reason": "", "reviewer": ""}
    return {"verdict": verdict.verdict, "reason": verdict.reason, "reviewer": verdict.reviewer}


def incidents(case: Case) -> Iterator[dict[str, Any]]:
    """Incidents as mappings, most exposed first, with `findings` (time, addresses, reasons' texts) by time; counts
    are of all these findings (`reach`).

    Raises CaseError before detection.
    """
    if not case.findings.exists() or not case.incidents.exists():
        raise undetected(case)
    found = [row for batch in batches(case.findings) for row in batch.to_pylist()]
    wanted = {row["delivery_id"] for row in found}
    message = ["system", "host", "queue_id", "network_message_id", "submitted_at"]
    columns = ["delivery_id", "sender", "recipient", "subject", "outcome", "response", "attempts", "records", *message]
    read_by = {one.id: one.loader for one in manifest.read(case).evidence}
    deliveries: dict[str, Mapping[str, Any]] = {}
    for path in files(case, "deliveries"):
        for batch in batches(path, columns):
            deliveries |= {row["delivery_id"]: row for row in batch.to_pylist() if row["delivery_id"] in wanted}
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        delivery = dict(deliveries.get(row["delivery_id"], dict.fromkeys(columns)))
        delivery["message"] = tuple(delivery[name] for name in message)
        at = delivery["submitted_at"]
        delivery["submitted_at"] = at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""
        texts = [reason["text"] for reason in row["reasons"] or ()]
        delivery["content_sent"] = sent.of(delivery, read_by)
        grouped.setdefault(row["incident_id"], []).append({**delivery, **row, "reasons": texts})
    listed = [row for batch in batches(case.incidents) for row in batch.to_pylist() if row["incident_id"] in grouped]
    listed.sort(key=lambda row: (-row["exposed"], -row["messages"], row["observed_domain"], row["intended_domain"]))
    for incident in listed:
        rows = grouped[incident["incident_id"]]
        ordered = sorted(rows, key=lambda row: (row["submitted_at"], row["delivery_id"]))
        yield {**incident, **reach(rows), "findings": ordered}


def import_csv(
    case: Case, path: Path, *, reviewer: str | None = None, by: log.By = log.NOBODY, clock: Clock = now
) -> tuple[Verdict, ...]:
    """Record the rulings of a list that differ from the current ones; all of them or, when a row is wrong, none.

    `reviewer` stands for every row whose verdict or reason is new; without it the row's own cell. Comma, semicolon and
    tab separated files are read, UTF-8 with or without byte order mark. Raises UsageError naming the wrong line.
    """
    verdicts = held(read(case))
    wanted: list[tuple[NewVerdict, str]] = []
    for line, row in _read(path):
        if row["kind"] not in ("incident", "delivery") or not row["verdict"]:
            continue
        where = f"{path.name} line {line}"
        if row["verdict"] not in VERDICTS:
            raise UsageError(f"{where}: {row['verdict']!r} is no verdict", expected=", ".join(VERDICTS))
        if row["kind"] == "delivery" and not row["delivery_id"]:
            raise UsageError(f"{where}: names no delivery", remedy="leave the column delivery_id as it was exported")
        ruling = NewVerdict(
            row["observed_domain"],
            row["intended_domain"],
            row["verdict"],
            row["reason"],
            (row["delivery_id"],) if row["kind"] == "delivery" else (),
        )
        if _same(ruling, row["reviewer"], verdicts):
            continue
        who = reviewer or row["reviewer"]
        if not who:
            raise UsageError(
                f"{where}: nobody is named as reviewer", remedy="fill in the column or give --reviewer NAME"
            )
        if not ruling.reason:
            raise UsageError(f"{where}: a verdict needs a reason", expected=f"why it is {ruling.verdict}")
        wanted.append((ruling, who))
    return record_all(case, wanted, by=by, clock=clock)


def _same(ruling: NewVerdict, reviewer: str, verdicts: Held) -> bool:
    """Whether the row only repeats the verdict that counts already."""
    one = on(verdicts, (ruling.observed_domain, ruling.intended_domain), *ruling.deliveries)
    if one is None or bool(one.deliveries) != bool(ruling.deliveries):
        return False
    return (one.verdict, one.reason) == (ruling.verdict, ruling.reason) and reviewer in ("", one.reviewer)


def _read(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", expected="the list that `--export` wrote") from None
    except OSError as error:
        raise system_error(error, path) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: byte {error.start:,} is no UTF-8", remedy="save the list as “CSV UTF-8 (comma delimited)”"
        ) from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(1 << 24)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        needed = {"kind", "observed_domain", "intended_domain", "delivery_id", "verdict", "reason", "reviewer"}
        if missing := sorted(needed - set(header)):
            raise UsageError(
                f"{path}: has no column {', '.join(missing)}", expected="the list that `missent review --export` writes"
            )
        for cells in reader:
            row = dict.fromkeys(header, "") | dict(zip(header, map(unguard, cells), strict=False))
            row["kind"], row["verdict"] = row["kind"].strip().lower(), row["verdict"].strip().lower()
            row |= {column: row[column].strip() for column in ("delivery_id", "reason", "reviewer")}
            yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"{path} line {reader.line_num}: {error}", expected="CSV") from None
