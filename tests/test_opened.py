"""A case as an object: lazy rows, typed findings, nothing that runs in a notebook, errors of one family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forensics as mf
from forensics.errors import CaseError, MissentError
from tests.ingesting import message, slipped, to

ORG = "albion.example"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("opened")
    hostile = message("4FFC2D3E4F", to(f'"{HOSTILE}"@contoso-marine.com'), at="2024-03-20T10:00:00.000000+00:00")
    (place / "mail.log").write_text(slipped() + hostile)
    case = mf.run([place / "mail.log"], place / "case", org=[ORG], formats="md")
    assert isinstance(case, mf.opened.Case)
    return place / "case"


@pytest.fixture(scope="module")
def case(folder: Path) -> Any:
    return mf.open(folder)


def test_rows_are_lazy_and_given_as_each_library_has_them(case: Any) -> None:
    frame = case.deliveries.df()
    assert len(frame) == len(case.deliveries) == case.deliveries.arrow().num_rows == 41
    assert "direction" in frame.columns
    counted = case.deliveries.sql("select direction, count(*) as n from self group by all").df()
    assert counted.to_dict("list") == {"direction": ["outbound"], "n": [41]}
    assert len(case.outbound()) == 41
    assert [len(rows) for rows in (case.findings, case.findings_open, case.incidents, case.verdicts)] == [2, 2, 1, 0]
    assert len(case.evidence) == 1 and len(case.citations) >= 41 and len(case.unread) == 0


def test_incidents_and_findings_are_typed(case: Any) -> None:
    incident = case.incidents[0]
    assert (incident.observed_domain, incident.intended_domain) == ("contoso-marnie.com", "contoso-marine.com")
    assert [one.delivery_id for one in incident.findings] == [one.delivery_id for one in case.findings]
    finding = case.findings[-1]
    assert finding.reasons and finding.verdict is None
    assert "contoso-marnie.com" in incident.explain().weighed.text
    assert finding.explain().quotes


def test_a_notebook_shows_text_and_nothing_that_runs(case: Any) -> None:
    shown = [case, case.deliveries, case.incidents, case.incidents[0], case.findings, case.findings[0]]
    for one in shown:
        page = one._repr_html_()
        assert "<table>" in page and "<img" not in page and "<script" not in page
    everything = case.deliveries.sql("select recipient from self where contains(recipient, 'onerror')")
    assert "&lt;img" in everything._repr_html_()
    assert "over 0.99" in repr(case.incidents[0]) or "score 0." in repr(case.incidents[0])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda case, place: mf.open(3),
        lambda case, place: mf.open(None),
        lambda case, place: mf.open(place / "nowhere"),
        lambda case, place: case.sql(3),
        lambda case, place: case.explain(None),
        lambda case, place: case.explain("nobody@nowhere.example"),
        lambda case, place: case.findings["first"],
        lambda case, place: case.deliveries.sql("selec 1").df(),
        lambda case, place: case.deliveries.sql("select 1) ; drop view deliveries; select (1").df(),
        lambda case, place: case.sql("copy deliveries to 'x.csv'").df(),
        lambda case, place: case.sql("select * from read_csv('/etc/passwd')").df(),
        lambda case, place: mf.run([place / "nowhere.log"], place / "c", org=[ORG]),
        lambda case, place: mf.run(["mail.log"], place / "c", orgs=[ORG]),
        lambda case, place: mf.run(["mail.log"], place / "c", org=ORG),
        lambda case, place: mf.pipeline.ingest("mail.log", place / "c"),
    ],
)
def test_every_mistake_is_an_error_of_missent(
    case: Any, tmp_path: Path, wrong: Callable[[Any, Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissentError):
        wrong(case, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_rows_end_where_they_end(case: Any) -> None:
    with pytest.raises(IndexError):
        case.findings[2]


def test_a_case_is_read_anew_when_asked(folder: Path) -> None:
    from forensics.case import Case
    from forensics.review.verdicts import NewVerdict, record

    case = mf.open(folder)
    assert len(case.findings_open) == 2
    record(
        Case(folder), NewVerdict("contoso-marnie.com", "contoso-marine.com", "dismissed", "a partner"), "R. Examiner"
    )
    case.refresh()
    assert len(case.findings_open) == 0


def test_the_package_says_its_version() -> None:
    from importlib.metadata import version

    assert mf.__version__ == version("missent")
    with pytest.raises(AttributeError):
        mf.nothing  # noqa: B018


def test_no_case_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CaseError):
        mf.open(tmp_path)
