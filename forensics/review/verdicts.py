"""verdicts.jsonl: rulings on incidents (observed → intended pairs) and on single deliveries, append-only and chained.

An entry is `{sequence, at, observed_domain, intended_domain, verdict, deliveries, reviewer, reason, previous, digest}`
(see `custody.chain`), with `ask` (a day, ISO 8601) where the sender is to be asked by then, with `undoes` (a sequence)
where it withdraws an earlier ruling of the same reviewer, and with `act` (a sequence) where it was recorded in one act
with others, of which that is the first. Without deliveries it rules on the pair, whatever findings it has; with them on
these alone. Nothing is ever removed; which ruling holds for a finding is said in `forensics.rulings`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow.parquet as pq

from forensics import rulings
from forensics.case import Case, undetected
from forensics.custody import canonical, chain, log, manifest, staging, successors
from forensics.custody.chain import Clock, now
from forensics.errors import CaseChanged, UsageError, VerificationFailed
from forensics.rulings import Verdict
from forensics.schema import VERDICTS


@dataclass(frozen=True)
class NewVerdict:
    """What a person decides; `deliveries` empty: the whole incident."""

    observed_domain: str
    intended_domain: str
    verdict: str
    reason: str
    deliveries: tuple[str, ...] = ()
    ask: str = ""
    """The day by which the sender is to be asked, ISO 8601; only with `undecided`."""
    undoes: int = 0
    """Sequence of the ruling that this one withdraws."""


def record(case: Case, ruling: NewVerdict, reviewer: str, *, by: log.By = log.NOBODY, clock: Clock = now) -> Verdict:
    """Append one ruling, and its custody entry. Raises UsageError as `record_all` does."""
    return record_all(case, [(ruling, reviewer)], by=by, clock=clock)[0]


def record_all(
    case: Case,
    wanted: Iterable[tuple[NewVerdict, str]],
    *,
    by: log.By = log.NOBODY,
    shown: str | None = None,
    clock: Clock = now,
) -> tuple[Verdict, ...]:
    """Append rulings (each with its reviewer), all or none, and one custody entry (`verdict`) for them.

    `shown` is the `state` that the reviewers saw. Raises UsageError for a ruling without a valid verdict, reviewer or
    reason, or on something that was not found; CaseChanged when the state is another one by now; VerificationFailed
    when verdicts.jsonl was altered; CaseInUse.
    """
    given = list(wanted)
    if shown is None:  # else what is wrong would be found twice, and a reviewer waits
        _check(case, given)
    if not given:
        return ()
    with staging.change(case, "review") as staged:
        if shown is not None and state(staged.next) != shown:
            raise CaseChanged(f"{case.folder}: findings or verdicts have changed since they were shown")
        _check(staged.next, given)
        return _record(staged.next, given, by, clock)


def state(case: Case) -> str:
    """SHA-256 of what a reviewer rules upon: findings and incidents as the case recorded them, and every verdict."""
    tables = {one.name: [file.sha256 for file in one.files] for one in manifest.read(case).tables}
    verdicts = case.verdicts.read_bytes() if case.verdicts.exists() else b""
    found = [tables.get(name, []) for name in ("findings", "incidents")]
    return canonical.digest([*found, hashlib.sha256(verdicts).hexdigest()])


def _check(case: Case, given: Sequence[tuple[NewVerdict, str]]) -> None:
    found = findings(case)
    manifest.intact(case, manifest.read(case), ("findings",))
    for ruling, reviewer in given:
        _validate(ruling, reviewer, found)


def _record(case: Case, given: Sequence[tuple[NewVerdict, str]], by: log.By, clock: Clock) -> tuple[Verdict, ...]:
    read(case)
    made: list[Mapping[str, Any]] = []
    for ruling, reviewer in given:
        content = {
            "observed_domain": ruling.observed_domain,
            "intended_domain": ruling.intended_domain,
            "verdict": ruling.verdict,
            "deliveries": sorted(set(ruling.deliveries)),
            "reviewer": reviewer.strip(),
            "reason": ruling.reason.strip(),
            **({"ask": ruling.ask} if ruling.ask else {}),
            **({"undoes": ruling.undoes} if ruling.undoes else {}),
            **({"act": made[0]["sequence"]} if made else {}),
        }
        made.append(chain.append(case.verdicts, content, clock))
    details = {"verdicts": [made[0]["sequence"], made[-1]["sequence"]], "verdicts_head": made[-1]["digest"]}
    manifest.touch(case, "verdict", details, clock, by=by)
    return tuple(map(_verdict, made))


def _validate(ruling: NewVerdict, reviewer: str, found: Mapping[str, tuple[str, str]]) -> None:
    what = f"{ruling.observed_domain} → {ruling.intended_domain}"
    if ruling.verdict not in VERDICTS:
        raise UsageError(f"{what}: {ruling.verdict!r} is no verdict", expected=", ".join(VERDICTS))
    if not reviewer.strip():
        raise UsageError(f"{what}: nobody is named as reviewer", remedy="give --reviewer NAME")
    if not ruling.reason.strip():
        raise UsageError(f"{what}: a verdict needs a reason", expected="why it is " + ruling.verdict)
    if ruling.ask:
        _validate_day(ruling, what)
    pair = (ruling.observed_domain, ruling.intended_domain)
    if not ruling.deliveries and pair not in found.values():
        raise UsageError(f"{what}: no finding has this pair", remedy="`missent review --export` lists what was found")
    for delivery in ruling.deliveries:
        if found.get(delivery) != pair:
            raise UsageError(f"{what}: delivery {delivery} is no finding of this pair")


def _validate_day(ruling: NewVerdict, what: str) -> None:
    if ruling.verdict != "undecided":
        raise UsageError(f"{what}: the sender is asked about what is {ruling.verdict}", expected="undecided")
    try:
        date.fromisoformat(ruling.ask)
    except ValueError:
        raise UsageError(f"{what}: {ruling.ask!r} is no day", expected="a day such as 2024-03-01") from None


def findings(case: Case) -> dict[str, tuple[str, str]]:
    """delivery id → (observed, intended) of every finding. Raises CaseError before detection."""
    if not case.findings.exists():
        raise undetected(case)
    table = pq.read_table(case.findings, columns=["delivery_id", "observed_domain", "intended_domain"])
    deliveries, observed, intended = (column.to_pylist() for column in table.columns)
    return dict(zip(deliveries, zip(observed, intended, strict=True), strict=True))


def read(case: Case) -> tuple[Verdict, ...]:
    """Every verdict ever recorded, oldest first; deliveries by the names that they have now. Raises VerificationFailed
    when the file was altered or damaged.

    What was read last is kept: of a file that begins with the very same bytes only what follows is checked, since a
    reviewer waits for it and a case may have thousands.
    """
    global _LAST
    known, before = _LAST
    further, same, whole = chain.check_further(case.verdicts, known)
    if further.faults:
        raise VerificationFailed(
            f"verdicts were altered: {further.faults[0]}",
            expected="verdicts.jsonl as Missent wrote it: every line follows from the one before",
            remedy="restore the file from a copy; new verdicts are added with `missent review`",
        )
    try:
        said = (*(before if same else ()), *map(_verdict, further.entries))
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationFailed(f"{case.verdicts}: an entry is no verdict ({error!r})") from None
    _LAST = whole, said
    followed = successors.read(case)
    return tuple(_under_new_names(one, followed) for one in said) if followed else said


def _under_new_names(one: Verdict, followed: Mapping[str, str]) -> Verdict:
    return replace(one, deliveries=tuple(followed.get(delivery, delivery) for delivery in one.deliveries))


_LAST: tuple[chain.Checked, tuple[Verdict, ...]] = (chain.Checked(), ())


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    if entry["verdict"] not in VERDICTS:
        raise ValueError(entry["verdict"])
    return Verdict(
        observed_domain=str(entry["observed_domain"]),
        intended_domain=str(entry["intended_domain"]),
        verdict=str(entry["verdict"]),
        reason=str(entry["reason"]),
        deliveries=tuple(map(str, entry["deliveries"])),
        reviewer=str(entry["reviewer"]),
        at=datetime.fromisoformat(entry["at"]).astimezone(UTC),
        sequence=int(entry["sequence"]),
        ask=str(entry.get("ask", "")),
        undoes=int(entry.get("undoes", 0)),
        act=int(entry.get("act", 0)),
    )


def orphaned(case: Case) -> tuple[Verdict, ...]:
    """Current verdicts that speak of no present finding: their pair or all their deliveries are gone."""
    return rulings.orphaned(read(case), findings(case) if case.findings.exists() else {})
