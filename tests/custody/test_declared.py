"""Values of declared types out of JSON, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, workbench
from forensics.custody import declared
from forensics.errors import MissentError
from tests.ingesting import two_logs


@dataclass(frozen=True)
class Inner:
    runs: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Outer:
    name: str | None
    inner: Inner
    counts: Mapping[str, int]
    names: tuple[str, ...]
    free: Mapping[str, Any]
    flag: bool


GOOD = {
    "name": None, "inner": {"runs": [[1, "a"], [2, "b"]]}, "counts": {"x": 1}, "names": ["n"], "free": {"any": [1, {}]},
    "flag": True,
}  # fmt: skip


def test_what_is_declared_is_made() -> None:
    made = Outer(None, Inner(((1, "a"), (2, "b"))), {"x": 1}, ("n",), {"any": [1, {}]}, True)
    assert declared.value(Outer, GOOD) == made
    assert declared.value(Outer, {**GOOD, "name": "x", "names": []}) == replace(made, name="x", names=())


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 1}, {"inner": []}, {"inner": {"runs": [[1, 2]]}}, {"inner": {"runs": [[True, "a"]]}},
        {"inner": {"runs": {}}}, {"inner": {"runs": [{}]}}, {"counts": {"x": 1.0}}, {"counts": {"x": True}},
        {"counts": []}, {"counts": [["x", 1]]}, {"names": "n"}, {"names": [None]}, {"free": []}, {"flag": 1},
        {"flag": None},
    ],
)  # fmt: skip
def test_what_is_not_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="expected, not"):
        declared.value(Outer, {**GOOD, **wrong})


def test_no_field_is_absent_cut_short_or_unknown() -> None:
    with pytest.raises(KeyError):
        declared.value(Outer, {name: one for name, one in GOOD.items() if name != "names"})
    with pytest.raises(TypeError, match="Outer has no more"):
        declared.value(Outer, {**GOOD, "more": 1})
    with pytest.raises(ValueError):
        declared.value(Outer, {**GOOD, "inner": {"runs": [[1]]}})


def _places(data: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [way, *(place for key, one in inner for place in _places(one, (*way, key)))]


@pytest.mark.slow
def test_a_manifest_with_any_value_of_another_kind_is_told_in_words(tmp_path: Path) -> None:
    """Each value of manifest.json in turn: an error for people, or a check that failed."""
    case = tmp_path / "case"
    pipeline.run(two_logs(tmp_path / "logs"), case, org=["albion.example"], formats="json")
    path = case / "manifest.json"
    kept = path.read_bytes()
    for *way, last in _places(json.loads(kept))[1:]:
        for other in ([], 7):
            data = json.loads(kept)
            at = data
            for key in way:
                at = at[key]
            at[last] = other
            if data == json.loads(kept):
                continue
            path.write_text(json.dumps(data))
            try:
                found = workbench.verify(case)
            except MissentError:
                continue
            assert not found.ok, (*way, last)
