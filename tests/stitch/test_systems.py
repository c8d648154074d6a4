"""One message seen by several systems: one journey where the logs show the hand-over, two flagged rows where not."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from forensics.case import Case
from forensics.custody.discovery import discover
from forensics.ingest.read import ingest
from forensics.loaders.exchange import fields

OK = "250 2.1.5 Recipient OK"
GUID = "0badc0de-0000-4000-8000-0000000000"


def deliveries(folder: Path, *paths: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """(rows, evidence id → loader)."""
    case = Case(folder)
    folder.mkdir(exist_ok=True)
    result = ingest(case, discover(paths).sources)
    assert not result.skipped and not result.unread
    rows = ds.dataset(case.deliveries, format="parquet", partitioning="hive").to_table().to_pylist()
    return rows, {e.id: e.loader for e in result.evidence}


def test_albion_inside_and_gateway_are_one_organisation(data: Path, tmp_path: Path) -> None:
    gateway = [p for p in sorted((data / "postfix-albion").iterdir()) if p.name.startswith("mail.log")]
    rows, loaders = deliveries(tmp_path / "case", data / "exchange-albion-inside", *gateway)
    with (data / "postfix-albion" / "outcome.tsv").open(newline="", encoding="utf-8") as file:
        wanted = Counter(
            (r["message_id"], r["recipient"], r["original_recipient"], r["outcome"])
            for r in csv.DictReader(file, delimiter="\t")
        )
    mine = [r for r in rows if r["sender"]]
    assert (
        Counter((r["message_id"], r["recipient"], r["original_recipient"] or "", r["outcome"]) for r in mine) == wanted
    )
    assert {frozenset(loaders[x["evidence"]] for x in r["records"]) for r in mine} == {
        frozenset({"exchange", "postfix"})
    }
    assert all(r["possible_duplicate_of"] is None for r in rows)
    assert {r["hops"] for r in mine} == {1}
    assert Counter(r["system"] for r in mine) == {"exchange": 987, "postfix": 469}


def exchange_log(path: Path, *rows: dict[str, str]) -> Path:
    names = fields.LAYOUTS[30]
    out = io.StringIO(newline="")
    out.write("#Software: Microsoft Exchange Server\r\n#Fields: " + ",".join(names) + "\r\n")
    for row in rows:
        csv.writer(out).writerow([row.get(name, "") for name in names])
    path.write_text(out.getvalue(), newline="")
    return path


def event(stamp: str, kind: str, to: str, **more: str) -> dict[str, str]:
    base = {
        "date-time": f"2024-01-10T{stamp}Z",
        "event-id": kind,
        "source": "SMTP",
        "recipient-address": to,
        "message-id": "<m@fabrikam.example>",
        "network-message-id": GUID + "01",
        "sender-address": "dora@fabrikam.example",
        "return-path": "dora@fabrikam.example",
        "client-hostname": "EX01",
        "server-hostname": "EX01",
    }
    return {**base, **{k.replace("_", "-"): v for k, v in more.items()}}


def postfix_log(path: Path, message_id: str = "m@fabrikam.example", sender: str = "dora@fabrikam.example") -> Path:
    path.write_text(
        f"""2024-01-10T10:00:00+00:00 gw1 postfix/smtpd[1]: 4ABCDE1F2Gz1: client=mx.fabrikam.example[198.51.100.9]
2024-01-10T10:00:00+00:00 gw1 postfix/cleanup[2]: 4ABCDE1F2Gz1: message-id=<{message_id}>
2024-01-10T10:00:00+00:00 gw1 postfix/qmgr[3]: 4ABCDE1F2Gz1: from=<{sender}>, size=900, nrcpt=1 (queue active)
2024-01-10T10:00:02+00:00 gw1 postfix/smtp[4]: 4ABCDE1F2Gz1: to=<ann@contoso.example>, relay=10.0.0.9[10.0.0.9]:25, \
delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2024-01-10T10:00:02+00:00 gw1 postfix/qmgr[3]: 4ABCDE1F2Gz1: removed
"""
    )
    return path


RECEIVED = event("10:00:01.500", "RECEIVE", "ann@contoso.example", client_ip="10.0.0.2", client_hostname="relay")
DELIVERED = event("10:00:03.000", "DELIVER", "ann@contoso.example")
REFUSED = event("10:00:03.000", "FAIL", "ann@contoso.example", recipient_status="550 5.1.1 no such mailbox")


def joined(tmp_path: Path, *rows: dict[str, str], **gateway: str) -> list[dict[str, Any]]:
    found, _ = deliveries(
        tmp_path / "case", exchange_log(tmp_path / "ex.log", *rows), postfix_log(tmp_path / "mail.log", **gateway)
    )
    return sorted(found, key=lambda r: (r["submitted_at"], r["system"]))


def test_agreement_in_all_four_joins(tmp_path: Path) -> None:
    (row,) = joined(tmp_path, RECEIVED, DELIVERED)
    assert (row["system"], row["host"], row["outcome"], row["relay_name"]) == ("postfix", "gw1", "delivered", "EX01")
    assert len(row["records"]) == 7 and row["client_name"] == "mx.fabrikam.example"


def test_the_last_system_decides(tmp_path: Path) -> None:
    (row,) = joined(tmp_path, RECEIVED, REFUSED)
    assert (row["outcome"], row["status_code"], row["system"]) == ("bounced", "5.1.1", "postfix")


def test_the_client_s_name_joins_in_spite_of_clocks_and_rewritten_senders(tmp_path: Path) -> None:
    early = {"date-time": "2024-01-10T09:58:00.000Z", "client-hostname": "gw1.contoso.example"}
    srs = {"return-path": "srs0=x=fabrikam.example=dora@contoso.example"}
    (row,) = joined(tmp_path, {**RECEIVED, **early, **srs}, DELIVERED)
    assert row["system"] == "postfix"


@pytest.mark.parametrize(
    ("exchange", "gateway"),
    [
        ({"return-path": "eve@fabrikam.example"}, {}),
        ({"date-time": "2024-01-10T14:00:00.000Z"}, {}),
        ({}, {"sender": "eve@fabrikam.example"}),
    ],
)
def test_a_message_id_alone_hides_nothing(tmp_path: Path, exchange: dict[str, str], gateway: dict[str, str]) -> None:
    rows = joined(tmp_path, {**RECEIVED, **exchange}, {**DELIVERED, "date-time": "2024-01-10T15:00:00.000Z"}, **gateway)
    assert [r["system"] for r in rows] == ["postfix", "exchange"]
    assert rows[0]["possible_duplicate_of"] is None
    assert rows[1]["possible_duplicate_of"] == rows[0]["delivery_id"]


def test_other_messages_are_not_flagged(tmp_path: Path) -> None:
    rows = joined(tmp_path, RECEIVED, DELIVERED, message_id="other@fabrikam.example")
    assert len(rows) == 2 and all(r["possible_duplicate_of"] is None for r in rows)


def test_another_recipient_s_copy_stays(tmp_path: Path) -> None:
    other = {"recipient-address": "bea@contoso.example"}
    rows = joined(tmp_path, {**RECEIVED, **other}, {**DELIVERED, **other})
    assert {r["recipient"] for r in rows} == {"ann@contoso.example", "bea@contoso.example"}


def test_logs_and_traces_of_one_message_are_one_journey(tmp_path: Path) -> None:
    """A hybrid organisation: on-premises Exchange hands the message to Exchange Online, whose trace tells the end."""
    sent = event(
        "10:00:01.600",
        "SENDEXTERNAL",
        "ann@contoso.example",
        recipient_status=OK,
        server_hostname="contoso-example.mail.protection.outlook.com",
    )
    log = exchange_log(tmp_path / "ex.log", RECEIVED, sent)
    trace = tmp_path / "trace.csv"
    trace.write_text(
        "Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageId,MessageTraceId\n"
        "2024-01-10T10:00:02,dora@fabrikam.example,ann@contoso.example,x,Quarantined,,10.0.0.9,900,"
        f"<m@fabrikam.example>,{GUID}01\n"
    )
    ((row,), _) = deliveries(tmp_path / "case", log, trace)
    assert (row["outcome"], row["system"], len(row["records"])) == ("held", "exchange", 3)
