"""Lists of addresses as scripts join them: each address comes back, and nothing that was none becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.exchange import addresses

from .driver import read
from .test_tracking import log, row

LOCALS = st.one_of(
    st.from_regex(r"[a-z][a-z0-9.+_-]{0,6}[a-z0-9]", fullmatch=True),
    st.sampled_from(["r&d", "a/b", "x|y", '"a;b"', '"a b"', '"a,b@c"', '"q\\"t"']),
)
ADDRESSES = st.builds("{}@{}".format, LOCALS, st.from_regex(r"[a-z]{1,6}\.example", fullmatch=True))
JOINERS = [";", "; ", "|", " | ", ",", ", ", "/", "&", " & ", " ", "\n", "\r\n"]


@settings(max_examples=200)
@given(st.lists(ADDRESSES, min_size=1, max_size=5), st.sampled_from(JOINERS), st.booleans())
def test_what_was_joined_comes_apart(given_: list[str], joiner: str, brackets: bool) -> None:
    texts = [f"<{one}>" for one in given_] if brackets else given_
    named, sign = addresses.cut(joiner.join(texts))
    assert named == given_ and addresses.are_whole(named)
    assert len(given_) == 1 or sign == (joiner.strip() or " ")


@settings(max_examples=200)
@given(st.text('ab@.;|,/&<>" \\x', max_size=30))
def test_every_piece_stands_in_the_text(text: str) -> None:
    squeezed = "".join(text.split())
    for one in addresses.cut(text)[0]:
        assert "".join(one.split()) in squeezed


@pytest.mark.parametrize("joiner", JOINERS)
def test_lists_of_a_log_are_read_whatever_joined_them(joiner: str) -> None:
    text = joiner.join(["x@fabrikam.example", "r&d@contoso.example"])
    statuses = joiner.join(["To", "Cc"])
    got = read(log(row(0, "RECEIVE", text, statuses, source="STOREDRIVER")))
    assert {leg["recipient"]: leg["recipient_role"] for leg in got.legs} == {
        "x@fabrikam.example": "to",
        "r&d@contoso.example": "cc",
    }


@pytest.mark.parametrize(
    "lost", ["System.String[]", "System.Collections.ArrayList", "System.Object[]", "Deserialized.System.String[]"]
)
def test_a_list_that_was_lost_is_no_recipient(lost: str) -> None:
    got = read(log(row(0, "RECEIVE", lost)))
    assert not got.legs and "lost in the export" in got.unread[0]["reason"]
    trace = f"Received,SenderAddress,RecipientAddress,Status,MessageId\r\n2024-03-13T08:00:00Z,a@x,{lost},Delivered,<m@x>\r\n"
    got = read(trace.encode())
    assert not got.legs and "Get-MessageTraceV2" in got.unread[0]["reason"]


def test_a_quote_that_is_never_closed_joins_nothing() -> None:
    assert [
        leg["recipient"] for leg in read(log(row(0, "RECEIVE", '"x@fabrikam.example;y@fabrikam.example'))).legs
    ] == [
        '"x@fabrikam.example',
        "y@fabrikam.example",
    ]
