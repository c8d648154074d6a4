"""Whose mail it is: what is the organisation's, whatever an address in `from=<…>` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import store
from forensics.case import Case
from tests.ingesting import line, message, read, to

OWN = "albion.example"
FAR = "mx.navy.example[203.0.113.5]:25"
INNER = "10.0.0.9[10.0.0.9]:25"
OUTSIDER, PC, WS = "mx.evil.example[198.51.100.66]", "pc.albion.example[192.0.2.17]", "ws1.albion.example[10.0.0.1]"
LOGIN = ", sasl_method=PLAIN, sasl_username=ann"
ID, OTHER = "4B1C2D3E4F", "5C2D3E4F50"


def refused(
    client: str, why: str = "550 5.1.2 <x@navy.example>: Domain not found", sender: str = "ann@albion.example"
) -> str:
    envelope = f"from=<{sender}> to=<x@navy.example> proto=ESMTP helo=<h>"
    return line(f"postfix/smtpd[5]: NOQUEUE: reject: RCPT from {client}: {why}; {envelope}")


def login(client: str) -> str:
    return line(f"postfix/smtpd[5]: disconnect from {client} ehlo=1 auth=1 mail=1 rcpt=0/1 quit=1 commands=4/5")


def sent(client: str, *, queue_id: str = OTHER) -> str:
    """Accepted mail that goes out."""
    return message(queue_id, to("y@far.example", relay="mx.far.example[203.0.113.6]:25"), client=client)


def came(
    client: str, recipient: str = "ben@albion.example", sender: str = "bob@far.example", queue_id: str = "6D3E4F5061"
) -> str:
    """Accepted mail for an inside address."""
    return message(queue_id, to(recipient, relay=INNER), client=client, sender=sender)


def told(folder: Path, log: str, recipient: str = "x@navy.example") -> list[tuple[str, str]]:
    """(direction, submission) of the deliveries to a recipient."""
    read(folder, {"mail.log": log})
    with store.connect(Case(folder / "case"), [OWN]) as connection:
        query = f"select direction, submission from deliveries where recipient = '{recipient}' order by submitted_at"
        return list(store.fetch(connection, query)[1])  # type: ignore[arg-type]


@pytest.mark.parametrize("why", [
    "554 5.7.1 <x@navy.example>: Relay access denied", "454 4.7.1 <x@navy.example>: Relay access denied",
    "550 5.1.2 <x@navy.example>: Domain not found", "450 4.1.2 <x@navy.example>: Domain not found",
])  # fmt: skip
def test_a_refused_stranger_in_an_employee_s_name(tmp_path: Path, why: str) -> None:
    assert told(tmp_path, refused(OUTSIDER, why)) == [("relayed", "outside")]


@pytest.mark.parametrize(
    ("log", "how"),
    [
        (refused(OUTSIDER) + login(OUTSIDER), "authenticated"),
        (refused(WS), "internal"),
        (refused(PC) + sent(PC), "internal"),
        (refused(PC) + sent(PC + LOGIN), "internal"),
        (refused(WS) + sent(WS) + came(WS), "internal"),
    ],
)
def test_a_refusal_with_proof_is_the_organisation_s(tmp_path: Path, log: str, how: str) -> None:
    assert told(tmp_path, log) == [("outbound", how)]


@pytest.mark.parametrize(
    "log",
    [
        refused(PC) + sent(PC + LOGIN) + came(PC),  # people log in through it, and strangers come through it: a proxy
        refused(WS) + came(WS),  # strangers come from an address that the world cannot reach: a gateway
        refused(PC) + came(PC),
        refused(PC) + message(OTHER, to("y@far.example", orig_to="list@albion.example"), client=PC),
    ],
)
def test_an_address_that_proves_nothing(tmp_path: Path, log: str) -> None:
    assert told(tmp_path, log) == [("relayed", "outside")]


@pytest.mark.parametrize("client", [WS, PC, OUTSIDER, PC + LOGIN])
def test_relay_access_denied_is_never_the_organisation_s(tmp_path: Path, client: str) -> None:
    log = refused(client.partition(",")[0], "554 5.7.1 <x@navy.example>: Relay access denied") + sent(client)
    assert told(tmp_path, log)[0][0] == "relayed"


@pytest.mark.parametrize("client", [OUTSIDER, WS, PC, "unknown[unknown]"])
def test_what_was_accepted_and_sent_out_is_the_organisation_s(tmp_path: Path, client: str) -> None:
    log = message(ID, to("x@navy.example", relay=FAR), client=client)
    bare = "".join(one for one in log.splitlines(keepends=True) if "smtpd" not in one)
    assert told(tmp_path / "whole", log)[0][0] == "outbound"
    assert told(tmp_path / "extract", bare) == [("outbound", "not-seen")]


def test_refused_beside_an_accepted_recipient(tmp_path: Path) -> None:
    for why in (
        "554 5.7.1 <x@navy.example>: no",
        "450 4.1.2 <x@navy.example>: no",
        "454 4.7.1 <x@navy.example>: Relay access denied",
    ):
        log = came(OUTSIDER, sender="ann@albion.example").splitlines(keepends=True)
        envelope = "from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<h>"
        log.insert(1, line(f"postfix/smtpd[1]: 6D3E4F5061: reject: RCPT from {OUTSIDER}: {why}; {envelope}"))
        assert told(tmp_path / why[:3] / why[-2:], "".join(log)) == [("relayed", "outside")]


@pytest.mark.parametrize(
    ("client", "direction"), [(OUTSIDER, "relayed"), (WS, "outbound"), (PC + LOGIN, "outbound"), (None, "outbound")]
)
def test_an_inside_address_that_goes_on_outside(tmp_path: Path, client: str | None, direction: str) -> None:
    log = message(ID, to("x@navy.example", orig_to="list@albion.example", relay=FAR), client=client or OUTSIDER)
    if client is None:
        log = "".join(one for one in log.splitlines(keepends=True) if "smtpd" not in one)
    assert told(tmp_path, log)[0][0] == direction


def test_an_outside_address_rewritten_is_no_expansion_of_ours(tmp_path: Path) -> None:
    log = message(ID, to("x@navy.example", orig_to="x@old-navy.example", relay=FAR), client=OUTSIDER)
    assert told(tmp_path, log)[0][0] == "outbound"


def test_an_employee_s_name_from_outside_is_inbound(tmp_path: Path) -> None:
    log = came(OUTSIDER, sender="ann@albion.example") + message(ID, to("ben@albion.example", relay=INNER), client=WS)
    assert sorted(told(tmp_path, log, "ben@albion.example")) == [("inbound", "outside"), ("internal", "internal")]
