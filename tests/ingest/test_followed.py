"""A ruling follows its delivery when earlier evidence gives that another name, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.custody import log, staging, successors
from forensics.custody.chain import now
from forensics.errors import MissentError
from forensics.ingest import followed
from forensics.review import verdicts
from forensics.review.verdicts import NewVerdict
from tests.ingesting import message, to


def ids(case: Case) -> set[str]:
    return set(store.read(case, "deliveries")["delivery_id"].to_pylist())


@pytest.fixture
def logs(data: Path) -> list[Path]:
    """Days of one gateway; messages wait over midnight between the sixth and the seventh."""
    return sorted((data / "postfix-albion").glob("mail.log*"))[4:8]


def ingest(paths: list[Path], case: Case) -> None:
    pipeline.ingest(paths, case.folder, org=["albion.example"], year=2023)


def ruled(case: Case, delivery: str, domain: str) -> None:
    """A ruling on one delivery, as `verdicts.record` writes it."""
    ruling = NewVerdict(domain, "navy.mil", "confirmed", "the sender said so", (delivery,))
    with staging.change(case, "review") as staged:
        verdicts._record(staged.next, [(ruling, "R. Reviewer")], log.NOBODY, now)


def test_a_ruling_follows(logs: list[Path], tmp_path: Path) -> None:
    case, whole = Case(tmp_path / "case"), Case(tmp_path / "whole")
    ingest(logs[2:], case)
    ingest(logs, whole)
    rows = {row["delivery_id"]: row for row in store.read(case, "deliveries").to_pylist()}
    gone = sorted(ids(case) - ids(whole))
    found = followed.successors(case, whole, ids(case))
    assert gone and sorted(found) == gone
    after = {row["delivery_id"]: row for row in store.read(whole, "deliveries").to_pylist()}
    for old, new in found.items():
        held, has = ({(one["evidence"], one["number"]) for one in row["records"]} for row in (rows[old], after[new]))
        assert held <= has and rows[old]["recipient"] == after[new]["recipient"]
    stays = next(one for one in sorted(rows) if one not in gone)
    for one in (gone[0], stays):
        ruled(case, one, rows[one]["recipient_domain"])
    ingest(logs[1:2], case)
    ingest(logs[:1], case)
    assert [one.deliveries for one in verdicts.read(case)] == [(found[gone[0]],), (stays,)]
    assert successors.read(case) == {gone[0]: found[gone[0]]}
    checked = workbench.verify(case.folder)
    assert checked.ok
    assert any(one.name == "successors" and one.ok for one in checked.checks)
    content = case.successors.read_bytes()
    for altered in (content.replace(b'"new"', b'"now"'), b"", content + content):
        case.successors.write_bytes(altered)
        assert not workbench.verify(case.folder).ok
    case.successors.write_bytes(content.replace(found[gone[0]].encode(), stays.encode()))
    with pytest.raises(MissentError, match="successors were altered"):
        verdicts.read(case)
    case.successors.unlink()
    assert not workbench.verify(case.folder).ok


def test_without_rulings_nothing_is_written(logs: list[Path], tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    ingest(logs[2:], case)
    ingest(logs[:2], case)
    assert not case.successors.exists()


@pytest.mark.parametrize("recipient", ["p@navy.example", "x@navy.example"])
def test_a_ruling_comes_back_when_what_stood_for_its_delivery_holds_it_no_longer(
    tmp_path: Path, recipient: str
) -> None:
    """A queue id is given to a second message. Without the end of the first, the second's looks like it. With it, the
    delivery that was ruled on stands by itself again; the other one may even keep its name."""
    queue_id = "4Rk2aB0yzCz1qW"
    begin, *middle, end = message(queue_id, to("x@navy.example")).splitlines(keepends=True)
    queued = middle[-2]

    def at(name: str, hour: str, lines: list[str]) -> Path:
        (tmp_path / name).write_text("".join(line.replace("T10:", f"T{hour}:") for line in lines))
        return tmp_path / name

    first = at("first.log", "10", [begin, *middle[:-1]])
    removed = at("removed.log", "11", [middle[-1].replace("x@navy.example", recipient), end])
    second = at("second.log", "12", [queued, middle[-1], end])
    case = Case(tmp_path / "case")

    def ingested(path: Path) -> dict[str, str]:
        pipeline.ingest([path], case.folder, org=["albion.example"])
        assert workbench.verify(case.folder).ok
        return {
            row["delivery_id"]: str(row["submitted_at"])[11:13] for row in store.read(case, "deliveries").to_pylist()
        }

    (alone,) = ingested(second)
    ruled(case, alone, "navy.example")
    (joined,) = ingested(first)
    assert [one.deliveries for one in verdicts.read(case)] == [(joined,)]
    ruled(case, joined, "navy.example")
    assert ingested(removed)[alone] == "12"
    assert [one.deliveries for one in verdicts.read(case)] == [(alone,), (joined,)]


def test_a_ruling_follows_into_a_file_that_overlaps(tmp_path: Path) -> None:
    """What both files hold counts in the earlier one from then on: the delivery cites it there."""
    lines = message("4Rk2aB0yzCz1qW", to("x@navy.example")).splitlines(keepends=True)
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    first.write_text("".join(line.replace("T10:", "T09:") for line in lines[:2]) + lines[2])
    second.write_text("".join(lines[2:]))
    case = Case(tmp_path / "case")
    pipeline.ingest([second], case.folder, org=["albion.example"])
    (old,) = ids(case)
    ruled(case, old, "navy.example")
    pipeline.ingest([first], case.folder, org=["albion.example"])
    (new,) = ids(case) - {old}
    assert [one.deliveries for one in verdicts.read(case)] == [(new,)]


def test_names_follow_entry_by_entry() -> None:
    steps = [("a", "b"), ("c", "b"), ("b", "d"), ("a", "a"), ("d", "e"), ("a", "f"), ("c", "c")]
    told = successors._followed([{"old": old, "new": new} for old, new in steps])
    assert told == {"a": "f", "b": "e", "c": "c", "d": "e"}
