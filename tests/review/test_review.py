"""Verdicts are added, never changed; attach again after a new detection; and pass through a spreadsheet unharmed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from forensics import casefile as cases
from forensics import rulings
from forensics.case import Case
from forensics.custody import log, manifest
from forensics.custody.verify import verify
from forensics.errors import CaseChanged, CaseError, UsageError, VerificationFailed
from forensics.report.facts.rulings import attach
from forensics.review import (
    NewVerdict,
    export_csv,
    import_csv,
    listing,
    orphaned,
    read,
    record,
    record_all,
    review,
    verdicts,
)
from tests.custody.made import Built
from tests.review.made import NASTY, clock, detect, two_incidents

NAVY = NewVerdict("navy.ml", "navy.mil", "confirmed", "seen with the sender")


@pytest.fixture
def built(tmp_path) -> Built:
    return two_incidents(tmp_path)


def test_record_and_read(built):
    made = record(built.case, NAVY, " A. Reviewer ", clock=clock)
    assert made.reviewer == "A. Reviewer"
    assert made.at == clock()
    assert made.at.tzinfo is not None
    assert read(built.case) == (made,)
    last = log.read(built.case)[-1]
    assert (last["action"], last["details"]["verdicts"]) == ("verdict", [1, 1])
    assert manifest.read(built.case).custody == log.head(built.case)


def test_latest_counts_and_nothing_is_lost(built):
    record(built.case, NAVY, "A", clock=clock)
    one = NewVerdict("navy.ml", "navy.mil", "dismissed", "her brother", ("d1", "d3"))
    record(built.case, one, "B", clock=lambda: clock() + timedelta(hours=1))
    record(built.case, NewVerdict("navy.ml", "navy.mil", "undecided", "ask", ("d3",)), "A", clock=clock)
    record(built.case, NewVerdict("navy.ml", "navy.mil", "dismissed", "all genuine"), "C", clock=clock)
    assert len(read(built.case)) == 4
    held = [(one.verdict, one.deliveries, one.reviewer) for one in rulings.latest(read(built.case))]
    assert held == [("dismissed", ("d1",), "B"), ("undecided", ("d3",), "A"), ("dismissed", (), "C")]
    holds = rulings.on(rulings.held(read(built.case)), ("navy.ml", "navy.mil"), "d3")
    assert holds.verdict == "undecided"
    rows = [{"delivery_id": d, "observed_domain": "navy.ml", "intended_domain": "navy.mil"} for d in ("d1", "d3", "d9")]
    ruled, lost = attach(rows, read(built.case))
    assert {name: one.verdict for name, one in ruled.items()} == {
        "d1": "dismissed",
        "d3": "undecided",
        "d9": "dismissed",
    }
    assert not lost


def test_attach_again_after_a_new_detection(built):
    record(built.case, NAVY, "A", clock=clock)
    record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine", ("d2",)), "A", clock=clock)
    assert orphaned(built.case) == ()
    detect(built, {"d3": "i1", "d2": "i3"})
    (lost,) = orphaned(built.case)
    assert lost.observed_domain == "army.ml"
    assert len(rulings.latest(read(built.case))) == 2
    detect(built, {"d1": "i1", "d2": "i2", "d3": "i1"})
    assert orphaned(built.case) == ()


@pytest.mark.parametrize(
    ("ruling", "reviewer", "text"),
    [
        (NewVerdict("navy.ml", "navy.mil", "guilty", "x"), "A", "'guilty' is no verdict"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "  "), "A", "needs a reason"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "x"), " ", "nobody is named"),
        (NewVerdict("navy.ml", "other.mil", "confirmed", "x"), "A", "no finding has this pair"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "x", ("d2",)), "A", "delivery d2 is no finding of this pair"),
    ],
)
def test_refused(built, ruling, reviewer, text):
    with pytest.raises(UsageError, match=text):
        record_all(built.case, [(NAVY, "A"), (ruling, reviewer)])
    assert read(built.case) == ()


def test_altered_verdicts_are_not_used(built):
    record(built.case, NAVY, "A", clock=clock)
    record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine"), "A", clock=clock)
    whole = built.case.verdicts.read_bytes()
    built.case.verdicts.write_bytes(whole.replace(b"confirmed", b"dismissed"))
    with pytest.raises(VerificationFailed, match=r"verdicts\.jsonl line 1: entry 1 was altered"):
        read(built.case)
    with pytest.raises(VerificationFailed):
        record(built.case, NAVY, "A", clock=clock)
    assert "line 1" in next(check.text for check in verify(built.case).checks if check.name == "verdicts")
    built.case.verdicts.write_bytes(whole.splitlines(keepends=True)[0])
    assert "missing at the end" in next(check.text for check in verify(built.case).checks if check.name == "verdicts")
    built.case.verdicts.write_bytes(whole)
    assert next(check for check in verify(built.case).checks if check.name == "verdicts").ok


@pytest.mark.parametrize("spoil", ["first", "last", "removed", "swapped", "cut", "garbage"])
def test_what_was_read_before_is_no_shelter_for_what_was_altered_since(built, spoil):
    for n in range(4):
        record(built.case, NewVerdict("navy.ml", "navy.mil", "confirmed", f"reason {n}"), "A", clock=clock)
    good = built.case.verdicts.read_bytes()
    assert len(read(built.case)) == 4
    lines = good.splitlines(keepends=True)
    made = {
        "first": [lines[0].replace(b"reason 0", b"reason 9"), *lines[1:]],
        "last": [*lines[:3], lines[3].replace(b"reason 3", b"reason 9")],
        "removed": [lines[0], *lines[2:]],
        "swapped": [lines[1], lines[0], *lines[2:]],
        "cut": [*lines[:3], lines[3][:-5]],
        "garbage": [*lines, b"{}\n"],
    }[spoil]
    built.case.verdicts.write_bytes(b"".join(made))
    for _ in range(2):
        with pytest.raises(VerificationFailed):
            read(built.case)
    built.case.verdicts.write_bytes(good)
    assert [one.reason for one in read(built.case)] == [f"reason {n}" for n in range(4)]
    built.case.verdicts.write_bytes(b"".join(lines[:2]))
    assert [one.sequence for one in read(built.case)] == [1, 2]
    built.case.verdicts.unlink()
    assert read(built.case) == ()


def test_a_ruling_on_what_has_changed_is_refused(built):
    shown = verdicts.state(built.case)
    record_all(built.case, [(NAVY, "A")], shown=shown, clock=clock)
    with pytest.raises(CaseChanged, match="changed since they were shown"):
        record_all(built.case, [(NAVY, "B")], shown=shown, clock=clock)
    shown = verdicts.state(built.case)
    detect(built, {"d1": "i1", "d3": "i1"})
    with pytest.raises(CaseChanged):
        record_all(built.case, [(NAVY, "B")], shown=shown, clock=clock)
    assert [one.reviewer for one in read(built.case)] == ["A"]


def test_a_day_to_ask_by_and_what_a_ruling_withdraws(built):
    asked = NewVerdict("navy.ml", "navy.mil", "undecided", "on leave", ("d1",), ask="2023-07-08")
    first = record(built.case, asked, "A", clock=clock)
    undone = NewVerdict("navy.ml", "navy.mil", "undecided", "wrong one", ("d1",), undoes=first.sequence)
    record(built.case, undone, "A", clock=clock)
    assert [(one.ask, one.undoes) for one in read(built.case)] == [("2023-07-08", 0), ("", 1)]
    assert b'"ask"' not in built.case.verdicts.read_bytes().splitlines()[1]
    for verdict, day, text in (("confirmed", "2023-07-08", "expected: undecided"), ("undecided", "soon", "is no day")):
        with pytest.raises(UsageError, match=text):
            record(built.case, NewVerdict("navy.ml", "navy.mil", verdict, "x", ask=day), "A", clock=clock)


def test_before_detection(tmp_path):
    with pytest.raises(CaseError, match="nothing was detected yet"):
        record(Case(tmp_path), NAVY, "A")
    with pytest.raises(CaseError, match="nothing was detected yet"):
        export_csv(Case(tmp_path), tmp_path / "x.csv")


def rows_of(path, delimiter=","):
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def save(path, rows, delimiter=",", encoding="utf-8-sig"):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))


def test_export(built, tmp_path):
    record(built.case, NewVerdict("navy.ml", "navy.mil", "dismissed", "=1+1 is two", ("d1",)), "@A", clock=clock)
    path = tmp_path / "list.csv"
    assert export_csv(built.case, path) == 5
    rows = rows_of(path)
    assert [row["kind"] for row in rows] == ["note", "incident", "delivery", "incident", "delivery", "delivery"]
    assert "apostrophe" in rows[0]["why"]
    for row in rows:
        for cell in row.values():
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    ruled = next(row for row in rows if row["delivery_id"] == "d1")
    assert (ruled["verdict"], ruled["reason"], ruled["reviewer"]) == ("dismissed", "'=1+1 is two", "'@A")
    hostile = next(row for row in rows if row["delivery_id"] == "d3")
    assert hostile["sender"] == "'" + NASTY
    assert hostile["recipient"] == "\\u{202e}x@navy.ml"
    assert hostile["subject"] == "[red]\\u{1b}[31m\\u{0}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_import(built, tmp_path, delimiter):
    path = tmp_path / "list.csv"
    export_csv(built.case, path)
    assert import_csv(built.case, path) == ()
    rows = rows_of(path)
    navy = next(row for row in rows if row["kind"] == "incident" and row["observed_domain"] == "navy.ml")
    navy |= {"verdict": " Confirmed ", "reason": '\'=asked; him, "twice"\nand again', "reviewer": "A"}
    single = next(row for row in rows if row["delivery_id"] == "d2")
    single |= {"verdict": "dismissed", "reason": "genuine", "reviewer": ""}
    save(path, rows, delimiter)
    with pytest.raises(UsageError, match="nobody is named as reviewer"):
        import_csv(built.case, path)
    assert read(built.case) == ()
    made = import_csv(built.case, path, reviewer="B", clock=clock)
    assert {(one.observed_domain, one.verdict, one.deliveries, one.reviewer) for one in made} == {
        ("navy.ml", "confirmed", (), "B"),
        ("army.ml", "dismissed", ("d2",), "B"),
    }
    reason = next(one.reason for one in made if one.verdict == "confirmed")
    assert reason == '=asked; him, "twice"\nand again'
    assert sum(entry["action"] == "verdict" for entry in log.read(built.case)) == 1
    filled = path.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        export_csv(built.case, path)
    assert path.read_bytes() == filled
    export_csv(built.case, tmp_path / "after.csv")
    assert import_csv(built.case, tmp_path / "after.csv", reviewer="C") == ()


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda row: row.update(verdict="maybe"), "line 3: 'maybe' is no verdict"),
        (lambda row: row.update(verdict="confirmed", reason=""), "line 3: a verdict needs a reason"),
        (lambda row: row.update(verdict="confirmed", observed_domain="x.ml"), "no finding has this pair"),
        (lambda row: row.update(verdict="confirmed", kind="delivery", delivery_id=""), "names no delivery"),
    ],
)
def test_import_refuses_whole_lists_with_a_wrong_row(built, tmp_path, spoil, text):
    path = tmp_path / "list.csv"
    export_csv(built.case, path)
    rows = rows_of(path)
    for row in rows:
        row.update(reason="why", reviewer="A")
        if row["kind"] == "delivery":
            row["verdict"] = "confirmed"
    spoil(rows[1])
    save(path, rows)
    with pytest.raises(UsageError, match=text):
        import_csv(built.case, path)
    assert read(built.case) == ()


def test_import_of_what_is_no_list(built, tmp_path):
    path = tmp_path / "list.csv"
    for content, text in (
        (b"a,b\n1,2\n", "has no column"),
        (b"", "has no column"),
        ("kind,verdict\nä".encode("cp1252"), "is no UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=text):
            import_csv(built.case, path)
    with pytest.raises(UsageError, match="there is no such file"):
        import_csv(built.case, tmp_path / "none.csv")


def test_the_list(built):
    first, second, how = review(built.case).lines
    assert first.split() == ["army.ml", "→", "navy.mil", "1", "finding", "1", "accepted", "0.990", "open"]
    # What the incidents of the fixture count is one of them; a ruling is on both.
    assert second.split()[:7] == ["navy.ml", "→", "navy.mil", "2", "findings", "2", "accepted"]
    assert "--web" in how
    record(built.case, NewVerdict("navy.ml", "navy.mil", "dismissed", "x", ("d1",)), "A", clock=clock)
    assert review(built.case).lines[1].endswith("dismissed, open")


def test_one_pair_is_set_out_with_every_finding(built):
    record(
        built.case, NewVerdict("navy.ml", "navy.mil", "undecided", "ask", ("d1",), ask="2023-07-08"), "A", clock=clock
    )
    lines = review(built.case, show="navy.ml").lines
    assert lines[0].startswith("navy.ml → navy.mil: ")
    assert any(f"[bold]{NASTY}" in line for line in lines)
    assert lines[1] == "  1 message, 2 senders, 2 recipient addresses; 2 accepted there, 0 not accepted"
    assert "  2 findings:" in lines
    assert lines[-2].endswith("undecided, to be asked by 2023-07-08 by A on 2023-07-01: ask")
    assert lines[-1].startswith("    d3")
    assert review(built.case, show="d3").lines[-1] == lines[-1]
    assert review(built.case, show="NAVY.ML:navy.mil").lines == lines


def test_ruling_by_command(built):
    on = ("navy.ml", "d2")
    done = review(built.case, rule="dismissed", on=on, reason="asked them", reviewer="A", remember=True)
    assert [(one.observed_domain, one.deliveries, one.reason) for one in read(built.case)] == [
        ("navy.ml", (), "asked them"), ("army.ml", ("d2",), "asked them"),
    ]  # fmt: skip
    assert done.lines[0] == "2 verdicts recorded: 0 confirmed, 2 dismissed, 0 undecided"
    assert done.remembered == ("navy.ml",)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rule": "confirmed", "on": ["navy.ml"], "reason": "x"}, "nobody is named"),
        ({"rule": "confirmed", "on": ["navy.ml"], "reviewer": "A"}, "needs a reason"),
        ({"rule": "guilty", "on": ["navy.ml"], "reason": "x", "reviewer": "A"}, "is no verdict"),
        ({"rule": "confirmed", "reason": "x", "reviewer": "A"}, "on nothing"),
        ({"rule": "confirmed", "on": ["navy.mil"], "reason": "x", "reviewer": "A"}, "no finding has this domain"),
        ({"rule": "confirmed", "on": ["navy.ml", "d"], "reason": "x", "reviewer": "A"}, "no finding has this domain"),
        ({"show": "nothing"}, "no finding has this domain"),
        ({"on": ["navy.ml"]}, "are of a ruling"),
        ({"reason": "x"}, "are of a ruling"),
        ({"show": "navy.ml", "web": True}, "--web and --show at once"),
        ({"port": 8000}, "of the desk"),
        ({"read_only": True}, "of the desk"),
    ],
)
def test_refused_by_command(built, options, text):
    with pytest.raises(UsageError, match=text):
        review(built.case, **options)
    assert read(built.case) == ()


def test_a_name_of_several_is_asked_about(built):
    found = [
        {"observed_domain": "navy.ml", "intended_domain": name, "findings": [{"delivery_id": f"deadbeef{name}"}]}
        for name in ("navy.mil", "navi.ml")
    ]
    with pytest.raises(UsageError, match=r"several pairs\s+expected: navy.ml:navy.mil, navy.ml:navi.ml"):
        listing._named(found, "navy.ml")
    with pytest.raises(UsageError, match=r"several deliveries begin so: deadbeefnavi\.ml, deadbeefnavy\.mil"):
        listing._named(found, "deadbeef")
    assert listing._named(found, "navy.ml:navi.ml") == (found[1], ())
    assert listing._named(found, "deadbeefnavi") == (found[1], ("deadbeefnavi.ml",))


def test_remember_as_known_good(built):
    before = built.case.toml.read_text()
    done = review(built.case, rule="dismissed", on=["army.ml"], reason="x", reviewer="A", remember=True)
    assert done.remembered == ("army.ml",)
    assert cases.read(built.case).domains.known_good == ("army.ml",)
    assert [line for line in built.case.toml.read_text().splitlines() if line not in before.splitlines()] == [
        'known_good = ["army.ml"]'
    ]
    assert log.read(built.case)[-1]["details"]["known_good"] == ["army.ml"]


def test_review_by_file(built, tmp_path):
    path = tmp_path / "list.csv"
    assert "5 incidents and findings" in review(built.case, export_to=path).lines[0]
    rows = rows_of(path)
    rows[1] |= {"verdict": "dismissed", "reason": "r"}
    save(path, rows)
    done = review(built.case, import_from=path, reviewer="B", remember=True)
    assert done.remembered == ("army.ml",)
    assert done.lines[0] == "1 verdict recorded: 0 confirmed, 1 dismissed, 0 undecided"
    with pytest.raises(UsageError, match="at once"):
        review(built.case, import_from=path, export_to=path)


def test_nothing_to_review(built):
    detect(built, {})
    assert review(built.case).lines == ("There is nothing to review: no incident was found.",)
