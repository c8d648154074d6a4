"""What a report is made from, read out of the case: manifest, detection settings, measured error rates."""

from __future__ import annotations

import glob
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from forensics import headline
from forensics.case import Case
from forensics.casefile import CaseFile, Stated
from forensics.custody import attested, handovers, log, manifest, notes, parameters
from forensics.custody.manifest import Manifest
from forensics.lookups import Lookup
from forensics.report.facts import (
    Attested,
    Custody,
    Evidence,
    HandedOver,
    Level,
    Loss,
    LossTotal,
    Method,
    OtherLines,
    Said,
    Sensitivity,
    Signal,
    Skipped,
    beside,
    measured,
)
from forensics.report.facts.content import WORKSHEET
from forensics.report.facts.gather import Inputs
from forensics.report.facts.searched import ASSUMED
from forensics.rulings import Verdict

VERIFY = "missent verify FILE (or CASE); by hand: Annex F"
"""FILE is the report with its seal beside it; where that or the case lies is no part of a report."""


def read(
    case: Case,
    casefile: CaseFile,
    inventory: Manifest,
    verdicts: Sequence[Verdict],
    as_of: datetime | None = None,
    lookups: Mapping[str, Lookup] = MappingProxyType({}),
) -> Inputs:
    """Everything beside the tables; `lookups` as `custody.annexes` tells them.

    Raises CaseError when detection.json cannot be read.
    """
    evidence = tuple(_evidence(f"E{n}", entry) for n, entry in enumerate(inventory.evidence, 1))
    detected = parameters.read(case)
    return Inputs(
        casefile=casefile,
        evidence=evidence,
        evidence_ids={entry.id: f"E{n}" for n, entry in enumerate(inventory.evidence, 1)},
        method=_method(case, casefile, inventory),
        verdicts=verdicts,
        as_of=as_of,
        case_state=manifest.case_state_digest(case, inventory),
        tables_digest=manifest.tables_digest(case, inventory),
        verify=VERIFY,
        asked=(_moment(inventory.settings.get("since")), _moment(inventory.settings.get("until"))),
        skipped=tuple(sorted({Skipped(_named(one.name), one.reason) for one in inventory.skipped}, key=astuple)),
        unseen_domains=inventory.unseen_domains,
        custody=_custody(case, casefile),
        worksheet=_worksheet(case),
        headline=headline.told(detected),
        lookups=lookups,
        signs=beside.Told(detected.get("impersonation", ()), detected.get("undeliverable", ())),
    )


def _custody(case: Case, casefile: CaseFile) -> Custody:
    entries = log.check(case).entries
    return Custody(
        acquisition=_said(casefile.custody.acquisition),
        clock=_said(casefile.custody.clock),
        handed_over=tuple(
            HandedOver(one.given_by, one.taken_by, one.at, one.what, one.place, one.why)
            for one in handovers.read(entries)
        ),
        attested=tuple(_attested(one) for one in attested.read(entries) if one.action != attested.QUERY),
    )


def _said(stated: Stated) -> Said | None:
    if not stated.statement.strip():
        return None
    return Said(stated.statement.strip(), stated.by.strip(), stated.on.isoformat() if stated.on else None)


def _attested(one: attested.Attestation) -> Attested:
    if one.action == attested.SIGN:
        return Attested("signature", one.covers, one.digest, None, one.told["examiner"] or "—", one.told.get("key", ""))
    kind = "stamp" if one.told.get("ca") else "stamp-unverified"
    return Attested(kind, one.covers, one.digest, one.told.get("at"), one.told.get("authority", ""))


def _worksheet(case: Case) -> dict[str, Mapping[str, Any]]:
    """What people found in the messages: delivery id → the latest row about it."""
    if not case.custody_log.exists():
        return {}
    kept = (entry for entry in log.read(case) if entry.get("action") == WORKSHEET)
    return {row["delivery_id"]: row for entry in kept for row in entry["details"]["rows"]}


def _evidence(ref: str, entry: manifest.EvidenceEntry) -> Evidence:
    return Evidence(
        ref=ref,
        names=tuple(sorted({_named(name) for name in entry.names})),
        file_sha256=entry.file_sha256,
        content_sha256=entry.id,
        file_bytes=entry.file_size,
        content_bytes=entry.content_size,
        packing=_packing(entry),
        plain_lines=_plain_lines(entry),
        loader=entry.loader,
        records=entry.records,
        used=entry.used,
        ignored=sum(entry.ignored.values()),
        unread=entry.unread,
        duplicates=entry.duplicates,
        first=_moment(entry.first),
        last=_moment(entry.last),
        time_basis=_time_basis(entry.notes) or ("as stamped" if entry.first is not None else ""),
        damage=entry.damage,
        noted=notes.noted(entry.notes),
        losses=tuple(
            Loss(loss.kind, loss.host, loss.at, loss.count, loss.number, loss.text)
            for loss in notes.losses(entry.notes)
        ),
        loss_totals=tuple(
            LossTotal(one.kind, one.records, one.count, one.first, one.last) for one in notes.loss_totals(entry.notes)
        ),
        other_lines=tuple(
            OtherLines(other.program, other.count, other.number, other.offset, other.text)
            for other in notes.other_lines(entry.notes)
        ),
    )


_UNPACKED_BY = {"plain": "cat", "gzip": "zcat", "bzip2": "bzcat", "xz": "xzcat", "zstd": "zstdcat"}


_LINES = ("postfix", "exim")
"""Loaders whose records are lines."""
_NOT_PLAIN = ("lines end in carriage returns", "NUL bytes")
"""Beginnings of what is noted of content whose records are no lines of a text."""


def _plain_lines(entry: manifest.EvidenceEntry) -> bool:
    told = any(sentence.startswith(_NOT_PLAIN) for sentence in entry.notes.get("noted") or ())
    return entry.loader in _LINES and not (entry.encoding or "export" in entry.notes or told)


def _packing(entry: manifest.EvidenceEntry) -> str:
    """The command that prints the content of the file; empty where it takes more than one."""
    inside = "!/" in entry.names[0] or any(place.member is not None for place in entry.locations)
    return "" if inside else _UNPACKED_BY.get(entry.container, "")


def _moment(stamp: str | None) -> datetime | None:
    return None if stamp is None else datetime.fromisoformat(stamp).astimezone(UTC)


def _named(name: str) -> str:
    """`logs.tar!/gw1/mail.log` of `/evidence/logs.tar!/gw1/mail.log`: where evidence lay is no part of a report."""
    outer, mark, member = name.partition("!/")
    return outer.replace("\\", "/").rsplit("/", 1)[-1] + mark + member


def _time_basis(notes: Mapping[str, Any]) -> str:
    """How year, zone and order of dates were found, as noted: `year 2023 (date in the file's name); time zone UTC
    (assumed: …)`."""
    parts = []
    for key, words, shown in (("year", "year", "first"), ("timezone", "time zone", "name"), ("zone", "", "")):
        note = notes.get(key)
        if isinstance(note, Mapping):
            by = note.get("by", "")
            said = ASSUMED if (key, by) == ("timezone", "default") else by
            parts.append(f"{words} {note.get(shown, '')} ({said})")
        elif note:
            parts.append(f"{words} {note}".strip())
    if order := notes.get("date order"):
        parts.append(f"order of dates: {order}")
    return "; ".join(parts)


def _method(case: Case, casefile: CaseFile, inventory: Manifest) -> Method:
    run = inventory.runs[-1] if inventory.runs else None
    versions = dict(run.versions) if run else {}
    found = measured.evaluation()
    settings = parameters.read(case)
    counting = headline.told(settings)
    meanings, weights = settings.get("signals", {}), settings.get("weights", {})
    return Method(
        version=versions.pop("missent", ""),
        settings_digest=run.settings_digest if run else "",
        suffix_list_digest=run.suffix_list_digest if run else "",
        libraries=tuple(sorted(versions.items())),
        parameters=tuple(_parameters(settings)),
        rates=measured.rates(found),
        reliability=measured.reliability(found),
        evaluated_on=measured.described(found),
        command=_commands(casefile, inventory),
        signals=tuple(Signal(name, str(meaning), weights.get(name)) for name, meaning in sorted(meanings.items())),
        sensitivity=tuple(
            Sensitivity(float(row["prior_odds_times"]), int(row["high"]), int(row["medium"]), int(row["low"]))
            for row in settings.get("sensitivity", ())
        ),
        levels=tuple(
            Level(row["level"], row["level"] in counting, int(row["hits"]), int(row["of"]), row["mean"])
            for row in settings.get("earned", ())
        ),
    )


def _commands(casefile: CaseFile, inventory: Manifest) -> str:
    """Commands for a shell (bash) that make these tables again from copies of the evidence, wherever they lie and
    whatever they were called: the files bear the names of this report, and what a name told stands in case.toml.

    The commands as they were given stand in manifest.json, with their times and places.
    """
    refs: dict[str, str] = {}
    for n, one in enumerate(inventory.evidence, 1):
        refs.setdefault(_outer(one.names[0]), f"E{n}")
    toml = [
        "version = 1",
        "[organisation]",
        *_list("domains", casefile.organisation.domains),
        "[domains]",
        *(
            line
            for key in ("known_good", "watched", "shared_relays")
            if (values := getattr(casefile.domains, key))
            for line in _list(key, values)
        ),
    ]
    if casefile.detection.prior is not None:
        toml += ["[detection]", f"prior = {casefile.detection.prior!r}"]
    said = {n: _told_of(one, casefile) for n, one in enumerate(inventory.evidence)}
    told = {n: lines for n, lines in said.items() if lines}
    if len(told) > 1 and len({tuple(lines) for lines in told.values()}) == 1:
        toml += ["[[sources]]", 'file = "E*"', *next(iter(told.values()))]
    else:
        for n, lines in told.items():
            name = inventory.evidence[n].names[0]
            toml += ["[[sources]]", f"file = {_toml(_pattern(refs[_outer(name)], name))}", *lines]
    run = ["missent", "run", *_ranges(sorted(int(ref[1:]) for ref in refs.values())), "--case", "again"]
    for name in ("since", "until"):
        if inventory.settings.get(name) is not None:
            run += [f"--{name}", shlex.quote(str(inventory.settings[name]))]
    end = _END
    while end in toml:
        end += "_"
    return "\n".join(["mkdir again", f"cat > again/case.toml <<'{end}'", *toml, end, " ".join(run)])


_END = "END"


def _outer(name: str) -> str:
    return name.partition("!/")[0]


def _pattern(ref: str, name: str) -> str:
    """What case.toml calls the evidence when its file bears the name of the report."""
    member = name.partition("!/")[2]
    return f"*{glob.escape(f'{ref}!/{member}')}" if member else ref


def _told_of(one: manifest.EvidenceEntry, casefile: CaseFile) -> list[str]:
    """What is known of this evidence's times and host, as lines of case.toml."""
    about = [entry for entry in casefile.sources if any(_matches(name, entry.file) for name in one.names)]
    said = {
        "year": dict(one.notes.get("year") or {}).get("first"),
        "timezone": dict(one.notes.get("timezone") or {}).get("name"),
        "date_order": next(filter(None, (entry.date_order for entry in about)), None),
        "host": dict(one.notes.get("host") or {}).get("name"),
    }
    told = [f"{key} = {value if isinstance(value, int) else _toml(value)}" for key, value in said.items() if value]
    carriers = next(filter(None, (entry.carriers for entry in about)), ())
    return told + ([f"carriers = [{', '.join(map(_toml, carriers))}]"] if carriers else [])


def _matches(name: str, pattern: str) -> bool:
    base = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit("!", 1)[-1]
    return fnmatchcase(name, pattern) or fnmatchcase(base, pattern)


def _ranges(numbers: Sequence[int]) -> Iterable[str]:
    """`E1 E2 E{4..9}` of evidence numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        if len(run) > 2:
            yield f"E{{{run[0]}..{run[-1]}}}"
        else:
            yield from (f"E{number}" for number in run)


def _toml(value: str) -> str:
    """A TOML string: JSON's are TOML's."""
    return json.dumps(value, ensure_ascii=True)


def _list(key: str, values: Iterable[str]) -> list[str]:
    """Lines of a TOML list, an item a line: a page breaks no line that is short."""
    return [f"{key} = [", *(f"  {_toml(value)}," for value in values), "]"]


def _parameters(settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Settings that are single values, and where they come from; the rest stays in detection.json."""
    for name, value in sorted(settings.items()):
        if name in ("prior", "levels") and isinstance(value, Mapping):
            yield from ((f"{name}: {part}", _shown(one)) for part, one in sorted(value.items()))
        elif isinstance(value, bool | int | float | str) and name != "suffix_list_digest":
            yield name, _shown(value)
    origin = settings.get("origin")
    if isinstance(origin, Mapping):
        origins = ((name, value) for name, value in sorted(origin.items()) if isinstance(value, str))
        yield from ((f"origin: {name}", value) for name, value in origins)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
