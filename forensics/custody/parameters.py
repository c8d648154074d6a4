"""detection.json: how the detector was set, as the last detection wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.case import Case
from forensics.custody import canonical
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


def _damaged(case: Case, why: str) -> CaseError:
    return CaseError(
        f"{case.detection}: cannot be read: {why}", remedy=f"run `missent detect --case {case.folder}` again"
    )
