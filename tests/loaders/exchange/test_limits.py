"""Records that were cut: by the end of a file, by the longest cell of a program, by what shows lists shortened."""

from __future__ import annotations

import pytest

from forensics.loaders.exchange import limits
from forensics.loaders.settings import Settings

from .driver import read
from .test_exports import GUID, trace

ROW = "2024-03-13T08:00:00Z,a@contoso.com,{},Hi,Delivered,<m{}@contoso.com>," + GUID + "{}"
UTC = Settings(timezone="UTC")
TRACKED = "Timestamp,EventId,Source,Sender,Recipients,RecipientCount,MessageId,InternalMessageId\r\n"


def list_of(length: int) -> str:
    """Addresses, cut at so many characters."""
    return ";".join(f"user{n:05}@fabrikam.com" for n in range(length // 20 + 1))[:length]


@pytest.mark.parametrize(
    ("heading", "last", "whole"),
    [
        ("Received,SenderAddress,Status,MessageTraceId,RecipientAddress", "y@fabrikam.co", False),
        ("Received,SenderAddress,Status,MessageTraceId,RecipientAddress", '"y@fabrikam.com"', True),
        ("Received,SenderAddress,Status,RecipientAddress,MessageTraceId", f"{GUID}1"[:-4], False),
        ("Received,SenderAddress,Status,RecipientAddress,MessageTraceId", f"{GUID}1", True),
        ("SenderAddress,Status,MessageTraceId,RecipientAddress,Received", "2024-03-13T08:00:0", False),
        ("SenderAddress,Status,MessageTraceId,RecipientAddress,Received", "3/13/2024 8:00:05", False),
        ("SenderAddress,Status,MessageTraceId,RecipientAddress,Received", "2024-03-13T08:00:00Z", True),
        ("Received,SenderAddress,MessageTraceId,RecipientAddress,Status", "Deli", True),
    ],
)
def test_what_the_end_of_a_file_may_have_cut_is_unread(heading: str, last: str, whole: bool) -> None:
    """Of `.com` it may leave `.co`, which is somebody else's."""
    values = {
        "Received": "2024-03-13T08:00:00Z",
        "SenderAddress": "a@contoso.com",
        "RecipientAddress": "x@fabrikam.com",
        "Status": "Delivered",
        "MessageTraceId": f"{GUID}9",
    }
    names = heading.split(",")
    row = ",".join(values[name] for name in names)
    content = f"{heading}\r\n{row}\r\n{row.rpartition(',')[0]},{last}"
    for size in (64, 1 << 20):
        got = read(content.encode(), size=size)
        assert got.account["used"] == 1 + whole and [r["reason"] for r in got.unread] == [limits.UNENDED] * (not whole)
        assert len(read(f"{content}\r\n".encode(), size=size).unread) == (last == "2024-03-13T08:00:0")


@pytest.mark.parametrize("length", limits.LONGEST)
@pytest.mark.parametrize("count", ["", "4000"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_list_of_the_longest_cell_is_unread(length: int, count: str, quote: str) -> None:
    row = "2024-03-13 08:00:00,RECEIVE,STOREDRIVER,a@contoso.com,{0}{1}{0},{2},<m@contoso.com>,7\r\n"
    got = read((TRACKED + row.format(quote, list_of(length), count)).encode(), settings=UTC)
    assert [r["reason"] for r in got.unread] == [limits.CUT] and not got.legs
    got = read((TRACKED + row.format(quote, list_of(length + 7), count)).encode(), settings=UTC)
    assert got.account["used"] == 1 or got.unread[0]["reason"].startswith("Recipients are no list")


def test_a_list_of_that_length_that_its_count_confirms_is_whole() -> None:
    whole = ";".join([f"user{n:05}@fabrikam.com" for n in range(10)] + ["u@longer.fabrikam.example"])
    assert len(whole) == 255
    row = f"2024-03-13 08:00:00,RECEIVE,STOREDRIVER,a@contoso.com,{whole},11,<m@contoso.com>,7\r\n"
    assert len(read((TRACKED + row).encode(), settings=UTC).legs) == 11
    for other in ("1", "12", ""):  # another number confirms nothing
        got = read((TRACKED + row.replace(",11,", f",{other},")).encode(), settings=UTC)
        assert not got.legs and got.unread[0]["reason"] == limits.CUT


def test_a_piece_of_a_list_without_a_domain_is_no_recipient() -> None:
    row = "2024-03-13 08:00:00,RECEIVE,STOREDRIVER,a@contoso.com,{},,<m@contoso.com>,7\r\n"
    got = read((TRACKED + row.format("x@fabrikam.com;us")).encode(), settings=UTC)
    assert not got.legs and got.unread[0]["reason"].startswith("Recipients are no list of addresses")
    x500 = "/o=Org/ou=Group/cn=Recipients/cn=ann"
    got = read((TRACKED + row.format(f"x@fabrikam.com;{x500}")).encode(), settings=UTC)
    assert sorted(leg["recipient"] for leg in got.legs) == [x500, "x@fabrikam.com"]


@pytest.mark.parametrize(
    ("shown", "recipients"),
    [
        ("{x@fabrikam.com}", ["x@fabrikam.com"]),
        ("{x@fabrikam.com, y@fabrikam.com}", ["x@fabrikam.com", "y@fabrikam.com"]),
        ("{x@fabrikam.com, y@fabrikam.com...}", []),
        ("{x@fabrikam.com, y@fabrikam.com\u2026}", []),
        ("x@fabrikam.co...", []),
        ("x@fabrikam.co\u2026", []),
        ("{x}@fabrikam.com", ["{x}@fabrikam.com"]),
    ],
)
def test_lists_as_powershell_shows_them(shown: str, recipients: list[str]) -> None:
    """`Out-String` and formatted tables: in braces, and of long ones the beginning."""
    row = f'2024-03-13 08:00:00,RECEIVE,STOREDRIVER,a@contoso.com,"{shown}",,<m@contoso.com>,7\r\n'
    for got in (read((TRACKED + row).encode(), settings=UTC), read(trace(ROW.format(f'"{shown}"', 1, 1)))):
        assert sorted(leg["recipient"] for leg in got.legs) == recipients
        assert len(got.unread) == (not recipients)
        assert not got.unread or "only the beginning" in got.unread[0]["reason"]
