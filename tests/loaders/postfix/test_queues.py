"""Postfix events → deliveries: what each kind of line does to a message's recipients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forensics.loaders import timing
from forensics.loaders.base import ScanContext
from forensics.loaders.postfix import assembling
from forensics.loaders.postfix.read import scan as read_block
from forensics.loaders.years import Clock
from tests.ingesting import line, message, read, to
from tests.loaders.postfix.test_order import Lines

DATA = Path(__file__).resolve().parents[2] / "data"
ID = "4B1C2D3E4F"
TAIL = "from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<ws1>"
AT = "2024-03-01T{}.000000+00:00"


def rows(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    result, found = read(tmp_path, {"mail.log": text})
    assert result.unread == 0
    return found


def brief(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((r["recipient"], r["original_recipient"], r["outcome"], r["attempts"]) for r in found)


def test_columns_of_a_delivery(tmp_path: Path) -> None:
    text = message(
        ID,
        to("Jo@Navy.Example.", "sent (250 2.0.0 Ok: queued as 9F8E7D6C5B)", orig_to="list@albion.example"),
        client="ws1.albion.example[10.0.0.1], sasl_method=PLAIN, sasl_username=ann, x",
        more=(f"warning: header Subject: =?utf-8?B?Y2Fmw6k=?= plan from ws1.albion.example[10.0.0.1]; {TAIL}",),
    )
    (row,) = rows(tmp_path, text)
    assert row["system"] == "postfix"
    assert (row["host"], row["queue_id"]) == ("mx1", ID)
    assert row["message_id"] == f"{ID}@albion.example"
    assert (row["sender"], row["sender_domain"]) == ("ann@albion.example", "albion.example")
    assert row["authenticated_user"] == "ann, x"
    assert (row["client_name"], row["client_address"]) == ("ws1.albion.example", "10.0.0.1")
    assert (row["recipient"], row["recipient_domain"]) == ("Jo@Navy.Example.", "navy.example")
    assert row["original_recipient"] == "list@albion.example"
    assert (row["outcome"], row["status_code"]) == ("delivered", "2.0.0")
    assert row["response"] == "250 2.0.0 Ok: queued as 9F8E7D6C5B"
    assert (row["relay_name"], row["relay_address"]) == ("mx.navy.example", "203.0.113.5")
    assert (row["size_bytes"], row["recipient_count"], row["hops"]) == (1000, 1, 0)
    assert row["subject"] == "café plan"
    assert [r["number"] for r in row["records"]] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        (
            [to("a@x.example", "deferred (later)", dsn="4.0.0"), to("a@x.example")],
            [("a@x.example", None, "delivered", 2)],
        ),
        (
            [to("a@x.example", "deferred (later)", dsn="4.0.0"), to("A@X.example", "bounced (no)", dsn="5.0.0")],
            [("a@x.example", None, "bounced", 2)],
        ),
        ([to("a@x.example"), to("a@x.example", orig_to="l@y.example")], [("a@x.example", None, "delivered", 2)]),
        ([to("a@x.example", orig_to="A@x.example")], [("a@x.example", None, "delivered", 1)]),
        ([to("a@x.example", "deliverable (probe)")], []),
        ([to('"a>, relay=x"@x.example')], [('"a>, relay=x"@x.example', None, "delivered", 1)]),
        ([to("a@x.example", "deferred (later)", dsn="4.0.0")], [("a@x.example", None, "unknown", 1)]),
        ([to("ä@x.example"), to("Ä@X.example")], [("ä@x.example", None, "delivered", 2)]),
        ([to("a@bücher.example"), to("a@xn--bcher-kva.example")], [("a@bücher.example", None, "delivered", 2)]),
    ],
)
def test_last_status_settles(tmp_path: Path, deliveries: list[str], expected: list[tuple[Any, ...]]) -> None:
    assert brief(rows(tmp_path, message(ID, *deliveries))) == expected


def test_unsettled_when_the_log_ends(tmp_path: Path) -> None:
    text = message(ID, to("a@x.example", "deferred (later)", dsn="4.0.0"), removed=False)
    assert brief(rows(tmp_path, text)) == [("a@x.example", None, "deferred", 1)]


@pytest.mark.parametrize("word", ["expired, returned to sender", "force-expired, returned to sender"])
def test_queue_manager_expires_without_naming_recipients(tmp_path: Path, word: str) -> None:
    text = message(ID, to("a@x.example", "deferred (later)"), to("b@x.example"), removed=False)
    text += line(f"postfix/qmgr[4]: {ID}: from=<ann@albion.example>, status={word}", at=AT.format("11:00:00"))
    text += line(f"postfix/qmgr[4]: {ID}: removed", at=AT.format("11:00:00"))
    found = rows(tmp_path, text)
    assert brief(found) == [("a@x.example", None, "expired", 1), ("b@x.example", None, "delivered", 1)]
    assert [r["resolved_at"].hour for r in sorted(found, key=lambda r: r["recipient"])] == [11, 10]


def test_deleted_held_released(tmp_path: Path) -> None:
    deferred = to("a@x.example", "deferred (later)")
    deleted = message(ID, deferred, removed=False) + line(f"postfix/postsuper[9]: {ID}: removed")
    held = message("5B1C2D3E4F", deferred, removed=False) + line("postfix/postsuper[9]: 5B1C2D3E4F: placed on hold")
    released = (
        message("6B1C2D3E4F", deferred, removed=False)
        + line("postfix/postsuper[9]: 6B1C2D3E4F: placed on hold")
        + line("postfix/postsuper[9]: 6B1C2D3E4F: released from hold")
    )
    found = rows(tmp_path, deleted + held + released)
    assert sorted((r["queue_id"][0], r["outcome"]) for r in found) == [
        ("4", "discarded"),
        ("5", "held"),
        ("6", "deferred"),
    ]


def test_requeued_message_goes_on_under_its_new_id(tmp_path: Path) -> None:
    text = message(ID, to("a@x.example", "deferred (later)"), removed=False, message_id="m")
    text += line(f"postfix/postsuper[9]: {ID}: requeued", at=AT.format("10:10:00"))
    for new in (
        f"postfix/pickup[5]: 7B1C2D3E4F: uid=0 from=<ann@albion.example> orig_id={ID}",
        "postfix/cleanup[2]: 7B1C2D3E4F: message-id=<m@albion.example>",
        "postfix/qmgr[4]: 7B1C2D3E4F: from=<ann@albion.example>, size=1, nrcpt=1 (queue active)",
        f"postfix/smtp[3]: 7B1C2D3E4F: {to('a@x.example')}",
        "postfix/qmgr[4]: 7B1C2D3E4F: removed",
    ):
        text += line(new, at=AT.format("10:10:01"))
    result, (row,) = read(tmp_path, {"mail.log": text})
    assert (row["queue_id"], row["outcome"], row["hops"]) == (ID, "delivered", 1)
    assert "ends outside" not in result.evidence[0].notes.get("loss_totals", {})


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (f"reject: header Subject: x from ws1[10.0.0.1]; {TAIL}: 5.7.1 no", "rejected"),
        (f"discard: body spam from ws1[10.0.0.1]; {TAIL}: gone", "discarded"),
        (f"hold: header X: y from ws1[10.0.0.1]; {TAIL}: wait", "held"),
        (f"milter-reject: END-OF-MESSAGE from ws1[10.0.0.1]: 5.7.1 spam; {TAIL}", "rejected"),
    ],
)
def test_what_cleanup_does_to_a_whole_message(tmp_path: Path, text: str, outcome: str) -> None:
    lines = line(f"postfix/smtpd[1]: {ID}: client=ws1[10.0.0.1]") + line(f"postfix/cleanup[2]: {ID}: {text}")
    found = rows(tmp_path, lines)
    assert [(r["recipient"], r["sender"], r["outcome"]) for r in found] == [
        ("x@navy.example", "ann@albion.example", outcome)
    ]


def test_held_by_a_check_then_released_and_delivered(tmp_path: Path) -> None:
    text = message(
        ID,
        to("x@navy.example"),
        more=(f"hold: header X: y from ws1[10.0.0.1]; {TAIL}: wait",),
    )
    assert brief(rows(tmp_path, text)) == [("x@navy.example", None, "delivered", 1)]


def test_copy_by_header_check_is_a_blind_copy(tmp_path: Path) -> None:
    text = message(
        ID,
        to("x@navy.example"),
        to("audit@albion.example"),
        more=(f"bcc: header X: y from ws1[10.0.0.1]; {TAIL}: audit@albion.example",),
    )
    roles = {r["recipient"]: r["recipient_role"] for r in rows(tmp_path, text)}
    assert roles == {"x@navy.example": "unknown", "audit@albion.example": "bcc"}


def test_permanent_refusals_are_rows_temporary_ones_end_or_stay(tmp_path: Path) -> None:
    def refuse(code: str, recipient: str) -> str:
        return line(
            f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from mail.b.example[198.51.100.7]: {code} <{recipient}>: "
            f"Recipient address rejected: no; from=<ann@b.example> to=<{recipient}> proto=ESMTP helo=<b>"
        )

    text = refuse("550 5.1.1", "no@navy.example")
    text += refuse("450 4.2.0", "grey@navy.example") * 2 + refuse("450 4.2.0", "stays@navy.example") * 3
    text += message(ID, to("grey@navy.example"), sender="ann@b.example", client="mail.b.example[198.51.100.7]")
    found = rows(tmp_path, text)
    assert brief(found) == [
        ("grey@navy.example", None, "delivered", 3),
        ("no@navy.example", None, "rejected", 1),
        ("stays@navy.example", None, "deferred", 3),
    ]
    by_recipient = {r["recipient"]: r for r in found}
    assert by_recipient["no@navy.example"]["sender"] == "ann@b.example"
    assert by_recipient["no@navy.example"]["response"].startswith("550 5.1.1 <no@navy.example>")
    assert by_recipient["no@navy.example"]["status_code"] == "5.1.1"
    assert len(by_recipient["grey@navy.example"]["records"]) == 7


def test_refused_within_a_message(tmp_path: Path) -> None:
    text = line(f"postfix/smtpd[1]: {ID}: client=ws1[10.0.0.1]")
    text += line(
        f"postfix/smtpd[1]: {ID}: reject: RCPT from ws1[10.0.0.1]: 550 5.1.1 <typo@navy.example>: Recipient address "
        "rejected: User unknown; from=<ann@albion.example> to=<typo@navy.example> proto=ESMTP helo=<ws1>"
    )
    text += "".join(message(ID, to("x@navy.example")).splitlines(keepends=True)[1:])
    assert brief(rows(tmp_path, text)) == [
        ("typo@navy.example", None, "rejected", 1),
        ("x@navy.example", None, "delivered", 1),
    ]


def test_postscreen_refusal(tmp_path: Path) -> None:
    text = line(
        "postfix/postscreen[1]: NOQUEUE: reject: RCPT from [198.51.100.7]:4711: 550 5.7.1 Service unavailable; client "
        "[198.51.100.7] blocked using zen.example; from=<a@b.example>, to=<x@navy.example>, proto=ESMTP, helo=<h>"
    )
    (row,) = rows(tmp_path, text)
    assert (row["recipient"], row["sender"], row["outcome"]) == ("x@navy.example", "a@b.example", "rejected")
    assert (row["client_name"], row["client_address"]) == (None, "198.51.100.7")


def test_queue_id_used_again_within_the_minute(tmp_path: Path) -> None:
    text = "".join(
        message(ID, to(f"{n}@x.example"), message_id=f"m{n}", at=AT.format(f"10:00:{n:02d}")) for n in range(5)
    )
    found = rows(tmp_path, text)
    assert sorted((r["recipient"], r["message_id"]) for r in found) == [
        (f"{n}@x.example", f"m{n}@albion.example") for n in range(5)
    ]


def test_lines_behind_the_removal_by_a_second_still_count(tmp_path: Path) -> None:
    lines = message(ID, to("a@x.example")).splitlines(keepends=True)
    lines[-2], lines[-1] = lines[-1], lines[-2]
    assert brief(rows(tmp_path, "".join(lines))) == [("a@x.example", None, "delivered", 1)]


def test_log_begins_in_the_middle(tmp_path: Path) -> None:
    text = "".join(message(ID, to("a@x.example")).splitlines(keepends=True)[3:])
    (row,) = rows(tmp_path, text)
    assert (row["sender"], row["message_id"], row["outcome"]) == (None, None, "delivered")


def test_delivery_report_is_a_delivery_of_its_own(tmp_path: Path) -> None:
    text = message(ID, to("a@x.example", "bounced (no)", dsn="5.1.1"), removed=False)
    report = "8B1C2D3E4F"
    text += line(f"postfix/cleanup[2]: {report}: message-id=<r@mx1>")
    text += line(f"postfix/bounce[6]: {ID}: sender non-delivery notification: {report}")
    text += line(f"postfix/qmgr[4]: {report}: from=<>, size=2, nrcpt=1 (queue active)")
    text += line(f"postfix/qmgr[4]: {ID}: removed")
    text += line(f"postfix/smtp[3]: {report}: {to('ann@albion.example')}")
    text += line(f"postfix/qmgr[4]: {report}: removed")
    found = rows(tmp_path, text)
    assert sorted((r["sender"], r["recipient"], r["outcome"]) for r in found) == [
        ("", "ann@albion.example", "delivered"),
        ("ann@albion.example", "a@x.example", "bounced"),
    ]


HOSTILE = [
    "from=<fake@x> to=<fake2@x>",
    "x from evil[1.2.3.4]; from=<fake@x> to=<fake2@x> proto=ESMTP helo=<x>",
    f"{ID}: to=<fake@x>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)",
    '\\"<>(){}[];:,',
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_text_of_senders_and_servers_is_only_text(tmp_path: Path, evil: str) -> None:
    text = message(
        ID,
        to("x@navy.example", f"bounced (host mx said: 550 {evil} (in reply to RCPT TO command))", dsn="5.0.0"),
        more=(f"warning: header Subject: {evil} from ws1.albion.example[10.0.0.1]; {TAIL}",),
    )
    text += line(
        f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from b[198.51.100.7]: 554 5.7.1 <y@navy.example>: Relay access denied; "
        f"from=<s@b.example> to=<y@navy.example> proto=ESMTP helo=<{evil}>"
    )
    text += line(
        f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from b[198.51.100.7]: 504 5.5.2 <{evil}>: Helo command rejected: need "
        f"fully-qualified hostname; from=<s@b.example> to=<z@navy.example> proto=ESMTP helo=<{evil}>"
    )
    found = {r["recipient"]: r for r in rows(tmp_path, text)}
    assert sorted(found) == ["x@navy.example", "y@navy.example", "z@navy.example"]
    assert found["x@navy.example"]["subject"] == evil
    assert found["x@navy.example"]["response"] == f"host mx said: 550 {evil} (in reply to RCPT TO command)"
    assert found["x@navy.example"]["sender"] == "ann@albion.example"
    assert {found[r]["sender"] for r in ("y@navy.example", "z@navy.example")} == {"s@b.example"}


def test_bytes_that_are_no_text_keep_their_record(tmp_path: Path) -> None:
    text = message(ID, to("caf\xe9@navy.example"), to("caf\xe8@navy.example")).encode("latin-1")
    _, found = read(tmp_path, {"mail.log": text})
    assert sorted(r["recipient"] for r in found) == ["caf\\xe8@navy.example", "caf\\xe9@navy.example"]


def test_a_bare_carriage_return_ends_no_line(tmp_path: Path) -> None:
    text = line("postfix/smtpd[1]: connect from a\rb") + message(ID, to("x@navy.example")).replace("\n", "\r\n")
    (row,) = rows(tmp_path, text)
    assert [r["number"] for r in row["records"]] == [2, 3, 4, 5, 6]


def test_one_address_however_it_is_written(tmp_path: Path) -> None:
    """Case, dots behind the domain, an `@` without a domain and blanks beside it make no other recipient."""
    for n, written in enumerate(
        (("root", "root@", "ROOT@."), ("Jo@navy.example", "jo@Navy.example.", "jo@ navy.example"), ("é@", "É@."))
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        text = message(ID, *(to(one, "sent (250 ok)") for one in written))
        (row,) = rows(folder, text)
        assert row["attempts"] == len(written) and row["outcome"] == "delivered"
        assert len(row["records"]) >= len(written)


def test_addresses_that_differ_by_their_signs_only(tmp_path: Path) -> None:
    text = message(ID, *(to(one, "sent (250 ok)") for one in ("a@", "a@@", "é@", "é@@", "a@b.@")))
    assert sorted(r["recipient"] for r in rows(tmp_path, text)) == ["a@", "a@@", "a@b.@", "é@", "é@@"]


@pytest.mark.parametrize("path", sorted((DATA / "filters").glob("*.log")), ids=lambda path: path.stem)
def test_what_waits_as_a_whole_waits_as_each_group_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = path.read_text().splitlines(keepends=True)
    waited = 0
    for start in range(0, len(lines), 20):
        scans = [
            read_block(Lines(lines[start : start + 20]), ScanContext(0, 1, timing.Plan(Clock(2023)))) for _ in range(2)
        ]
        waited += assembling._goes_on(scans[0].events)
        made = assembling.assemble(scans[0].events, final=False)
        with monkeypatch.context() as patched:
            patched.setattr(assembling, "_goes_on", lambda _: False)
            grouped = assembling.assemble(scans[1].events, final=False)
        assert made.fragments is not None and made.fragments.equals(grouped.fragments)
        assert (made.hops, made.legs, made.losses) == (grouped.hops, grouped.legs, grouped.losses)
        assert (made.hops.schema, made.legs.schema) == (grouped.hops.schema, grouped.legs.schema)
    assert waited
