"""The case folder: where everything lies, and what people say in case.toml.

`case.toml` is written by people; the tool only creates it (`create`) and adds what commands are asked to
remember (`remember`). Everything else in the folder is written by the tool.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from forensics import domains
from forensics.errors import CaseError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(_Strict):
    """Whose mail this is."""

    name: str = ""
    domains: tuple[str, ...] = ()
    """Every domain of the organisation; each covers its subdomains."""
    timezone: str = "UTC"
    """The organisation's own zone, shown beside UTC in reports."""

    @field_validator("domains")
    @classmethod
    def _a_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domains.clean(value))


class Domains(_Strict):
    """What people know about other domains."""

    known_good: tuple[str, ...] = ()
    """Genuine correspondents: never accused."""
    watched: tuple[str, ...] = ()
    """Domains or zones (`*.mil`) that mail is meant for even if this log never shows it."""
    shared_relays: tuple[str, ...] = ()
    """Relay host names or zones that take mail for many domains: acceptance there is `handed-on`."""
    jurisdictions_of_concern: tuple[str, ...] = ()
    """ISO 3166 codes the organisation wants named; empty by default: the tool has no politics."""

    @field_validator("known_good")
    @classmethod
    def _a_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domains.clean(value))

    @field_validator("watched")
    @classmethod
    def _watched(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        zones = {("*." if w.startswith(("*.", ".")) else "") + domains.clean([w])[0] for w in value if w.strip()}
        return tuple(sorted(zones))


class Source(_Strict):
    """What people say about one evidence file, when the file itself does not tell."""

    file: str
    """File name or path, as given to ingest; `*` patterns allowed."""
    year: int | None = None
    timezone: str | None = None


class Detection(_Strict):
    """Overrides of the detector's stated assumptions."""

    prior: float | None = Field(default=None, gt=0, lt=1)
    """Probability, before any evidence, that one distinct (sender, address) pair is a slip."""


class CaseFile(_Strict):
    """case.toml as a whole. `questionnaire` is typed in `forensics.report.questionnaire`."""

    version: int = 1
    organisation: Organisation = Organisation()
    domains: Domains = Domains()
    sources: tuple[Source, ...] = ()
    detection: Detection = Detection()
    questionnaire: dict[str, Any] = Field(default_factory=dict)


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
    def verdicts(self) -> Path:
        return self.folder / "verdicts.jsonl"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def detection(self) -> Path:
        """How the detector was set: prior, weights, versions; so that a score can be recomputed by hand."""
        return self.folder / "detection.json"

    @property
    def streams(self) -> Path:
        """Copies of evidence that came from standard input, by digest."""
        return self.folder / "streams"


def read(case: Case) -> CaseFile:
    """case.toml, checked. Raises CaseError naming the line or key that is wrong."""
    try:
        data = tomllib.loads(case.toml.read_text("utf-8"))
    except FileNotFoundError:
        raise CaseError(
            f"{case.folder} is not a case: it has no case.toml",
            remedy="make one with `missent ingest LOG… --case DIR --org DOMAIN` or `missent init --case DIR`",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{case.toml}: {error}", expected="TOML (UTF-8)", remedy="mend that line") from None
    except OSError as error:
        raise CaseError(f"{case.toml}: {error.strerror}") from None
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CaseError(f"{case.toml}: {where}: {first['msg']}", remedy="mend that entry") from None


def digest(case: Case) -> str:
    """SHA-256 of case.toml's bytes; of nothing when it is absent."""
    return hashlib.sha256(case.toml.read_bytes() if case.toml.exists() else b"").hexdigest()
