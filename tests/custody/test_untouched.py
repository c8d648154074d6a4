"""Every sample, untouched since its ingest, verifies, whatever its format and encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.custody import manifest
from tests.conftest import DATA

SAMPLES = sorted(
    path
    for folder in ("contract", "exchange-samples")
    for path in (DATA / folder).iterdir()
    if not path.name.endswith((".expected.tsv", ".md"))
)


def wide(text: bytes) -> bytes:
    return text if b"\0" in text else b"\xff\xfe" + text.decode().encode("utf-16-le")


def marked(text: bytes) -> bytes:
    return text if b"\0" in text else b"\xef\xbb\xbf" + text.removeprefix(b"\xef\xbb\xbf")


CHANGES = {
    "as it is": lambda text: text,
    "an address that is no UTF-8": lambda text: text.replace(b"bob@", b"b\xf3b@").replace(b"bo@", b"b\xe2\x80@"),
    "half a character": lambda text: text.replace(b"bo@", rb"b\ud83d@") if text[:1] in b"[{" else text,
    "UTF-16": wide,
    "UTF-8 with a mark": marked,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_untouched_evidence_verifies(sample: Path, change: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(CHANGES[change](sample.read_bytes()))
    place = tmp_path / "case"
    pipeline.ingest([log], place, org=["albion.example", "contoso.example"], year=2024, timezone="Europe/London")
    (one,) = manifest.read(Case(place)).evidence
    assert one.used and one.records == one.used + sum(one.ignored.values()) + one.unread
    checked = workbench.verify(place, all_records=True)
    assert checked.ok, [check.text for check in checked.checks if check.ok is False]
