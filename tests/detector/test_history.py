"""Who wrote to whom: normalised addresses, lists as writers, correspondents."""

from __future__ import annotations

import pytest

from forensics.detector import history
from tests.detector.material import mail, view


def _keys(*rows: object) -> set[tuple[str, str, str, str]]:
    connection = view([r for group in rows for r in group])  # type: ignore[attr-defined]
    history.build(connection)
    return set(
        connection.execute("select sender_local, sender_domain, recipient_local, recipient_domain from mail").fetchall()
    )


@pytest.mark.parametrize(
    ("address", "local", "domain"),
    [
        ("Officer@Navy.mil", "officer", "navy.mil"),
        ("officer+ships@navy.mil", "officer", "navy.mil"),
        ("SRS0=HHH=TT=navy.mil=officer@forwarder.example", "officer", "navy.mil"),
        ("SRS1=abc=forwarder.example==HHH=TT=navy.mil=officer@second.example", "officer", "navy.mil"),
        ("prvs=0123456789=officer@navy.mil", "officer", "navy.mil"),
        ("bounces+42-ada=albion.example@news.example", "bounces", "news.example"),
        ("+odd@navy.mil", "+odd", "navy.mil"),
        ('"two words"@navy.mil', '"two words"', "navy.mil"),
    ],
)
def test_senders_are_normalised(address: str, local: str, domain: str) -> None:
    keys = _keys(mail(address, "ada@albion.example", sender_domain=address.rpartition("@")[2].lower()))
    assert keys == {(local, domain, "ada", "albion.example")}


def test_tags_of_recipients_are_one_person() -> None:
    connection = view(
        mail("ada@albion.example", "officer+a@navy.mil") + mail("ada@albion.example", "OFFICER@navy.mil", day=1)
    )
    history.build(connection)
    assert connection.execute("select recipient_local, n from pairs").fetchall() == [("officer", 2)]


def test_reports_and_relayed_mail_are_no_history() -> None:
    connection = view(
        mail("", "officer@navy.mil")
        + mail("spam@x.example", "victim@y.example")
        + mail("ada@albion.example", "b@navy.mil", day=1)
    )
    history.build(connection)
    assert history.outside(connection) == ["navy.mil"]
    assert history.known(connection) == ["albion.example", "navy.mil"]


def test_a_list_stands_as_the_writer_of_what_it_expands_to() -> None:
    rows = mail("ada@albion.example", "officer@navy.mil", via="ops@albion.example") + mail(
        "ben@albion.example", "officer@navy.mil", via="ops@albion.example", day=2
    )
    connection = view(rows)
    history.build(connection)
    assert connection.execute("select writer_local, writer_domain, via, n from pairs").fetchall() == [
        ("ops", "albion.example", True, 2)
    ]


def test_correspondents() -> None:
    rows = mail("ada@albion.example", "officer@navy.mil", "clerk@yard.co.uk")
    rows += mail("officer@navy.mil", "ada@albion.example", day=1)
    rows += mail("stranger@navy.mil", "ada@albion.example", day=2)
    rows += mail("ben@albion.example", "officer@navy.mil", day=3)
    rows += mail("ben@albion.example", "ada@albion.example", day=4)
    connection = view(rows)
    history.build(connection)
    found = {r["domain"]: r for r in history.correspondents(connection, ["albion.example"]).to_pylist()}
    assert sorted(found) == ["navy.mil", "yard.co.uk"]
    navy = found["navy.mil"]
    assert (navy["messages_out"], navy["messages_in"], navy["senders"], navy["replies"]) == (2, 2, 2, 1)
    assert (navy["registered_domain"], navy["suffix"]) == ("navy.mil", "mil")
    assert found["yard.co.uk"]["messages_in"] == 0
    assert navy["first_seen"] < navy["last_seen"]
