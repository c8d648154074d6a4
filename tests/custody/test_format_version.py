"""The format of a case has a number, and a case of another format is refused by name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from forensics import schema
from forensics.case import Case
from forensics.custody import manifest
from forensics.errors import CaseError

COLUMNS = {
    2: "96e289474cf36c0242001d26a2dc8c86774300d2fae40e08ac11f78609377887",
    3: "cd6d09335fedc892b9aac9d86dc2419de8c2047cb7e4cdb634e4b516288adaca",
}
"""format → digest of the names and types of all tables' columns, while cases were written so."""


def columns() -> str:
    tables = {name: value for name, value in vars(schema).items() if isinstance(value, pa.Schema)}
    said = {name: [(f.name, str(f.type), f.nullable) for f in table] for name, table in sorted(tables.items())}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def test_other_columns_are_another_format() -> None:
    """Whoever changes a table counts the format up and adds the new digest here: old cases are then refused, not misread."""
    assert COLUMNS.get(manifest.VERSION) == columns()


@pytest.mark.parametrize("version", [1, 2, 4, None, "3"])
def test_a_case_of_another_format_is_refused_by_name(tmp_path: Path, version: object) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"version": version}))
    with pytest.raises(CaseError, match="format"):
        manifest.read(Case(tmp_path))
