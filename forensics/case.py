"""The case folder: where everything lies."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics import domains
from forensics.errors import CaseError, UsageError


@dataclass(frozen=True)
class Case:
    """Paths of one case folder. Holds no data; open and read what you need."""

    folder: Path

    @property
    def toml(self) -> Path:
        return self.folder / "case.toml"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def holds(self) -> tuple[str, ...]:
        """Names of what only a case has, as far as it is there: what stays when case.toml is lost."""
        kept = (self.manifest, self.custody_log, self.verdicts, self.deliveries)
        return tuple(place.name for place in kept if place.exists())

    @property
    def custody_log(self) -> Path:
        return self.folder / "custody.jsonl"

    @property
    def deliveries(self) -> Path:
        return self.folder / "deliveries"

    @property
    def unread(self) -> Path:
        return self.folder / "unread"

    @property
    def correspondents(self) -> Path:
        return self.folder / "correspondents.parquet"

    @property
    def findings(self) -> Path:
        return self.folder / "findings.parquet"

    @property
    def incidents(self) -> Path:
        return self.folder / "incidents.parquet"

    @property
    def lookalikes(self) -> Path:
        """What each external domain could be a slip for, and how probable that is."""
        return self.folder / "lookalikes.parquet"

    @property
    def verdicts(self) -> Path:
        return self.folder / "verdicts.jsonl"

    @property
    def successors(self) -> Path:
        """Deliveries that have another name since earlier evidence arrived."""
        return self.folder / "successors.jsonl"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def detection(self) -> Path:
        """How the detector was set: prior, weights, versions; so that a score can be recomputed by hand."""
        return self.folder / "detection.json"

    @property
    def annexes(self) -> Path:
        """What people handed in that is no mail evidence, by digest."""
        return self.folder / "annexes"

    @property
    def streams(self) -> Path:
        """Copies of evidence that came from standard input, by digest."""
        return self.folder / "streams"


def is_one(names: Collection[str]) -> bool:
    """Whether a folder in which these names are is a case: it has its manifest and its custody log."""
    return {"manifest.json", "custody.jsonl"} <= set(names)


def refuse(case: Case, *, org: Sequence[str] = (), watch: Sequence[str] = (), known_good: Sequence[str] = ()) -> None:
    """What no case can be made with or told is refused before any work. Raises CaseError, UsageError."""
    if case.folder.exists() and not case.folder.is_dir():
        raise CaseError(f"{case.folder} is a file", expected="a folder for the case")
    for option, given in (("--org", org), ("--watch", watch), ("--known-good", known_good)):
        if isinstance(given, str):
            raise UsageError(f"{option}: {given!r} is one text", expected="a list of domains")
        for name in given:
            if not name.strip(" .*"):
                raise UsageError(f"{option} {name!r}: no domain", expected="a name such as example.org; "
                                 "where a variable of the shell was meant, it is not set")  # fmt: skip
            try:
                domains.names([name])
            except ValueError:
                raise UsageError(f"{option} {name}: no domain", expected="a name such as example.org") from None


def is_zone(name: str) -> bool:
    """Whether this names a zone of IANA's, which is the same on every machine: not `localtime`, which is the machine's
    own, nor a zone that counts leap seconds, as no log does.

    >>> is_zone("Europe/London"), is_zone("localtime"), is_zone("right/UTC"), is_zone("")
    (True, False, False, False)
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name in ("localtime", "posixrules", "Factory") or name.startswith(("right/", "posix/")):
        return False
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def argument(path: str | Path) -> str:
    """A path as a shell takes it, on one line: what stands in a command that people are told to give.

    >>> print(argument("case"), argument("o'one two"), argument("a\\nb"))
    case 'o'"'"'one two' $'a\\nb'
    """
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    plain = {"\n": "\\n", "\\": "\\\\", "'": "\\'"}
    return "$'" + "".join(plain.get(c) or (c if c.isprintable() else _octal(c)) for c in text) + "'"


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def undetected(case: Case) -> CaseError:
    """What to raise for a case whose findings are asked for before a detection."""
    return CaseError(
        f"{case.folder}: nothing was detected yet", remedy=f"run `missent detect --case {argument(case.folder)}`"
    )


def digest(case: Case) -> str:
    """SHA-256 of case.toml's bytes; of nothing when it is absent."""
    return hashlib.sha256(case.toml.read_bytes() if case.toml.exists() else b"").hexdigest()
