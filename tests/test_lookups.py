"""An investigator's lookups: what may be asked, what is refused, and what a case makes of the answers."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import lookups, pipeline, proof, questions, workbench
from forensics.case import Case
from forensics.custody import manifest
from forensics.errors import CaseError, EvidenceError
from tests.conftest import ROOT

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
KNOWN = ["navy.ml", "navy.mil", "qzlight.com"]


def asked(name: str, kind: str, status: str, *answers: str, at: str = "2026-11-29T10:00:00+00:00") -> dict[str, Any]:
    return {"name": name, "type": kind, "at": at, "status": status, "answers": list(answers)}


def snapshot(*rows: dict[str, Any], registered: Any = (), **more: Any) -> bytes:
    data = {"missent_lookups": 1, "asked": list(rows), "registered": list(registered), "end": True, **more}
    return json.dumps(data, separators=(",", ":")).encode()


GOOD = snapshot(
    asked("navy.ml", "MX", "NOERROR", "10 mx.navy.ml."), asked("navy.ml", "NS", "NOERROR", "ns1.navy.ml."),
    asked("qzlight.com", "MX", "NXDOMAIN"),
    registered=[{"name": "navy.ml", "at": "2026-11-29T10:00:01+00:00", "status": "200", "registered": "2013-07-17T00:00:00Z",
                 "registrant": None}],
)  # fmt: skip


def test_answers_are_told_by_domain() -> None:
    found = lookups.told(lookups.read("s.json", GOOD, KNOWN, NOW))
    assert found["navy.ml"].exists is True and found["navy.ml"].mail == ("mx.navy.ml",)
    assert found["navy.ml"].registered == "2013-07-17T00:00:00Z"
    assert found["qzlight.com"].exists is False and not found["qzlight.com"].mail


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (GOOD[:-9], "cut short"),
        (snapshot(asked("navy.ml", "MX", "NOERROR"), end=False), "cut short"),
        (snapshot(asked("navy.ml", "MX", "NOERROR"), missent_lookups=9), "another version"),
        (snapshot(), "no answers"),
        (snapshot({"name": "navy.ml"}), "no answers"),
        (snapshot(asked("navy.ml", "TXT", "NOERROR", "<script>")), "no answers"),
        (snapshot(asked("navy.ml", "MX", "NOERROR", at="yesterday")), "no answers"),
        (snapshot(asked("elsewhere.com", "MX", "NOERROR")), "does not have"),
        (snapshot(asked("navy.ml", "MX", "NOERROR", at="2031-01-01T00:00:00+00:00")), "in the future"),
        (snapshot(asked("navy.ml", "MX", "NOERROR"), asked("navy.ml", "MX", "NXDOMAIN")), "contradict"),
        (snapshot(asked("navy.ml", "MX", "NOERROR", "1 a."), asked("navy.ml", "MX", "NOERROR", "1 b.")), "contradict"),
        (snapshot(asked("navy.ml", "MX", "NXDOMAIN"), asked("navy.ml", "A", "NOERROR", "192.0.2.1")), "contradict"),
    ],
)  # fmt: skip
def test_what_is_no_whole_snapshot_of_this_case_is_refused_by_name(content: bytes, word: str) -> None:
    with pytest.raises(EvidenceError, match=word) as refused:
        lookups.read("s.json", content, KNOWN, NOW)
    assert "s.json" in str(refused.value) and "nothing was taken" in str(refused.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for given_ in (content, lookups.MARK + content):
        try:
            lookups.read("s.json", given_, KNOWN, NOW)
        except EvidenceError:
            continue


NAMES = st.lists(
    st.one_of(st.text(max_size=40), st.from_regex(r"[a-z0-9-]{1,9}\.[a-z]{2,3}", fullmatch=True)), max_size=8
)


@given(NAMES)
def test_only_names_of_letters_digits_and_hyphens_stand_in_the_script(names: list[str]) -> None:
    text = questions.script(names)
    tree = ast.parse(text)
    (given_,) = [n for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "NAMES"]
    assert isinstance(given_.value, ast.Call) and isinstance(given_.value.args[0], ast.Constant)
    told = json.loads(str(given_.value.args[0].value))
    assert told == sorted({name for name in names if lookups.askable(name)})
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") and not name.startswith("-") for name in told)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lookups") / "case"
    logs = sorted((ROOT / "tests" / "data" / "postfix-albion").glob("mail.log*"))
    pipeline.ingest(logs, folder, org=["albion-defence.uk"])
    return folder


def test_an_annex_is_kept_recorded_weighed_and_told(case: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="nothing was detected"):
        workbench.lookups(case)
    before = pipeline.detect(case)
    wanted = workbench.lookups(case)
    assert "navy.ml" in wanted.names and "navy.mil" not in wanted.names
    rows = [
        asked(name, "MX", "NXDOMAIN" if name == "northwindaero.com" else "NOERROR", f"1 mx.{name}.")
        for name in wanted.names
    ]
    (tmp_path / "snapshot.json").write_bytes(snapshot(*rows))
    records = pipeline.ingest([tmp_path / "snapshot.json"], case).records
    assert records == sum(one.records for one in manifest.read(Case(case)).evidence) > 0
    after = pipeline.detect(case)
    assert after.findings + after.not_measured >= before.findings + before.not_measured
    found = pipeline.report(case, formats="json")
    told = json.loads(next(path for path in found.files if path.suffix == ".json").read_text("utf-8"))
    looked = {one["domain"]: one["state"] for one in told["looked"]}
    assert looked["northwindaero.com"] == "gone" and looked["navy.ml"] == "exists"
    assert proof.verify(case, rerun=True).ok
    (copy,) = Case(case).annexes.iterdir()
    copy.write_bytes(copy.read_bytes() + b" ")
    assert not proof.verify(case).ok


def test_a_snapshot_alone_makes_no_case(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_bytes(GOOD)
    with pytest.raises(EvidenceError, match="no mail evidence") as refused:
        pipeline.ingest([tmp_path / "s.json"], tmp_path / "case")
    assert refused.value.exit_code == 3
