"""The case folder: where everything lies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


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


def digest(case: Case) -> str:
    """SHA-256 of case.toml's bytes; of nothing when it is absent."""
    return hashlib.sha256(case.toml.read_bytes() if case.toml.exists() else b"").hexdigest()
