"""Real logs, read by the real loaders, lead back to their bytes: every citation of every delivery."""

from __future__ import annotations

import gzip
import shutil

import pytest

from forensics import pipeline
from forensics.case import Case
from forensics.custody.verify import verify


@pytest.mark.parametrize(
    "name", ["postfix-albion", "postfix-albion-filter", "exchange-albion", "exchange-albion-inside"]
)
def test_every_delivery_leads_to_its_records(data, tmp_path, name):
    pipeline.ingest([data / name], tmp_path, org=["albion-defence.uk"])
    result = verify(Case(tmp_path), all_records=True)
    assert [check for check in result.checks if check.ok is False] == []
    (cited,) = [check.text for check in result.checks if check.name == "cited records"]
    assert "citations of every delivery" in cited
    assert not cited.startswith("0 ")


def test_one_changed_letter_in_real_logs_is_found(data, tmp_path):
    logs = tmp_path / "logs"
    shutil.copytree(data / "postfix-albion-filter", logs)
    pipeline.ingest([logs], tmp_path / "case", org=["albion-defence.uk"])
    path = next(path for path in sorted(logs.iterdir()) if path.suffix == ".gz")
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b"to=<", b"to=<x", 1)))
    (wrong,) = [check for check in verify(Case(tmp_path / "case"), all_records=True).checks if check.ok is False]
    assert wrong.name.startswith("evidence ")
    assert wrong.name.endswith(path.name)
    assert "its content was changed" in wrong.text
    assert "no record begins, though one is cited there" in wrong.text
