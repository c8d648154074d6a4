"""One message over servers of before and after Exchange 2013: with and without a network-message-id, one journey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ingesting import run

from .test_tracking import OK, B, log, row

QUEUED = "250 2.6.0 <m1@contoso.example> [InternalId=4711, Hostname=EX13] Queued mail for delivery"
OUT = "08DB;250 2.0.0 Ok: queued as 4AbC1x;ClientSubmitTime:"


def old(second: float, event: str, **more: str) -> dict[str, str]:
    """A row of an Exchange 2010 server: it has no column for the network-message-id."""
    mine = {"internal_message_id": "41", "client_hostname": "EX10", "server_hostname": "EX10", **more}
    return row(second, event, **mine)


def new(second: float, event: str, **more: str) -> dict[str, str]:
    """A row of an Exchange 2013 server that had the message from the old one."""
    return row(
        second, event, **{"internal_message_id": "4711", "client_hostname": "EX10", "server_hostname": "EX13", **more}
    )


def journeys(folder: Path, before: list[dict[str, str]], after: list[dict[str, str]]) -> list[dict[str, Any]]:
    logs = folder / "logs"
    logs.mkdir()
    (logs / "old.log").write_bytes(log(*before, columns=26))
    (logs / "new.log").write_bytes(log(*after, columns=27))
    return run(folder / "case", [logs])[1]


@pytest.mark.parametrize("context", [QUEUED, ""])
def test_handed_from_old_to_new_is_one_delivery(tmp_path: Path, context: str) -> None:
    """The old server names the new one's id of the message; without that, client, Message-ID and recipient agree."""
    (only,) = journeys(
        tmp_path,
        [
            old(0, "RECEIVE", status="To", source="STOREDRIVER"),
            old(2, "SEND", status=OK, server_hostname="EX13", source_context=context),
        ],
        [
            new(1.9, "RECEIVE"),
            new(
                3,
                "SENDEXTERNAL",
                status=OK,
                client_hostname="EX13",
                server_hostname="mx.far.example",
                source_context=OUT,
            ),
        ],
    )
    assert (only["recipient"], only["outcome"], only["hops"]) == (B, "delivered", 1)
    assert (only["host"], only["queue_id"], only["relay_name"]) == ("EX10", "41", "mx.far.example")
    assert only["network_message_id"] == row(0, "")["network-message-id"]
    assert only["recipient_role"] == "to" and only["possible_duplicate_of"] is None
    assert len(only["records"]) == 4 and len({r["evidence"] for r in only["records"]}) == 2


@pytest.mark.parametrize("context", [QUEUED.replace("4711", "41"), ""])
def test_handed_from_new_to_old_is_one_delivery(tmp_path: Path, context: str) -> None:
    """The last server decides, whichever version it is: here it gives up."""
    (only,) = journeys(
        tmp_path,
        [
            old(4, "RECEIVE", client_hostname="EX13"),
            old(9, "FAIL", source="QUEUE", status="550 4.4.7 QUEUE.Expired;message expired"),
        ],
        [
            new(0, "RECEIVE", source="STOREDRIVER", status="Cc", client_hostname="EX13"),
            new(3, "SEND", status=OK, client_hostname="EX13", server_hostname="EX10", source_context=context),
        ],
    )
    assert (only["outcome"], only["hops"], only["host"], only["recipient_role"]) == ("expired", 1, "EX13", "cc")
    assert len(only["records"]) == 4


def test_the_same_message_id_a_day_later_is_another_delivery(tmp_path: Path) -> None:
    """A Message-ID that was sent again hides nothing: both stay."""
    rows = journeys(
        tmp_path,
        [old(0, "RECEIVE", source="STOREDRIVER"), old(2, "SEND", status=OK, server_hostname="mx.far.example")],
        [
            {**one, "date-time": one["date-time"].replace("05-05T", "05-06T")}
            for one in (
                new(0, "RECEIVE", source="STOREDRIVER", client_hostname="EX13"),
                new(3, "SENDEXTERNAL", status=OK, client_hostname="EX13", server_hostname="mx.far.example"),
            )
        ],
    )
    assert [(r["outcome"], r["hops"], r["host"]) for r in rows] == [("delivered", 0, "EX10"), ("delivered", 0, "EX13")]
