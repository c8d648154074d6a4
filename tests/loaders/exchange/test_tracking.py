"""Exchange events → hops and legs: what each event does to a recipient, and which rows are one message."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from forensics.loaders.exchange import fields
from tests.loaders.exchange.driver import read

A, B, C = "a@contoso.example", "b@fabrikam.example", "c@contoso.example"
OK = "250 2.1.5 Recipient OK"
GUID = "0badc0de-0000-4000-8000-00000000000"


def log(*rows: dict[str, str], columns: int = 30) -> bytes:
    names = fields.LAYOUTS[columns]
    out = io.StringIO(newline="")
    out.write("#Software: Microsoft Exchange Server\r\n#Fields: " + ",".join(names) + "\r\n")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([row.get(name, "") for name in names])
    return out.getvalue().encode()


def row(second: float, event: str, to: str = B, status: str = "", source: str = "SMTP", **more: str) -> dict[str, str]:
    base = {
        "date-time": f"2023-05-05T10:{int(second) // 60:02d}:{second % 60:06.3f}Z",
        "event-id": event,
        "source": source,
        "recipient-address": to,
        "recipient-status": status,
        "message-id": "<m1@contoso.example>",
        "network-message-id": GUID + "1",
        "internal-message-id": "7",
        "sender-address": A,
        "return-path": A,
        "client-hostname": "EX01",
        "server-hostname": "EX01",
    }
    return {**base, **{k.replace("_", "-"): v for k, v in more.items()}}


def submitted(to: str = B, status: str = "To", **more: str) -> dict[str, str]:
    return row(0, "RECEIVE", to, status, "STOREDRIVER", **more)


def outcomes(*rows: dict[str, str], columns: int = 30) -> dict[str, str]:
    got = read(log(*rows, columns=columns))
    assert len({(leg["hop"], leg["recipient"]) for leg in got.legs}) == len(got.legs)
    return {leg["recipient"]: leg["outcome"] for leg in got.legs}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([], "unknown"),
        ([row(1, "DELIVER")], "delivered"),
        ([row(1, "SENDEXTERNAL", status=OK, server_hostname="mx")], "delivered"),
        ([row(1, "SENDEXTERNAL", status="550 5.7.1 no", server_hostname="mx")], "bounced"),
        ([row(1, "SENDEXTERNAL", status="451 4.7.1 later", server_hostname="mx")], "deferred"),
        ([row(1, "SEND", status=OK, server_hostname="mx")], "unknown"),
        ([row(1, "NOSUCHEVENT", status="x")], "unknown"),
        ([row(1, "SPAM")], "unknown"),
        ([row(1, "DUPLICATEDELIVER")], "delivered"),
        ([row(1, "FAIL", status="550 5.1.1 no")], "bounced"),
        ([row(1, "FAIL", status="550 4.4.7 QUEUE.Expired;late")], "expired"),
        ([row(1, "FAIL", status="250 2.1.5 handled AutoForward")], "discarded"),
        ([row(1, "DROP")], "discarded"),
        ([row(1, "BADMAIL")], "discarded"),
        ([row(1, "SUPPRESSED")], "discarded"),
        ([row(1, "POISONMESSAGE")], "held"),
        ([row(1, "INITMESSAGECREATED")], "held"),
        ([row(1, "INITMESSAGECREATED"), row(2, "MODERATORAPPROVE")], "unknown"),
        ([row(1, "INITMESSAGECREATED"), row(2, "MODERATORAPPROVE"), row(3, "DELIVER")], "delivered"),
        ([row(1, "INITMESSAGECREATED"), row(2, "MODERATORREJECT")], "rejected"),
        ([row(1, "INITMESSAGECREATED"), row(2, "MODERATIONEXPIRE")], "expired"),
        ([row(1, "AGENTINFO", custom_data="S:TRA=ETR|action=Quarantine")], "held"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=SUM|action=p")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=SUM|atch=1;S:TRA=ETR|action=Quarantine|mode=Enforce")], "held"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=EV|name=|file=;S:SFA=SUM|ACTION=QUARANTINE;S:X=y")], "held"),
        ([row(1, "AGENTINFO", custom_data="S:TRA=ETR|action=Quarantine|just=none|mode=Audit")], "held"),
        ([row(1, "AGENTINFO", custom_data="S:TRA=ETR|action=Quarantine|mode=Audit")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:TRA=ETR|action=Quarantined")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=EV|name=x|file=action=quarantine.doc")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=EV|file=a|action=quarantine|b.doc")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:AMA=EV|file=a;S:TRA=ETR|action=quarantine|b.doc")], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:TRA=ETR|just=ok|action=quarantine")], "unknown"),
        ([row(1, "AGENTINFO", custom_data='S:OriginalFromAddress="a;S:TRA=E|action=quarantine"@x.example')], "unknown"),
        ([row(1, "AGENTINFO", custom_data="S:Other=|action=quarantine")], "unknown"),
        ([row(1, "DEFER", status="451 4.4.0 later")], "deferred"),
        ([row(1, "DEFER", status="451 4.4.0 later"), row(2, "FAIL", status="550 5.1.1 no")], "bounced"),
        ([row(1, "DEFER", status="451 4.4.0 later"), row(2, "SENDEXTERNAL", server_hostname="mx")], "delivered"),
        ([row(1, "SUBMITDEFER")], "deferred"),
        ([row(1, "SUBMITFAIL")], "bounced"),
        ([row(1, "DELIVERFAIL")], "unknown"),
        ([row(1, "DELIVER"), row(2, "FAIL", status="550 5.2.0 again")], "delivered"),
        ([row(1, "DELIVER"), row(2, "RESUBMIT", source="SAFETYNET"), row(3, "RESUBMITFAIL")], "delivered"),
        ([row(1, "SENDEXTERNAL", server_hostname="mx"), row(2, "DEFER", status="451 x")], "delivered"),
    ],
)
def test_outcome_of_a_recipient(rows: list[dict[str, str]], outcome: str) -> None:
    assert outcomes(submitted(), *rows) == {B: outcome}


def test_a_hand_off_inside_is_no_delivery() -> None:
    intra = "Intra-Organization SMTP Send Connector"
    sent = row(1, "SEND", status=OK, server_hostname="EX02.contoso.example", connector_id=intra)
    assert outcomes(submitted(), sent) == {B: "unknown"}
    plain = row(1, "SEND", status=OK, server_hostname="EX02.contoso.example")
    arrived = row(1.1, "RECEIVE", server_hostname="EX02")
    assert outcomes(submitted(), plain, arrived) == {B: "unknown"}
    failed = row(2, "FAIL", status="550 5.7.1 no", server_hostname="EX02", client_hostname="")
    assert outcomes(submitted(), plain, arrived, failed) == {B: "bounced"}
    assert outcomes(submitted(), plain, failed) == {B: "bounced"}
    edge = row(1, "SENDEXTERNAL", status=OK, server_hostname="EDGE01")
    at_edge = row(1.1, "RECEIVE", server_hostname="EDGE01")
    later = row(2, "DEFER", status="451 x", server_hostname="EDGE01", client_hostname="EDGE01")
    assert outcomes(submitted(), edge, at_edge, later) == {B: "deferred"}


def test_one_message_has_two_fates() -> None:
    report = {"network_message_id": GUID + "2", "message_id": "<dsn@contoso.example>", "return_path": "<>"}
    got = outcomes(
        submitted(f"{B};{C}", "To;Cc"),
        row(1, "FAIL", B, "550 5.1.1 no"),
        row(2, "DELIVER", C),
        row(3, "DSN", A, source="DSN", reference="<m1@contoso.example>", **report),
    )
    assert got == {B: "bounced", C: "delivered", A: "unknown"}


def test_sender_is_the_envelope_s() -> None:
    got = read(log(submitted(return_path="bounce@list.example"), row(1, "DELIVER")))
    assert got.hops[0]["sender"] == "bounce@list.example" and got.hops[0]["authenticated_user"] == A
    assert read(log(submitted(return_path="<>"))).hops[0]["sender"] == ""
    assert read(log(submitted(return_path=""))).hops[0]["sender"] == A


def test_recipients_are_compared_by_key_and_keep_the_first_spelling() -> None:
    got = outcomes(
        submitted("Bo.Jo@Fabrikam.Example;bo.jo@fabrikam.EXAMPLE", "To;To"), row(1, "DELIVER", "BO.JO@fabrikam.example")
    )
    assert got == {"Bo.Jo@Fabrikam.Example": "delivered"}


def test_expansion_gives_the_outermost_address_and_spares_direct_recipients() -> None:
    got = read(
        log(
            submitted(f"list@contoso.example;{B}", "Cc;To"),
            row(1, "EXPAND", f"inner@contoso.example;{B}", related_recipient_address="list@contoso.example"),
            row(2, "EXPAND", "d@fabrikam.example", related_recipient_address="inner@contoso.example"),
            row(3, "SENDEXTERNAL", f"{B};d@fabrikam.example", f"{OK};{OK}", server_hostname="mx"),
        )
    )
    assert {(g["recipient"], g["original_recipient"], g["recipient_role"]) for g in got.legs} == {
        (B, None, "to"),
        ("d@fabrikam.example", "list@contoso.example", "cc"),
    }
    assert all(g["outcome"] == "delivered" for g in got.legs)


def test_forwarding_in_a_circle_loses_nobody() -> None:
    got = outcomes(
        submitted(B),
        row(1, "REDIRECT", C, related_recipient_address=B),
        row(2, "REDIRECT", B, related_recipient_address=C),
    )
    assert set(got) & {B, C}


def test_a_group_without_its_expansion_stays() -> None:
    assert outcomes(submitted("list@contoso.example")) == {"list@contoso.example": "unknown"}


def test_rows_of_information_alone_still_show_the_message() -> None:
    assert outcomes(row(1, "HARECEIVE", f"{B};{C}")) == {B: "unknown", C: "unknown"}


def test_resubmission_and_shadow_copies_count_once() -> None:
    got = read(
        log(
            submitted(),
            row(0.1, "HAREDIRECT", status=OK),
            row(0.2, "HARECEIVE", server_hostname="EX02", internal_message_id="99"),
            row(1, "DELIVER"),
            row(2, "HADISCARD", "", server_hostname="EX02", internal_message_id="99"),
            row(3000, "RESUBMIT", source="SAFETYNET", internal_message_id="104"),
            row(3001, "DUPLICATEDELIVER", internal_message_id="104"),
        )
    )
    assert len(got.hops) == len(got.legs) == 1
    (only,) = got.deliveries()
    assert sorted(r["number"] for r in only["records"]) == list(range(3, 10))


def old(second: float, event: str, internal: str, **more: str) -> dict[str, str]:
    return row(second, event, network_message_id="", internal_message_id=internal, **more)


def test_without_network_ids_a_resent_message_is_another() -> None:
    got = read(
        log(
            old(0, "RECEIVE", "1", source="STOREDRIVER", status="To"),
            old(1, "SEND", "1", server_hostname="mx"),
            old(90, "RECEIVE", "2", source="STOREDRIVER", status="To"),
            old(91, "SEND", "2", server_hostname="mx"),
            columns=26,
        )
    )
    assert [h["queue_id"] for h in got.hops] == ["1", "2"]
    assert [g["outcome"] for g in got.legs] == ["delivered", "delivered"]


def test_without_network_ids_the_way_joins_servers_and_forks() -> None:
    got = read(
        log(
            old(0, "RECEIVE", "1", source="STOREDRIVER", status="To;To", to=f"{B};{C}"),
            old(1, "TRANSFER", "5", source="ROUTING", to=C, reference="1"),
            old(2, "SEND", "1", server_hostname="HUB2.contoso.example"),
            old(2.1, "RECEIVE", "1", server_hostname="HUB2", client_hostname="EX01"),
            old(3, "SEND", "1", client_hostname="HUB2", server_hostname="mx"),
            old(4, "DELIVER", "5", to=C, server_hostname="MBX"),
            columns=26,
        )
    )
    assert len(got.hops) == 1
    assert {g["recipient"]: g["outcome"] for g in got.legs} == {B: "delivered", C: "delivered"}


def test_rows_known_by_internal_id_alone_stay_with_their_server() -> None:
    bare = {"network_message_id": "", "message_id": "", "client_hostname": ""}
    rows = [row(0, "FAIL", status="550 5.1.1 no", server_hostname=s, **bare) for s in ("EX01", "EX02")]
    assert len(read(log(*rows)).hops) == 2


def test_an_internal_id_that_a_spreadsheet_rounded_joins_nothing() -> None:
    """Every message of a server has the same then."""
    bare = {"network_message_id": "", "message_id": "", "internal_message_id": "5.69083E+13"}
    got = read(log(row(0, "RECEIVE", **bare), row(1, "SENDEXTERNAL", **bare), row(0, "RECEIVE", C, message_id="<m@c>")))
    assert [g["recipient"] for g in got.legs] == [C] and len(got.unread) == 2
    assert got.unread[0]["reason"].startswith("recipients, but neither")


def test_every_reason_for_not_reading_a_row() -> None:
    got = read(
        log(
            row(0, ""),
            {**row(0, "RECEIVE"), "date-time": "soon"},
            row(0, "DEFER", network_message_id="", message_id="", internal_message_id=""),
            row(0, "NOTIFYMAPI", "", network_message_id="", message_id="", internal_message_id=""),
        )
        + b"2023-05-05T10:00:00.000Z,too,few\r\n"
    )
    assert got.account["event NOTIFYMAPI"] == 1 and not got.legs
    assert [u["reason"].partition(";")[0] for u in got.unread] == [
        "no event id",
        "no time that could be read in 'soon'",
        "recipients, but neither network-message-id, message-id nor internal-message-id",
        "3 columns, the header names 30",
    ]


def test_records_are_those_of_the_recipient_and_of_the_message() -> None:
    got = read(
        log(
            submitted(f"{B};list@contoso.example", "To;To"),
            row(1, "EXPAND", C, related_recipient_address="list@contoso.example"),
            row(2, "AGENTINFO"),
            row(3, "DELIVER", C),
            row(4, "SENDEXTERNAL", B, OK, server_hostname="mx"),
        )
    )
    numbers: dict[str, Any] = {d["recipient"]: sorted({r["number"] for r in d["records"]}) for d in got.deliveries()}
    assert numbers == {B: [3, 5, 7], C: [3, 4, 5, 6]}


def test_messages_without_any_recipient_give_no_delivery() -> None:
    got = read(log(row(0, "AGENTINFO", ""), row(1, "SUBMIT", "", source="STOREDRIVER")))
    assert not got.legs and len(got.hops) == 1 and got.account["used"] == 2


@pytest.mark.parametrize(
    ("own", "other", "address", "outcome"),
    [
        ("mail.contoso.example", "mail.fabrikam.example", "203.0.113.5", "delivered"),
        ("mail.contoso.example", "mail.fabrikam.example", "", "delivered"),
        ("MAIL", "mail.fabrikam.example", "203.0.113.5", "delivered"),
        ("MAIL", "mail.contoso.example", "10.0.0.5", "unknown"),
        ("MAIL", "mail.contoso.example", "", "unknown"),
        ("mail.contoso.example", "MAIL.contoso.example.", "10.0.0.5", "unknown"),
    ],
)
def test_a_server_outside_may_have_the_first_label_of_ours(own: str, other: str, address: str, outcome: str) -> None:
    """Before Exchange 2013, whose SEND was for hand-offs inside and outside alike."""
    ours = old(0, "RECEIVE", "1", source="STOREDRIVER", client_hostname=own, server_hostname=own)
    theirs = old(1, "SEND", "1", status=OK, client_hostname=own, server_hostname=other, server_ip=address)
    assert outcomes(ours, theirs, columns=26) == {B: outcome}
