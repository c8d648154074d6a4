"""The albion evidence that the package ships is the test corpus, plain files packed and nothing else changed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "forensics" / "demo" / "albion"
OPEN = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


def _contents(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.glob("mail.log-*"):
        unpack = OPEN.get(path.suffix)
        found[path.stem if unpack else path.name] = unpack(path.read_bytes()) if unpack else path.read_bytes()
    return found


def test_shipped_evidence_is_the_corpus(data: Path) -> None:
    both = {**_contents(data / "postfix-albion"), **_contents(data / "postfix-albion-filter")}
    assert len(both) == 20
    assert _contents(DEMO) == both


def test_it_is_small() -> None:
    assert sum(p.stat().st_size for p in DEMO.rglob("mail.log-*")) < 1_000_000
