"""A bag as somebody hands it over: is it whole, is nothing beside it, and does the case in it verify.

Nothing in a bag is believed before its structure is: no link, no device, no file that its manifests do not name, no
name that leads out of it (which the BagIt library compares as text, so that `../bag-2/x` would pass for inside `bag`).
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics import casefile as case_files
from forensics.case import Case
from forensics.custody import bags, canonical, log, manifest, seal, verify
from forensics.custody.checks import Check, Verification, checked
from forensics.errors import MissentError
from forensics.progress import Progress

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def is_bag(folder: Path) -> bool:
    return (folder / bags.DECLARATION).is_file() or (folder / bags.TAGS).is_file()


def case_in(bag: Path) -> Case:
    """Where a bag keeps its case."""
    return Case(bag / "data" / bags.CASE)


def evidence_in(bag: Path) -> Path:
    """Where a bag keeps its evidence, if it has any."""
    return bag / "data" / bags.EVIDENCE


def check(bag: Path, *, all_records: bool = False, progress: Progress | None = None, **how: Any) -> Verification:
    """Check a bag and what is in it; writes nothing. `how`: as `verify.verify` takes it for stamps and signatures."""
    faults = _structure(bag)
    info: Mapping[str, Any] = {}
    if not faults:
        info, faults = _validated(bag)
    if faults:
        return _told([checked("bag", faults, "")], "")
    digest = canonical.file_digest(bag / bags.TAGS)
    checks = [Check("bag", True, f"as it was made, {info.get('Bagging-Date')}; SHA-256 of {bags.TAGS} {digest}")]
    data = bag / "data"
    if (data / bags.CASE).is_dir():
        return _full(data, info, checks, all_records, progress, how)
    if (data / bags.DIGESTS).is_file():
        return _told([*checks, *_redacted(data, info)], "; what it was made from is not in it: not checked")
    return _told([*checks, Check("content", False, "neither a case nor a redacted report is in it")], "")


def _told(checks: list[Check], rest: str) -> Verification:
    ok = all(one.ok is not False for one in checks)
    return Verification(ok, tuple(checks), "bag", f"the bag is as it was made{rest}" if ok else "")


def _structure(bag: Path) -> list[str]:
    there, faults = _walk(bag)
    for name in sorted(bags.ROOT - there):
        faults.append(f"{name} is missing")
    for name in sorted(one for one in there - bags.ROOT if not one.startswith("data/")):
        faults.append(f"{name} lies beside the bag's own files")
    if faults:
        return faults
    payload = {one for one in there if one.startswith("data/")}
    for listing, wanted in ((bags.TAGS, bags.ROOT - {bags.TAGS}), (bags.MANIFEST, payload)):
        names, wrong = _listed(bag / listing)
        faults += wrong
        faults += [f"{name} is listed in {listing}, but missing" for name in sorted(names - wanted)]
        faults += [f"{name} is not listed in {listing}" for name in sorted(wanted - names)]
    return faults


def _walk(bag: Path) -> tuple[set[str], list[str]]:
    found: set[str] = set()
    faults = []
    for folder, folders, files in os.walk(bag):
        for name in (*folders, *files):
            place = Path(folder) / name
            mode = place.lstat().st_mode
            if stat.S_ISREG(mode):
                found.add(place.relative_to(bag).as_posix())
            elif not stat.S_ISDIR(mode):
                faults.append(f"{place.relative_to(bag).as_posix()} is a link or a device")
    return found, faults


def _listed(place: Path) -> tuple[set[str], list[str]]:
    try:
        lines = place.read_text("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        return set(), [f"{place.name} is no UTF-8"]
    names: set[str] = set()
    faults = []
    for number, line in enumerate(lines, 1):
        parsed = _LINE.fullmatch(line)
        if parsed is None or parsed[2] in names:
            faults.append(f"{place.name} line {number}: no digest and name, or a name that stands twice")
        else:
            names.add(parsed[2])
    return names, faults


def _validated(bag: Path) -> tuple[Mapping[str, Any], list[str]]:
    """(bag-info.txt, faults): digests and sizes by the BagIt library."""
    import bagit

    logging.getLogger(bagit.MODULE_NAME).setLevel(logging.CRITICAL + 1)
    try:
        found = bagit.Bag(str(bag.absolute()))
        found.validate(processes=1)
    except bagit.BagError as error:
        details = getattr(error, "details", None) or ()
        return {}, [str(one) for one in details] or [str(error) or "is no bag"]
    except (ValueError, OSError, LookupError, AttributeError) as error:
        return {}, [f"cannot be read as a bag ({error})"]
    return found.info, []


def _full(
    data: Path,
    info: Mapping[str, Any],
    checks: list[Check],
    all_records: bool,
    progress: Progress | None,
    how: Mapping[str, Any],
) -> Verification:
    case, evidence = case_in(data.parent), evidence_in(data.parent)
    there = evidence.is_dir() or info.get("Missent-Evidence") != "none"
    try:
        case_files.read(case)
        inventory = manifest.read(case)
        checks.append(_info(case, inventory, info))
        checks.append(_names(data, inventory))
        inner = verify.verify(
            case, evidence=evidence if there else None, all_records=all_records, progress=progress, bag=True, **how
        )
    except MissentError as error:
        return _told([*checks, Check("case", False, error.what)], "")
    return _told([*checks, *inner.checks], "" if there else "; evidence not in this bag: not checked")


def _info(case: Case, inventory: manifest.Manifest, info: Mapping[str, Any]) -> Check:
    head = log.head(case)
    expected = {
        "External-Identifier": manifest.case_state_digest(case, inventory),
        "Missent-Custody-Head": f"{head.sequence} {head.digest}",
        "Missent-Edition": "full",
    }
    wrong = [
        f"{name} is {info.get(name)!r}, the case has {one}" for name, one in expected.items() if info.get(name) != one
    ]
    return checked(bags.INFO, wrong, f"of this case, custody head {head.sequence}")


def _names(data: Path, inventory: manifest.Manifest) -> Check:
    """The table of names against the manifest."""
    place = data / bags.TABLE
    try:
        head, *rows = place.read_text("utf-8").removesuffix("\n").split("\n")
        cells = [row.split("\t") for row in rows]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        return Check(bags.TABLE, False, f"cannot be read ({error})")
    where = bags.COLUMNS.index("in_bag")
    known = [row.split("\t") for one in inventory.evidence for row in bags.rows(one, "")]
    faults = []
    if head.split("\t") != list(bags.COLUMNS) or [[*c[:where], "", *c[where + 1 :]] for c in cells] != known:
        faults.append("other names, sizes or digests than the case's manifest has")
    missing = {c[where] for c in cells if len(c) > where and c[where] and not (data / c[where]).is_file()}
    faults += [f"{name} is not there" for name in sorted(missing)]
    return checked(bags.TABLE, faults, f"the names of {len(inventory.evidence):,} evidence files")


def _redacted(data: Path, info: Mapping[str, Any]) -> list[Check]:
    try:
        told = json.loads((data / bags.DIGESTS).read_text("utf-8"))
        state, sequence, digest = told["case_state"], told["custody"]["sequence"], told["custody"]["digest"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return [Check(bags.DIGESTS, False, f"is not as Missent wrote it ({error!r})")]
    wrong = []
    if (info.get("External-Identifier"), info.get("Missent-Custody-Head")) != (state, f"{sequence} {digest}"):
        wrong.append("bag-info.txt names another case state or custody head")
    faults, earlier, right = [], [], 0
    sealed: set[Path] = set()
    reports = data / bags.REPORTS
    for place in sorted(reports.rglob("*" + seal.SUFFIX)):
        sealed.add(place)
        try:
            parts = seal.read(place)
        except (ValueError, OSError) as error:
            faults.append(f"{place.name}: cannot be read as a seal ({error})")
            continue
        for part in parts:
            file = place.parent / part.name
            if file.is_file():
                sealed.add(file)
                if canonical.file_digest(file) != part.sha256:
                    faults.append(f"{part.name}: was changed after it was sealed")
                else:
                    right += 1
                    earlier += [part.name] if part.case_state != state else []
    faults += [
        f"{one.name}: no seal holds it" for one in sorted(reports.rglob("*")) if one.is_file() and one not in sealed
    ]
    remarks = [f"from an earlier state of the case: {', '.join(earlier)}"] if earlier else []
    return [
        checked(bags.DIGESTS, wrong, f"of case state {state}, custody head {sequence} {digest}"),
        checked("reports", faults, f"{right} as sealed", remarks),
        Check("case", None, "tables, custody log and evidence are not in this bag: not checked"),
    ]


__all__ = ["case_in", "check", "evidence_in", "is_bag"]
