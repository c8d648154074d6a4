"""A filled-in worksheet, read back: what people found in the messages.

Its rows go into the custody log as they are; the latest row about a delivery counts. A row that the case does not know,
or an answer that is none, refuses the whole sheet.
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.case import Case, undetected
from forensics.custody import log, manifest, staging
from forensics.custody.chain import Clock, now
from forensics.custody.tables import batches
from forensics.errors import UsageError, system_error
from forensics.report.facts.content import WORKSHEET
from forensics.report.formats.worksheet import ASKED, CHOICES, GIVEN, HEAD, NUMBERS, SHEET

LONGEST = 2000
"""Characters of an answer; a sheet that holds more is no worksheet."""
_SIZE = 256 * 1024 * 1024


def take(case: Case, path: Path, *, clock: Clock = now, by: log.By = log.NOBODY) -> tuple[dict[str, Any], ...]:
    """Record the rows of a worksheet in which something is filled in; returns them.

    Raises UsageError naming the row that is wrong, CaseError before a detection.
    """
    if not case.findings.exists():
        raise undetected(case)
    known = {row["delivery_id"] for batch in batches(case.findings) for row in batch.to_pylist()}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise system_error(error, path) from None
    rows: dict[str, dict[str, Any]] = {}
    for number, cells in _rows(path):
        row = _row(path, number, cells)
        if row is None:
            continue
        if row["delivery_id"] not in known:
            raise UsageError(
                f"{path}: row {number}: the case has no finding with delivery {row['delivery_id'] or 'of no name'}",
                expected="the rows that `missent report --format worksheet` wrote, the column Delivery as it was",
                remedy="write the worksheet again after a new detection, and copy the answers into it",
            )
        if row["delivery_id"] in rows:
            raise UsageError(f"{path}: row {number}: delivery {row['delivery_id']} is there twice", remedy="keep one")
        rows[row["delivery_id"]] = row
    if not rows:
        raise UsageError(f"{path}: nothing is filled in", expected="answers in the columns on the right")
    taken = tuple(rows.values())
    details = {"sha256": hashlib.sha256(content).hexdigest(), "rows": list(taken)}
    with staging.change(case, WORKSHEET) as staged:
        manifest.touch(staged.next, WORKSHEET, details, clock, by=by)
    return taken


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(row number as the spreadsheet shows it, column → cell) of the rows below the titles."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    expected = "the workbook that `missent report --format worksheet` wrote"
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(one.file_size for one in packed.infolist()) > _SIZE:
                raise UsageError(f"{path}: unpacks to more than {_SIZE // 2**20} MiB", expected=expected)
        # Formulas are read as their text, never as a result that a stranger's program has stored.
        with warnings.catch_warnings():  # of headers and footers, which nothing is read from
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UsageError(f"{path}: is no worksheet: {error}", expected=expected) from None
    columns = (*GIVEN, *ASKED)
    try:
        if SHEET not in book.sheetnames:
            raise UsageError(f"{path}: has no sheet {SHEET}", expected=expected)
        for number, cells in enumerate(book[SHEET].iter_rows(values_only=True), 1):
            if number > HEAD and any(cell not in (None, "") for cell in cells):
                yield number, dict(zip(columns, cells, strict=False))
    finally:
        book.close()


def _row(path: Path, number: int, cells: Mapping[str, Any]) -> dict[str, Any] | None:
    """A row's answers, checked; None where nothing is filled in."""
    row: dict[str, Any] = {"delivery_id": str(cells.get("delivery_id") or "").strip()}
    for key in ASKED:
        value = cells.get(key)
        if key in NUMBERS:
            row[key] = _number(path, number, key, value)
        else:
            row[key] = "" if value is None else str(value).strip()
            if len(row[key]) > LONGEST:
                raise UsageError(f"{path}: row {number}: {key} has more than {LONGEST} characters")
    for key, choices in CHOICES.items():
        row[key] = row[key].lower()
        if row[key] and row[key] not in choices:
            wrong = f"{path}: row {number}: {key}: {row[key]!r}"
            raise UsageError(wrong, expected=", ".join(choices) + ", or nothing")
    if all(row[key] in ("", None) for key in ASKED):
        return None
    if not row["opened"]:
        raise UsageError(f"{path}: row {number}: opened is empty", expected=", ".join(CHOICES["opened"]))
    return row


def _number(path: Path, number: int, key: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        found = int(str(value).strip()) if not isinstance(value, float) or value.is_integer() else -1
    except ValueError:
        found = int(value) if isinstance(value, float) else -1
    if found < 0 or isinstance(value, bool):
        raise UsageError(f"{path}: row {number}: {key}: {value!r}", expected="a whole number, or nothing")
    return found
