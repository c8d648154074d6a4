"""What case.toml said when a stage recorded it: digests, so that an edit is seen and named, and no value kept twice."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, log

WEIGHED = ("organisation.domains", "domains.", "detection.")
SHOWN_ONLY = ("domains.jurisdictions_of_concern",)
SHORT = 16
"""Hexadecimal digits kept of a key's digest: enough to see that it changed; the file's own digest is kept whole."""


def recorded(case: Case) -> dict[str, Any]:
    """`sha256` of the file's bytes and, by dotted key, a digest of each value; of a file that is absent, of nothing."""
    raw = case.toml.read_bytes() if case.toml.exists() else b""
    return {"sha256": hashlib.sha256(raw).hexdigest(), "keys": _keys(raw)}


def last(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the last of these entries of the custody log that speaks of it `recorded`; None where none does."""
    found: list[dict[str, Any]] = [told["case_toml"] for told in map(log.details, entries) if "case_toml" in told]
    return found[-1] if found else None


def changed(case: Case, before: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The keys whose values differ from what was recorded; empty for a change of remarks or layout, None for no change.

    A file that is no TOML any more has changed as a whole, which `case.toml` stands for.
    """
    now = recorded(case)
    if now["sha256"] == before.get("sha256"):
        return None
    old, new = before.get("keys", {}), now["keys"]
    if not new and case.toml.exists() and case.toml.stat().st_size:
        return (case.toml.name,)
    return tuple(sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)))


def weighed(key: str) -> bool:
    """Whether `missent detect` reads this key; all others are for reports, or for ingest (`sources`)."""
    return key.startswith(WEIGHED) and key not in SHOWN_ONLY


def values(case: Case) -> dict[str, Any]:
    """What detection reads, by dotted key."""
    with case.toml.open("rb") as file:
        return {key: value for key, value in _flat(tomllib.load(file)) if weighed(key)}


def _keys(raw: bytes) -> dict[str, str]:
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    return {key: canonical.digest(_plain(value))[:SHORT] for key, value in _flat(data)}


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, dict):
            yield from _flat(value, name)
        else:
            yield name, value


def _plain(value: Any) -> Any:
    """Told apart where canonical JSON does not: dates are strings there, and 1.0 is 1."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [type(value).__name__, str(value)]


__all__ = ["changed", "last", "recorded", "values", "weighed"]
