"""What others are to be shown: the custody of the evidence and of the case, and what proves it.

Everything works offline, but for evidence in an object store: what has to come from elsewhere (a time stamp) goes there
and comes back as a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import casefile as case_files
from forensics import named
from forensics.arguments import checked
from forensics.case import Case, argument
from forensics.errors import UsageError, VerificationFailed
from forensics.progress import if_interrupted

if TYPE_CHECKING:
    from forensics.casefile import Custody
    from forensics.custody.bags import Bagged
    from forensics.custody.checks import Verification
    from forensics.custody.handovers import HandOver
    from forensics.custody.streams import Place
    from forensics.progress import Progress

__all__ = ["Attested", "Shown", "custody_add", "custody_show", "export", "sign", "stamp", "verify"]


@dataclass(frozen=True)
class Shown:
    """The custody of a case: what people state, the chain of hand-overs, the custody log."""

    case: Path
    statements: Custody
    handed_over: tuple[HandOver, ...]
    gaps: tuple[str, ...]
    """Where a hand-over was not by whoever had the thing before."""
    entries: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]
    """Where the log's chain is broken."""


@checked
def custody_add(
    case_dir: str | Path,
    *,
    given_by: str,
    taken_by: str,
    at: str,
    what: str,
    place: str = "",
    why: str = "",
    examiner: str = "",
    note: str = "",
) -> HandOver:
    """Record in the custody log that something changed hands, with or without evidence in the case yet.

    `at`: a day, or a time (UTC unless it has an offset). Raises UsageError for what no hand-over is, CaseError where
    there is no case.
    """
    from forensics.custody import handovers, log, manifest, staging

    case = Case(Path(case_dir))
    case_files.read(case)
    told = handovers.details(given_by, taken_by, at, what, place, why)
    with staging.change(case, "custody") as staged:
        manifest.touch(staged.next, handovers.ACTION, told, by=log.By(examiner, note))
        return next(one for one in reversed(_by_entry(staged.next)))


@checked
def custody_show(case_dir: str | Path) -> Shown:
    """The custody of a case. A broken log is shown with its faults, not refused. Raises CaseError where no case is."""
    from forensics.custody import handovers, log, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    found = log.check(case)
    chain = handovers.read(found.entries)
    return Shown(case.folder, casefile.custody, chain, handovers.gaps(chain), found.entries, found.faults)


@dataclass(frozen=True)
class Attested:
    """What was asked for, stamped or signed: the entry of the custody log that it covers, and the file."""

    kind: str
    """`query`, `stamp` or `signature`."""
    entry: int
    digest: str
    file: Path
    at: str | None = None
    by: str = ""
    """The authority, or the SHA-256 of the key."""
    verified: bool = False
    """A stamp: it was checked against an authority's certificate."""


@checked
def stamp(
    case_dir: str | Path,
    *,
    query: str | Path | None = None,
    reply: str | Path | None = None,
    ca: str | Path | None = None,
    examiner: str = "",
    note: str = "",
) -> Attested:
    """Write a request for a time stamp (RFC 3161) over the last entry of the custody log to the new file `query`, or
    take the authority's `reply` in. `ca`: the authority's certificates (PEM), without which it is not verified.

    Raises UsageError when the reply grants nothing, VerificationFailed when it is of another digest or not by `ca`.
    """
    from forensics.custody import attested, log, manifest, staging, stamps
    from forensics.custody.chain import stamp as written

    if (query is None) == (reply is None):
        raise UsageError(
            "stamp: neither or both", expected="--query FILE to ask for a stamp, or --reply FILE to take it"
        )
    if ca is not None and reply is None:
        raise UsageError("--ca: there is no reply to check", expected="--reply FILE beside it")
    for option, file in (("--reply", reply), ("--ca", ca)):
        if file is not None:
            named.file(option, Path(file))
    case, by = _recorded(case_dir), log.By(examiner, note)
    with staging.change(case, "stamp") as staged:
        now = staged.next
        entries = log.read(now)
        if reply is None:
            place = named.new("--query", Path(str(query)))
            last = attested.last(entries)
            asked = stamps.query(attested.line(last))
            name = f"{last['sequence']}.tsq"
            details = {
                "covers": last["sequence"],
                "digest": last["digest"],
                "attested": attested.put(now, {name: asked}),
            }
            manifest.touch(now, attested.QUERY, details, by=by)
            named.write("--query", place, asked)
            return Attested("query", int(last["sequence"]), str(last["digest"]), place)
        taken = stamps.take(now, entries, Path(reply))
        one, at = taken.asked, taken.token.at
        if at is None:
            raise UsageError(f"{reply}: tells no time")
        files = {f"{one.covers}.tsr": taken.content}
        if ca is not None:
            trusted = files[f"{one.covers}.pem"] = stamps.read(Path(ca))
            request = (now.folder / attested.FOLDER / f"{one.covers}.tsq").read_bytes()
            if fault := stamps.verified(request, taken.content, trusted, at):
                raise VerificationFailed(f"{reply}: is not by the authority of {ca} ({fault})")
        digests = attested.put(now, files)
        told = {"at": written(at), "authority": taken.token.authority, "ca": digests.get(f"{one.covers}.pem", "")}
        details = {"covers": one.covers, "digest": one.digest, "attested": digests, **told}
        manifest.touch(now, attested.STAMP, details, by=by)
    place = case.folder / attested.FOLDER / f"{one.covers}.tsr"
    return Attested("stamp", one.covers, one.digest, place, written(at), taken.token.authority, ca is not None)


@checked
def sign(case_dir: str | Path, *, key: str | Path, examiner: str, note: str = "") -> Attested:
    """Sign the last entry of the custody log with the examiner's own key, by ssh-keygen.

    Raises UsageError when nobody is named or the key cannot sign.
    """
    from forensics.custody import attested, log, manifest, signatures, staging

    if not examiner.strip():
        raise UsageError("sign: nobody is named", remedy="say with --examiner NAME whose signature it is")
    case = _recorded(case_dir)
    with staging.change(case, "sign") as staged:
        now = staged.next
        last = attested.last(log.read(now))
        signature, fingerprint = signatures.sign(attested.line(last), Path(key))
        name = f"{last['sequence']}.sig"
        details = {"covers": last["sequence"], "digest": last["digest"], "key": fingerprint,
                   "attested": attested.put(now, {name: signature})}  # fmt: skip
        manifest.touch(now, attested.SIGN, details, by=log.By(examiner, note))
    place = case.folder / attested.FOLDER / name
    return Attested("signature", int(last["sequence"]), str(last["digest"]), place, by=fingerprint)


def _recorded(case_dir: str | Path) -> Case:
    """The case, of which something is recorded. Raises CaseError, UsageError."""
    from forensics.custody import attested, log, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    attested.last(log.check(case).entries)
    return case


@checked
def export(
    case_dir: str | Path,
    *,
    out: str | Path,
    with_evidence: bool = True,
    evidence: str | Path | None = None,
    edition: str = "full",
    as_of: datetime | None = None,
    progress: Progress | None = None,
) -> Bagged:
    """Copy a case into a BagIt bag (RFC 8493) at `out`, a new folder; the case stays as it is.

    `evidence`: a folder, or the address of objects (`s3://…`), to search by digest for evidence that has moved. Raises
    VerificationFailed when the case or its evidence is not as recorded, EvidenceError when evidence is not there,
    UsageError when `out` is.
    """
    from forensics.custody import bags, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    search = _searched(evidence)
    with if_interrupted(f"no bag was made; {case.folder} is as it was"):
        return bags.write(
            case, Path(out), evidence=with_evidence, edition=edition, as_of=as_of, search=search, progress=progress
        )


@checked
def verify(
    path: str | Path,
    *,
    case: str | Path | None = None,
    evidence: str | Path | None = None,
    all_records: bool = False,
    ca: str | Path | None = None,
    signers: str | Path | None = None,
    rerun: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Walk a case, or the one in a bag, back to the bytes; hold a report to its seal. Says what failed; raises
    CaseError only when there is nothing to check.

    `case`: of a report, the case whose custody log is to know it; without it the log is looked at where the report lies
    in its case. `ca`: certificates (PEM) to check time stamps by, instead of those that the case keeps; `signers`: who
    may have signed, as ssh-keygen(1) has it (ALLOWED SIGNERS). `evidence` as for `export`. `rerun`: make everything
    afresh from the evidence, in a temporary folder, and compare.
    """
    from forensics.custody import lone

    place = Path(path)
    how: dict[str, Any] = {}
    for option, file in (("ca", ca), ("signers", signers)):
        how[option] = None if file is None else named.file(f"--{option}", Path(file))
    for option, given in (("evidence", evidence), ("all", all_records), *how.items(), ("rerun", rerun)):
        if given and place.is_file():
            raise UsageError(f"--{option}: {place} is a report", expected="a case, or a bag that holds one")
    if not place.exists():
        raise UsageError(f"{place}: there is no such file or folder", expected="a case, a bag, or a report of one")
    if place.is_file():
        return lone.check(place, None if case is None else _recorded(case))
    if case is not None:
        raise UsageError(f"--case {case}: {place} is no report", expected="a report beside it, or the case alone")
    with if_interrupted(f"nothing was found out; {place} is as it was: verify only reads"):
        return _verified(place, _searched(evidence), all_records, rerun, progress, how)


def _searched(evidence: str | Path | None) -> Place | None:
    """Where evidence is looked for. Naming an object store is what permits to ask it."""
    from forensics.custody import objects

    if evidence is None:
        return None
    objects.refuse([evidence])
    objects.name([evidence])
    return objects.parse(str(evidence)) if objects.is_address(evidence) else named.found("--evidence", Path(evidence))


def _verified(
    place: Path,
    folder: Place | None,
    all_records: bool,
    rerun: bool,
    progress: Progress | None,
    how: Mapping[str, Any],
) -> Verification:
    from forensics.custody import staging, unbagged
    from forensics.custody import verify as checking

    case, bag = Case(place), unbagged.is_bag(place)
    if bag:
        if folder is not None:
            case_in = unbagged.case_in(place).folder
            raise UsageError(
                f"--evidence: {place} is a bag, of which nothing outside is looked at",
                expected="a case",
                remedy=f"`missent verify {argument(case_in)} --evidence …` checks the case in it alone",
            )
        found = unbagged.check(place, all_records=all_records, progress=progress, **how)
        case, folder = unbagged.case_in(place), unbagged.evidence_in(place)
    else:
        staging.finish(case)
        if not case.holds:  # else what became of case.toml is one of the checks
            case_files.read(case)
        found = checking.verify(case, evidence=folder, all_records=all_records, progress=progress, **how)
    if not rerun:
        return found
    return _again(found, case, folder, bag, progress)


def _again(
    found: Verification, case: Case, evidence: Place | None, bag: bool, progress: Progress | None
) -> Verification:
    """With what making it afresh comes to; only of a case that verifies, since what it recorded is what is compared."""
    from dataclasses import replace

    from forensics import rerun
    from forensics.custody.checks import Check

    if not found.ok or not case.manifest.is_file():
        why = "there is no case in it" if found.ok else "what is recorded does not verify"
        return replace(found, checks=(*found.checks, Check("rerun", None, f"{why}: nothing was made afresh")))
    checks = rerun.rerun(case, evidence=evidence, bag=bag, progress=progress)
    ok = all(one.ok is not False for one in checks)
    return replace(found, ok=ok, checks=(*found.checks, *checks))


def _by_entry(case: Case) -> Sequence[HandOver]:
    from forensics.custody import handovers, log

    return sorted(handovers.read(log.check(case).entries), key=lambda one: one.entry)
