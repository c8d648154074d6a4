"""Records that say two things under one name: nobody can tell which one the server meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .driver import read

TRACE = {
    "Received": "2024-03-13T08:00:00Z", "SenderAddress": "a@contoso.example", "RecipientAddress": "x@fabrikam.example",
    "Status": "Delivered", "MessageId": "<m1@contoso.example>",
    "MessageTraceId": "0badc0de-0000-4000-8000-000000000001",
}  # fmt: skip
EXPORT = {
    "Timestamp": "2024-03-13T08:00:00Z", "EventId": "SENDEXTERNAL", "Source": "SMTP",
    "Recipients": "x@fabrikam.example", "Sender": "a@contoso.example", "MessageId": "<m1@contoso.example>",
    "NetworkMessageId": "0badc0de-0000-4000-8000-000000000001", "ServerHostname": "mx", "ClientHostname": "EX01",
}  # fmt: skip


def objects(*pairs: tuple[str, Any]) -> bytes:
    inside = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs)
    return f"{{{inside}}}\n".encode()


def table(*pairs: tuple[str, str]) -> bytes:
    names, values = zip(*pairs, strict=True)
    return (",".join(names) + "\r\n" + ",".join(values) + "\r\n").encode()


@pytest.mark.parametrize("record", [TRACE, EXPORT])
@pytest.mark.parametrize("form", [objects, table])
@given(data=st.data())
def test_a_name_that_says_two_things_makes_a_record_unread(
    form: Any, record: dict[str, str], data: st.DataObject
) -> None:
    """Wherever the second one stands, in whatever capitals. One that says the same costs nothing, nor does one that
    says nothing, but for a key of JSON: which of two equal ones counts, readers differ."""
    name = data.draw(st.sampled_from(sorted(record)))
    other = data.draw(st.sampled_from(["", record[name], "2024-03-14T09:00:00Z", "other@fabrikam.example"]))
    spelled = data.draw(st.sampled_from([name, name.upper(), name.lower()]))
    pairs = list(record.items())
    pairs.insert(data.draw(st.integers(0, len(pairs))), (spelled, other))
    got = read(form(*pairs))
    agrees = other == record[name] or (other == "" and not (form is objects and spelled == name))
    assert len(got.legs) == agrees
    assert [row["reason"].partition("(")[0] for row in got.unread] == (
        [] if agrees else ["two columns or keys of one name "]
    )
    if agrees:
        assert got.legs[0]["outcome"] == "delivered" and got.legs[0]["recipient"] == "x@fabrikam.example"


def test_a_key_inside_that_says_two_things_counts_too() -> None:
    wrapped = b'{"properties":{"a":1},' + objects(("properties", {"x": 1}), *TRACE.items())[1:]
    assert [row["reason"] for row in read(wrapped, objects(*TRACE.items())).unread] == [
        "two columns or keys of one name (properties) that say different things"
    ]
    dated = objects(*TRACE.items()).replace(
        b'"2024-03-13T08:00:00Z"', b'{"value":"2024-03-13T08:00:00Z","value":"2024-03-13T09:00:00Z"}'
    )
    assert len(read(dated).unread) == 1


def test_a_key_that_nobody_reads_may_say_what_it_likes() -> None:
    assert not read(objects(("RunspaceId", 1), ("RunspaceId", 2), *TRACE.items())).unread
    assert not read(table(("RunspaceId", "1"), ("RunspaceId", "2"), *TRACE.items())).unread


def test_a_list_that_was_lost_beside_one_that_was_joined_says_nothing() -> None:
    got = read(table(("$_.Recipients", "System.String[]"), *EXPORT.items()))
    assert [leg["recipient"] for leg in got.legs] == ["x@fabrikam.example"]
