"""detection.json: how the detector was set, as the last detection wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.case import Case, argument
from forensics.custody import canonical, statement
from forensics.errors import CaseError, system_error


def read(case: Case) -> Mapping[str, Any]:
    """Its values; none before a detection. Raises CaseError where it is not what a detection writes."""
    try:
        found = canonical.load(case.detection.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise system_error(error, case.detection) from None
    except ValueError as error:
        raise _damaged(case, str(error)) from None
    if not isinstance(found, dict):
        raise _damaged(case, "it is no object")
    return found


def weighed_alike(case: Case) -> None:
    """Raises CaseError when case.toml says something else by now than `detect` read: a report must not mix states."""
    try:
        before = dict(read(case)["case_toml"]["values"])
    except (ValueError, KeyError, TypeError):
        raise CaseError(
            f"{case.detection}: does not say which settings were used",
            remedy=f"run `missent detect --case {argument(case.folder)}`",
        ) from None
    now = statement.values(case)
    if changed := sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key)):
        raise CaseError(
            f"{case.toml}: {', '.join(changed)} changed since `missent detect` read it",
            expected="findings and report of the same settings",
            remedy=f"run `missent detect --case {argument(case.folder)}`, or undo the change",
        )


def _damaged(case: Case, why: str) -> CaseError:
    return CaseError(
        f"{case.detection}: cannot be read: {why}", remedy=f"run `missent detect --case {argument(case.folder)}` again"
    )
