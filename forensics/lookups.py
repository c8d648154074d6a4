"""Answers that an investigator got from the DNS and from RDAP, as one file: read, held to its rules, and what it tells.

Missent asks nobody. `questions` says what may be asked, `workbench.lookups` writes a script that asks elsewhere, and
the file that it makes is taken as an *annex*: kept, digested, under custody, and no mail evidence. An answer is true of
the time of asking, not of the time of the send; who runs a zone chooses its answers.

The file is one JSON object: `missent_lookups` (1, the first key), `asked` (a list of `name`, `type`, `at`, `status`,
`answers`), `registered` (a list of `name`, `at`, `status`, `registered`, `registrant`), `end` (true, the last key).
Statuses are those of RFC 1035 and 8499 by name (NOERROR, NXDOMAIN, SERVFAIL, …), TIMEOUT, or an HTTP number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forensics.errors import EvidenceError

VERSION = 1
MARK = b'{"missent_lookups":'
TYPES = ("MX", "A", "NS", "SOA")
MOST_BYTES = 64 << 20
"""A file beyond this is none of ours."""
_LDH = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SLACK = timedelta(days=1)
"""A clock of another machine may be so far ahead."""
PARKING = frozenset(
    ("sedoparking.com", "parkingcrew.net", "bodis.com", "above.com", "dan.com", "afternic.com", "parklogic.com")
)
"""Services that hold names for sale, by the domain of their name servers."""


@dataclass(frozen=True)
class Lookup:
    """What was answered about one domain, the newest answers of all annexes."""

    name: str
    at: datetime
    """When the last of these answers was given."""
    exists: bool | None
    """None where no answer tells."""
    mail: tuple[str, ...]
    """Mail servers; empty without any or where none was told."""
    null_mx: bool
    """The domain declares that it takes no mail (RFC 7505)."""
    parked: bool
    registered: str | None
    """Date of registration, as RDAP told it."""
    registrant: str | None


def askable(name: str) -> bool:
    """Whether a name may be asked for: letters, digits and hyphens alone, in at least two labels (RFC 952, 1123).

    >>> askable("navy.ml"), askable("xn--nvy-5cd.mil"), askable("a_b.example"), askable("-rf.example"), askable("navy")
    (True, True, False, False, False)
    """
    return _LDH.fullmatch(name) is not None


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is a snapshot."""
    return head.lstrip().startswith(MARK)


def read(name: str, content: bytes, known: Collection[str], now: datetime | None = None) -> list[Mapping[str, Any]]:
    """The answers of one snapshot, as records of `name`, `type` (one of TYPES, or RDAP), `at`, `status`, `answers`.

    `known`: domains that the case's mail names. `now`: None where it was held to the clock before. Raises EvidenceError
    for what is truncated, of another version, dated in the future, contradictory, or about names that the case does not
    know.
    """

    def refuse(what: str, expected: str) -> EvidenceError:
        return EvidenceError(
            f"{name}: {what}; nothing was taken from it",
            expected=expected,
            remedy="run the script that `missent lookups` writes for this case once more, and hand in what it prints",
        )

    try:
        data = json.loads(content)
    except ValueError:
        raise refuse("the snapshot is cut short or no JSON", "the whole output of the script") from None
    if not isinstance(data, dict) or data.get("missent_lookups") != VERSION:
        raise refuse("a snapshot of another version", f"version {VERSION}")
    if data.get("end") is not True:
        raise refuse("the snapshot is cut short: its end is missing", "the whole output of the script")
    records = [*_rows(data.get("asked"), TYPES), *_rows(data.get("registered"), ("RDAP",))]
    if any(one is None for one in records) or not records:
        raise refuse("the snapshot holds no answers of the form that is expected", "name, type, at, status, answers")
    found = [one for one in records if one is not None]
    if strange := sorted({one["name"] for one in found} - set(known)):
        raise refuse(
            f"{len(strange)} names that this case's mail does not have (first: {strange[0]!r})", "its own names"
        )
    if late := [one for one in found if now is not None and one["at"] > now + _SLACK]:
        raise refuse(f"answers dated in the future ({late[0]['at']:%Y-%m-%d})", "times of asking that are past")
    if clash := _contradiction(found):
        raise refuse(f"two answers about {clash} contradict each other", "one answer to each question")
    return found


def _rows(given: Any, types: Collection[str]) -> Iterable[Mapping[str, Any] | None]:
    for row in given if isinstance(given, list) else ():
        yield _row(row, types)


def _row(row: Any, types: Collection[str]) -> Mapping[str, Any] | None:
    """One answer; None where it is not of the form."""
    if not isinstance(row, dict):
        return None
    kind = "RDAP" if "RDAP" in types else row.get("type")
    text = [row.get(key) for key in ("name", "at", "status")]
    answers = row.get("answers", [])
    if kind not in types or not all(isinstance(one, str) for one in text) or not askable(row["name"]):
        return None
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        return None
    try:
        at = datetime.fromisoformat(row["at"].replace("Z", "+00:00"))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    about = {key: row[key] if isinstance(row.get(key), str) else None for key in ("registered", "registrant")}
    return {
        "name": row["name"],
        "type": kind,
        "at": at.astimezone(UTC),
        "status": row["status"],
        "answers": answers,
        **about,
    }


def _contradiction(found: Iterable[Mapping[str, Any]]) -> str:
    """The first name about which one question has two answers, or that exists for one type and not for another."""
    said: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    exists: dict[str, bool] = {}
    for one in found:
        answer = (one["status"], tuple(sorted(one["answers"])))
        if said.setdefault((one["name"], one["type"]), answer) != answer:
            return str(one["name"])
        there = {"NOERROR": True, "NXDOMAIN": False}.get(one["status"])
        if one["type"] != "RDAP" and there is not None and exists.setdefault(one["name"], there) != there:
            return str(one["name"])
    return ""


def told(records: Iterable[Mapping[str, Any]]) -> dict[str, Lookup]:
    """What all annexes together say of each domain: of one question the newest answer."""
    newest: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in sorted(records, key=lambda one: (one["at"], one["name"], one["type"], one["status"])):
        newest.setdefault(one["name"], {})[one["type"]] = one
    return {name: _lookup(name, by) for name, by in sorted(newest.items())}


def _lookup(name: str, by: Mapping[str, Mapping[str, Any]]) -> Lookup:
    dns = [one for kind, one in by.items() if kind != "RDAP"]
    statuses = {one["status"] for one in dns}
    exists = True if "NOERROR" in statuses else False if "NXDOMAIN" in statuses else None
    hosts = [one.split()[-1].rstrip(".").lower() for one in _answers(by, "MX") if one.split()]
    servers = [one.rstrip(".").lower() for one in _answers(by, "NS")]
    rdap = by.get("RDAP", {})
    return Lookup(
        name,
        max(one["at"] for one in by.values()),
        exists,
        tuple(sorted({host for host in hosts if host})),
        bool(hosts) and not any(hosts),
        any(server == one or server.endswith("." + one) for server in servers for one in PARKING),
        rdap.get("registered"),
        rdap.get("registrant"),
    )


def _answers(by: Mapping[str, Mapping[str, Any]], kind: str) -> list[str]:
    return list(by[kind]["answers"]) if kind in by and by[kind]["status"] == "NOERROR" else []
