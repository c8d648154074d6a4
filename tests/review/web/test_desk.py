"""What a reviewer sees and rules: counts, lists, conflicts, undo, second reviewers, visits."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from forensics.custody import lock, log
from forensics.custody.verify import verify
from forensics.review import NewVerdict, read, record
from forensics.review.web import app, drawing, views
from forensics.review.web.app import Desk
from forensics.review.web.choosing import filters
from forensics.rulings import latest
from tests.review.made import NASTY, clock, detect, two_incidents
from tests.review.web.asking import Client


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return two_incidents(tmp_path)


@pytest.fixture
def client(built):
    return Client(built.case, "A. Reviewer").opened()


def ticking():
    at = [clock()]

    def now():
        at[0] += timedelta(minutes=1)
        return at[0]

    return now


def text(page) -> str:
    """The page as it reads: without tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def test_a_pair_with_all_that_a_ruling_needs(client):
    page = text(client.get("/?at=i1"))
    for words in ("Sent to navy.ml, believed meant navy.mil", "2 findings", "2 accepted there", "2 open", "2 of 2",
                  "A slip: navy.mil was meant", "No slip: navy.ml itself was meant", "0.010", "Before any evidence",
                  "history", "from their side", "Mail of both domains", "You have not ruled on this pair"):  # fmt: skip
        assert words in page, words


def test_strangers_values_are_text(client):
    page = client.get("/?at=i1&finding=d3&records=1&pair=%3Cscript%3E&sender=%22%3E%3Csvg%20onload=x%3E")
    assert NASTY in unescape(page.text)
    assert "\\u{202e}x@navy.ml" in page.text
    assert "[red]\\u{1b}[31m\\u{0}" in page.text
    for forbidden in ("\x1b", "\u202e", "<script>", "<svg onload", NASTY):
        assert forbidden not in page.text


def test_nothing_on_the_page_is_inline_or_from_elsewhere(client):
    page = client.get("/?at=i1&records=1").text
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/desk.js" defer>']
    assert not re.search(r"\sstyle=|\son\w+=|<style|<img|<iframe|javascript:|https?://", page)


def test_ruling_on_the_pair_a_list_and_a_finding(client, built):
    page = client.get("/?at=i1")
    assert page.value("shown") == "d1 d3"
    gone_on = client.rule(page, "confirmed", " seen with the sender ")
    assert gone_on.status == 303
    assert gone_on.headers["location"] == "/?at=i2&done=1"
    page = client.get("/?at=i1&sender=grant")
    assert page.value("shown") == "d1"
    assert client.rule(page, "dismissed", "her brother", scope="list").status == 303
    page = client.get("/?at=i1&finding=d3")
    answer = client.rule(page, "ask", "on leave", scope="finding", ask="2023-07-08")
    assert answer.headers["location"] == "/?at=i2&done=3"
    held = [(one.verdict, one.deliveries, one.reason, one.ask, one.reviewer) for one in read(built.case)]
    assert held == [
        ("confirmed", (), "seen with the sender", "", "A. Reviewer"),
        ("dismissed", ("d1",), "her brother", "", "A. Reviewer"),
        ("undecided", ("d3",), "on leave", "2023-07-08", "A. Reviewer"),
    ]
    assert [entry["details"]["verdicts"] for entry in log.read(built.case) if entry["action"] == "verdict"] == [
        [1, 1], [2, 2], [3, 3],
    ]  # fmt: skip
    page = text(client.get("/?at=i1"))
    assert "ask the sender by 2023-07-08 on 1 finding" in page
    assert "missent block" not in page
    assert "2 with a ruling of their own keep it" in page
    assert next(check for check in verify(built.case).checks if check.name == "verdicts").ok


def test_after_a_finding_comes_the_next_open_one(client):
    page = client.get("/?at=i1&finding=d1")
    assert client.rule(page, "confirmed", "x", scope="finding").headers["location"] == "/?at=i1&finding=d3&done=1"


def test_the_panel_lists_all_that_a_ruling_is_on(client):
    assert [client.get(f"/list/i1?scope={scope}&finding=d3&sender=grant").text.count("·") // 2 for scope in
            ("incident", "list", "finding")] == [2, 1, 1]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "guilty"}, "is no verdict"),
        ({"reason": "  "}, "needs a reason"),
        ({"scope": "all"}, "what the ruling is on"),
        ({"scope": "list", "shown": " "}, "no finding is named"),
        ({"verdict": "ask"}, "no day is named"),
        ({"verdict": "ask", "ask": "soon"}, "is no day"),
    ],
)
def test_what_cannot_be_is_refused_and_kept_for_mending(client, built, change, words):
    page = client.get("/?at=i1")
    answer = client.rule(page, "confirmed", "because of this")
    assert answer.status == 303
    page = client.get("/?at=i1")
    given = {"scope": "incident", "verdict": "confirmed", "reason": "because of that"} | change
    answer = client.rule(page, given.pop("verdict"), given.pop("reason"), **given)
    assert answer.status == 400
    assert words in text(answer).lower()
    assert "Nothing was recorded" in answer.text
    assert ("because of that" in answer.text) == ("reason" not in change)
    assert len(read(built.case)) == 1


def test_a_ruling_on_the_exact_list_over_several_pairs(built):
    client = Client(built.case, "A. Reviewer", clock=ticking()).opened()
    page = client.get("/?at=i1&sender=grant")
    assert "the whole queue, as filtered: 2 findings of 2 pairs" in text(page)
    listing = client.get("/list/i1?scope=queue&sender=grant")
    assert "navy.ml → navy.mil : 1 of 2 findings" in text(listing)
    assert "army.ml → navy.mil : 1 finding" in text(listing)
    assert listing.value("queue") == "d2 d1"
    answer = client.rule(page, "dismissed", "all hers", scope="queue", queue=listing.value("queue"))
    assert answer.status == 303
    held = [(one.observed_domain, one.deliveries, one.verdict, one.act) for one in read(built.case)]
    assert held == [("army.ml", ("d2",), "dismissed", 0), ("navy.ml", ("d1",), "dismissed", 1)]
    assert [entry["details"]["verdicts"] for entry in log.read(built.case) if entry["action"] == "verdict"] == [[1, 2]]
    assert "Withdraw 2 rulings, 1 to 2: they were recorded together" in text(client.get("/?at=i1"))
    assert undo(client, "1").status == 400
    assert undo(client, "2").status == 303
    assert [(one.verdict, one.undoes, one.act) for one in read(built.case)][2:] == [
        ("undecided", 1, 0), ("undecided", 2, 3),
    ]  # fmt: skip
    assert client.get("/?state=open").text.count('class="pair"') == 2
    assert next(check for check in verify(built.case).checks if check.name == "verdicts").ok


@pytest.mark.parametrize("change", ["ruling", "detection", "gone"])
def test_a_list_over_several_pairs_of_which_anything_changed_is_a_conflict(client, built, change):
    page = client.get("/?at=i1")
    ids = client.get("/list/i1?scope=queue").value("queue")
    assert ids == "d2 d1 d3"
    if change == "ruling":
        record(built.case, NewVerdict("army.ml", "navy.mil", "confirmed", "x", ("d2",)), "B", clock=clock)
    elif change == "detection":
        detect(built, {"d1": "i1", "d2": "i2"})
    else:
        ids += " d9"
    before = read(built.case)
    answer = client.rule(page, "dismissed", "typed for all", scope="queue", queue=ids)
    assert answer.status == 409
    assert "typed for all" in answer.text
    assert re.search(r'value="queue" checked', answer.text), "what it is on is not made less by a conflict"
    assert read(built.case) == before


def test_a_note_on_several_pairs_leaves_each_as_it_is(client, built):
    client.rule(client.get("/?at=i2"), "confirmed", "x")
    ids = client.get("/list/i1?scope=queue").value("queue")
    assert client.rule(client.get("/?at=i1"), "note", "asked", scope="queue", queue=ids).status == 303
    assert [(one.observed_domain, one.verdict) for one in read(built.case)][1:] == [
        ("army.ml", "confirmed"), ("navy.ml", "undecided"),
    ]  # fmt: skip


@pytest.mark.parametrize("shown", ["d2", "d1 d2", "d1 nothing"])
def test_findings_of_another_pair_are_not_ruled_on(client, built, shown):
    assert client.rule(client.get("/?at=i1"), "confirmed", "x", scope="list", shown=shown).status == 409
    assert read(built.case) == ()


def test_what_changed_meanwhile_is_a_conflict_with_a_fresh_page(client, built):
    page = client.get("/?at=i1")
    record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine"), "B", clock=clock)
    answer = client.rule(page, "confirmed", "typed for this page")
    assert answer.status == 409
    assert "typed for this page" in answer.text
    assert 'data-draft="confirmed"' in answer.text
    assert len(read(built.case)) == 1
    assert client.rule(answer, "confirmed", "typed for this page").status == 303
    page = client.get("/?at=i1")
    detect(built, {"d2": "i2"})
    answer = client.rule(page, "dismissed", "not lost")
    assert answer.status == 409
    assert "not lost" in text(answer)
    assert len(read(built.case)) == 2


def test_a_conflict_between_look_and_record_is_found_while_the_case_is_held(client, built, monkeypatch):
    page = client.get("/?at=i1")
    honest = app.record_all

    def late(case, given, **more):
        monkeypatch.setattr(app, "record_all", honest)
        record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine"), "B", clock=clock)
        return honest(case, given, **more)

    monkeypatch.setattr(app, "record_all", late)
    assert client.rule(page, "confirmed", "x").status == 409
    assert [one.reviewer for one in read(built.case)] == ["B"]


def test_the_case_is_held_for_one_ruling_only(client, built, monkeypatch):
    monkeypatch.setattr(app, "PATIENCE", 0.0)
    page = client.get("/?at=i1")
    with lock.held(built.case, "ingest"):
        answer = client.rule(page, "confirmed", "kept")
        assert answer.status == 409
        assert "kept" in answer.text
    assert client.rule(page, "confirmed", "kept").status == 303
    with lock.held(built.case, "ingest"):
        assert client.get("/").status == 200


def test_undo_is_a_new_ruling_and_what_was_before_holds_again(built):
    client = Client(built.case, "A. Reviewer", clock=ticking()).opened()
    client.rule(client.get("/?at=i1"), "confirmed", "first")
    client.rule(client.get("/?at=i1"), "dismissed", "second thoughts", scope="list", shown="d1")
    assert undo(client, "2").headers["location"] == "/?at=i1&done=3"
    third = read(built.case)[2]
    assert (third.verdict, third.deliveries, third.undoes) == ("confirmed", ("d1",), 2)
    assert third.reason == "Ruling 2 (dismissed) is withdrawn: slip of the key Ruling 1 holds again: first"
    assert undo(client, "1").status == 303
    fourth = read(built.case)[3]
    assert (fourth.verdict, fourth.deliveries, fourth.undoes) == ("undecided", (), 1)
    assert undo(client, "3").status == 400
    assert "open" in text(client.get("/?at=i1&finding=d3"))
    assert client.get("/?state=open").text.count('class="pair"') == 2
    assert len(read(built.case)) == 4


def undo(client, sequence):
    state = client.get("/?at=i1").value("state")
    return client.post("/undo", {"state": state, "sequence": sequence, "reason": "slip of the key", "query": "?"})


def test_only_the_reviewers_own_latest_ruling_is_withdrawn(client, built):
    record(built.case, NewVerdict("navy.ml", "navy.mil", "confirmed", "x"), "B", clock=clock)
    assert undo(client, "1").status == 400
    assert "Withdraw ruling" not in client.get("/?at=i1").text
    assert len(read(built.case)) == 1


def test_a_note_leaves_the_ruling_as_it_is(client, built):
    client.rule(client.get("/?at=i1"), "confirmed", "x")
    assert "missent block" in client.get("/?at=i1").text
    answer = client.rule(client.get("/?at=i1"), "note", "their office wrote back")
    assert answer.headers["location"] == "/?at=i1&done=2"
    assert [(one.verdict, one.reason) for one in latest(read(built.case))] == [("confirmed", "their office wrote back")]
    client.rule(client.get("/?at=i1"), "dismissed", "y", scope="finding", finding="d1")
    assert client.rule(client.get("/?at=i1"), "note", "z").status == 400


def test_a_second_reviewer_rules_before_seeing_the_first(built):
    first = Client(built.case, "First Reviewer", clock=ticking()).opened()
    first.rule(first.get("/?at=i1"), "confirmed", "seen in the letter")
    second = Client(built.case, "Second Reviewer", clock=ticking()).opened()
    page = second.get("/?at=i1")
    assert "Another reviewer has ruled on 2 of these findings" in text(page)
    for told in ("First Reviewer", "seen in the letter", "ruling 1", ">confirmed <b>"):
        assert told not in page.text
    assert "ruled by another, not by you 2" in text(page)
    second.rule(page, "dismissed", "a genuine office")
    page = second.get("/?at=i1")
    for told in ("First Reviewer", "seen in the letter", "Reviewers disagree", "a genuine office"):
        assert told in text(page)
    assert second.get("/?state=differs").text.count('class="pair"') == 1
    assert "Reviewers disagree" in text(first.get("/?at=i1"))
    reading = Client(built.case, read_only=True).opened()
    page = text(reading.get("/?at=i1"))
    assert "First Reviewer" in page
    assert "2 dismissed" in page, "the later one counts"


def test_reviewers_are_told_apart_by_name_without_letter_case(built):
    Client(built.case, "A. Reviewer").opened().rule(
        Client(built.case, "A. Reviewer").opened().get("/?at=i1"), "confirmed", "x"
    )
    assert "You have not ruled" not in text(Client(built.case, " a.  REVIEWER ").opened().get("/?at=i1"))


def test_who_rules_is_asked_once(built):
    client = Client(built.case).opened()
    assert "Who rules?" in client.get("/").text
    assert client.post("/rule", {"state": "x", "reason": "x"}).headers["location"] == "/"
    assert client.post("/reviewer", {"reviewer": "  "}).status == 400
    assert client.post("/reviewer", {"reviewer": " N.  Named "}).status == 303
    assert "Reviewer: N. Named" in text(client.get("/"))
    assert client.post("/reviewer", {"reviewer": "Somebody Else"}).status == 400
    assert read(built.case) == ()


@pytest.mark.parametrize("body", [b"\xff=1", b"a=1&a=2", b"&".join(b"f%d=1" % n for n in range(100)), b"verdict=%ff"])
def test_a_form_that_is_none(client, body):
    headers = {"origin": "http://127.0.0.1:8000", "content-type": "application/x-www-form-urlencoded"}
    assert client.ask("POST", "/rule", headers=headers, body=body).status == 400


def test_new_since_the_last_visit(built):
    first = Client(built.case, "A. Reviewer").opened()
    assert "first visit" in first.get("/").text
    again = Client(built.case, "A. Reviewer").opened()
    assert "0 findings new since your last visit" in text(again.get("/"))
    detect(built, {"d1": "i1", "d2": "i2"})
    Client(built.case, "A. Reviewer")
    detect(built, {"d1": "i1", "d2": "i2", "d3": "i1"})
    back = Client(built.case, "A. Reviewer").opened()
    assert "1 findings new" not in text(back.get("/"))
    assert "1 finding new since your last visit" in text(back.get("/"))
    assert back.get("/?state=new").text.count('class="pair"') == 1
    assert "first visit" in Client(built.case, "B").opened().get("/").text


def test_a_visit_that_cannot_be_remembered_is_said(built, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert "this visit is not remembered" in Client(built.case, "A").opened().get("/").text


def test_without_a_home_no_visit_is_remembered_and_that_is_said(built, homeless):
    page = Client(built.case, "A").opened().get("/").text
    assert "this visit is not remembered: this user has no home folder" in page and "first visit" in page


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ["i2", "i1"]), ("level=high", ["i2", "i1"]), ("level=low", []), ("level=none", ["i2", "i1"]),
        ("pair=ARMY", ["i2"]), ("pair=navy.ml ", ["i1"]), ("sender=grant", ["i2", "i1"]), ("sender=cmd", ["i1"]),
        ("exposure=exposed", ["i2", "i1"]), ("exposure=unsettled", []), ("state=open", ["i2", "i1"]),
        ("state=confirmed", []), ("since=2023-06-01", ["i2", "i1"]), ("since=2023-06-02", []),
        ("until=2023-06-01", ["i2", "i1"]), ("until=2023-05-31", []), ("until=soon", ["i2", "i1"]), ("since=2023-99-01", ["i2", "i1"]),
    ],
)  # fmt: skip
def test_filters(client, query, left):
    page = client.get(f"/?{query}").text
    assert re.findall(r'class="queue".*?</ol>', page, re.S)
    queue = re.search(r'<ol class="queue".*?</ol>', page, re.S)[0]
    assert re.findall(r"at=(i\d)", queue) == left


def test_filters_stay_on_every_way_onwards(client):
    page = client.get("/?at=i1&sender=grant&level=high").text
    for address in re.findall(r'data-key="[jJrK]"[^>]*href="([^"]*)"|href="([^"]*)"[^>]*data-key="[jJrK]"', page):
        assert "level=high&amp;sender=grant" in "".join(address)
    assert filters({"level": "x", "since": "2023-01-01"}).query() == "?since=2023-01-01"


def test_an_altered_table_is_not_shown(client, built):
    built.case.findings.write_bytes(built.case.findings.read_bytes() + b" ")
    answer = client.get("/")
    assert answer.status == 500
    assert "since the case recorded it" in text(answer)


def test_records_are_quoted_with_their_addresses(built):
    built.run()
    client = Client(built.case, "A. Reviewer").opened()
    page = text(client.get("/?at=i1&records=1"))
    assert "record 4 · offset" in page
    assert "to=<J.Doe@navy.ml>" in page
    for path in built.logs.iterdir():
        path.unlink()
    assert "this record cannot be quoted" in text(client.get("/?at=i1&records=1"))


def test_rivals_side_by_side():
    row = {"score": 0.9, "alternatives": [{"domain": "nave.mil", "score": 0.2}]}

    class Pair:
        observed, intended = "nav.mil", "navy.mil"

    found = views.readings(Pair, row)  # type: ignore[arg-type]
    assert [(kind, name, round(value, 6)) for kind, name, value in found] == [
        ("slip", "navy.mil", 0.7), ("slip", "nave.mil", 0.2), ("none", "nav.mil", 0.1),
    ]  # fmt: skip


def test_bars_lie_on_their_side():
    assert 'class="plus" x="100.0" y="1" width="50.0"' in drawing.bar(1, 2)
    assert 'class="minus" x="0.0" y="1" width="100.0"' in drawing.bar(-2, 2)
    assert 'width="0"' in drawing.bar(0, 0)


def test_no_incident(built):
    detect(built, {})
    page = text(Client(built.case, "A").opened().get("/"))
    assert "There is nothing to review" in page


def test_pages_know_their_neighbours(built, monkeypatch):
    monkeypatch.setattr(views, "QUEUE", 1)
    monkeypatch.setattr(views, "LIST", 1)
    client = Client(built.case, "A").opened()
    page = client.get("/?at=i1")
    assert page.value("shown") == "d1"
    assert 'data-key="["' in page.text
    assert 'data-key="]"' not in page.text
    assert client.get("/?at=i1&list=1").value("shown") == "d3"
    assert client.get("/?at=i1&list=99").value("shown") == "d3"


def test_a_desk_without_a_name_rules_nothing(built):
    desk = Desk(built.case, read_only=False)
    assert not desk.named
