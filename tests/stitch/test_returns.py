"""Filters that name no id: what they give back is one journey, what they keep was not delivered; stores are none."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.loaders.settings import Settings
from forensics.stitch import returns
from tests.ingesting import line, message, read, to

A, B, C, D = "4A1C2D3E4F", "4B1C2D3E4F", "4C1C2D3E4F", "4D1C2D3E4F"
FILTER = "127.0.0.1[127.0.0.1]:10023"
BARE = "sent (250 2.5.0 OK (2C225C6817C7EEE1481))"
HERE = "localhost[127.0.0.1]"
USER = "pc7.albion.example[192.0.2.17], sasl_method=PLAIN, sasl_username=ann"
AT = "2024-03-01T10:{:02}:{:02}.000000+00:00"


def rows(folder: Path, *texts: str) -> list[dict[str, Any]]:
    _, found = read(folder, {f"{n}.log": text for n, text in enumerate(texts)})
    return found


def brief(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((r["recipient"], r["outcome"], r["hops"], r["queue_id"]) for r in found)


def handed(*recipients: str, relay: str = FILTER, status: str = BARE, **more: Any) -> str:
    return message(
        A, *(to(one, status, relay=relay) for one in recipients), **{"client": USER, "message_id": "m", **more}
    )


def returned(*recipients: str, queue_id: str = B, client: str = HERE, **more: Any) -> str:
    return message(queue_id, *map(to, recipients), **{"client": client, "message_id": "m", **more})


def test_known_filters(data: Path, tmp_path: Path) -> None:
    """One sample of each: Proxmox, DSPAM, a pipe to sendmail, amavis, ClamSMTP, MailScanner, an own public address."""
    with (data / "filters" / "expected.tsv").open(newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file, delimiter="\t"))
    assert {row["file"] for row in expected} == {path.stem for path in (data / "filters").glob("*.log")}
    for wanted in expected:
        log = (data / "filters" / f"{wanted['file']}.log").read_bytes()
        result, found = read(tmp_path / wanted["file"], {"mail.log": log}, Settings(year=2024))
        assert result.unread == 0
        assert [{"file": wanted["file"], **{k: _text(r[k]) for k in wanted if k != "file"}} for r in found] == [wanted]


def _text(value: object) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize("client", [HERE, "localhost[::1]", "filter[172.18.0.5]"])
def test_what_comes_back_is_one_journey(tmp_path: Path, client: str) -> None:
    relay = "filter[172.18.0.5]:10023" if "filter" in client else FILTER
    (row,) = rows(tmp_path, handed("x@navy.example", relay=relay) + returned("x@navy.example", client=client))
    assert brief([row]) == [("x@navy.example", "delivered", 1, A)]
    assert (row["authenticated_user"], row["client_address"], row["attempts"]) == ("ann", "192.0.2.17", 1)
    assert len(row["records"]) == 10


def test_a_hand_off_that_had_to_wait_is_attempts_more(tmp_path: Path) -> None:
    waits = to("x@navy.example", "deferred (connect to 127.0.0.1[127.0.0.1]:10023: refused)", relay="none", dsn="4.4.1")
    first = message(A, waits, waits, to("x@navy.example", BARE, relay=FILTER), client=USER, message_id="m")
    (row,) = rows(tmp_path, first + returned("x@navy.example"))
    assert (row["attempts"], row["hops"]) == (3, 1)


def test_without_lines_of_smtpd(tmp_path: Path) -> None:
    log = handed("x@navy.example") + returned("x@navy.example")
    kept = "".join(one for one in log.splitlines(keepends=True) if "smtpd" not in one)
    assert brief(rows(tmp_path, kept)) == [("x@navy.example", "delivered", 1, A)]


def test_lists_expanded_before_and_behind(tmp_path: Path) -> None:
    list_ = "list@albion.example"
    first = message(A, to(list_, BARE, relay=FILTER), to("z@far.example", BARE, relay=FILTER, orig_to="z@albion.example"),
                    client=USER, message_id="m")  # fmt: skip
    second = message(
        B, to("x@navy.example", orig_to=list_), to("y@navy.example", orig_to=list_), to("z@far.example"), client=HERE,
        message_id="m",
    )  # fmt: skip
    found = rows(tmp_path, first + second)
    assert sorted((r["recipient"], r["original_recipient"], r["hops"], r["queue_id"]) for r in found) == [
        ("x@navy.example", list_, 1, A),
        ("y@navy.example", list_, 1, A),
        ("z@far.example", "z@albion.example", 1, A),
    ]


def test_two_filters_one_after_the_other(tmp_path: Path) -> None:
    second = message(B, to("x@navy.example", "sent (250 OK)", relay="127.0.0.1[127.0.0.1]:10026"), client=HERE,
                     message_id="m")  # fmt: skip
    found = rows(tmp_path, handed("x@navy.example") + second + returned("x@navy.example", queue_id=C))
    assert brief(found) == [("x@navy.example", "delivered", 2, A)]


def test_one_message_split_by_the_filter(tmp_path: Path) -> None:
    log = (
        handed("x@navy.example", "y@navy.example") + returned("x@navy.example") + returned("y@navy.example", queue_id=C)
    )
    assert brief(rows(tmp_path, log)) == [("x@navy.example", "delivered", 1, A), ("y@navy.example", "delivered", 1, A)]


def test_the_same_message_sent_twice_is_two(tmp_path: Path) -> None:
    log = handed("x@navy.example") + returned("x@navy.example")
    again = message(C, to("x@navy.example", BARE, relay=FILTER), client=USER, message_id="m", at=AT.format(3, 0))
    again += returned("x@navy.example", queue_id=D, at=AT.format(3, 1))
    assert brief(rows(tmp_path, log + again)) == [
        ("x@navy.example", "delivered", 1, A),
        ("x@navy.example", "delivered", 1, C),
    ]


def test_a_filter_has_its_own_rhythm(tmp_path: Path) -> None:
    """What it destroyed does not come back when the same message is sent again ten minutes later."""
    log = "".join(
        message(f"4E1C2D3E{n}A", to(f"r{n}@far{n}.example", BARE, relay=FILTER), client=USER, message_id=f"r{n}")
        + message(f"4E1C2D3E{n}B", to(f"r{n}@far{n}.example"), client=HERE, message_id=f"r{n}")
        for n in range(5)
    )
    log += handed("x@navy.example", at=AT.format(1, 0))
    log += message(C, to("x@navy.example", BARE, relay=FILTER), client=USER, message_id="m", at=AT.format(11, 0))
    log += returned("x@navy.example", queue_id=D, at=AT.format(11, 1))
    found = [row for row in brief(rows(tmp_path, log)) if row[0] == "x@navy.example"]
    assert found == [("x@navy.example", "delivered", 1, C), ("x@navy.example", "unknown", 0, A)]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("250 2.7.0 Ok, discarded, id=15303-02 - spam", "discarded"),
        ("250 Virus Detected; Discarded Email", "discarded"),
        ("250 2.7.0 Ok, quarantined, id=15303-02 - spam", "held"),
        ("250 2.7.0 Ok, discarded, quarantined as spam-1", "discarded"),
        ("250 2.5.0 OK (C0FFEE0000000001)", "unknown"),
    ],
)
@pytest.mark.parametrize("relay", [FILTER, "127.0.0.1[/run/filter.sock]"])
def test_what_a_filter_keeps_was_not_delivered(tmp_path: Path, reply: str, outcome: str, relay: str) -> None:
    (row,) = rows(tmp_path, handed("x@navy.example", relay=relay, status=f"sent ({reply})"))
    assert (row["outcome"], row["resolved_at"] is None) == (outcome, outcome in ("held", "unknown"))


@pytest.mark.parametrize("relay", ["mx.navy.example[203.0.113.5]:25", "127.0.0.7[127.0.0.7]:25"])
@pytest.mark.parametrize("reply", ["250 2.7.0 Ok, discarded", "250 quarantined", "250 2.0.0 Ok: queued as 9F8E7D6C5B"])
def test_what_other_servers_say_of_themselves_is_acceptance(tmp_path: Path, relay: str, reply: str) -> None:
    assert brief(rows(tmp_path, handed("x@navy.example", relay=relay, status=f"sent ({reply})"))) == [
        ("x@navy.example", "delivered", 0, A)
    ]


@pytest.mark.parametrize(
    ("relay", "status"),
    [
        ("mx1[private/dovecot-lmtp]", "sent (250 2.0.0 <ann@albion.example> 4A1B/xyz Saved)"),
        ("127.0.0.1[127.0.0.1]:24", "sent (250 2.1.5 Ok)"),
        ("127.0.0.1[127.0.0.1]:2003", "sent (250 2.1.5 Ok)"),
        ("dovecot", "sent (delivered via dovecot service)"),
        ("local", "sent (delivered to mailbox)"),
    ],
)
def test_a_local_store_delivers(tmp_path: Path, relay: str, status: str) -> None:
    program = "pipe" if relay == "dovecot" else "local" if relay == "local" else "lmtp"
    log = message(
        A,
        to("ann@albion.example", status, relay=relay),
        sender="bob@navy.example",
        client="mx.navy.example[203.0.113.5]",
    ).replace("postfix/smtp[3]", f"postfix/{program}[3]")
    assert brief(rows(tmp_path, log)) == [("ann@albion.example", "delivered", 0, A)]


def test_a_pipe_that_gives_back_is_a_filter(tmp_path: Path) -> None:
    """And then what it did not give back was not delivered."""

    def piped(queue_id: str, recipient: str, message_id: str) -> str:
        text = message(
            queue_id,
            to(recipient, "sent (delivered via spam service)", relay="spam"),
            client=USER,
            message_id=message_id,
        )
        return text.replace("postfix/smtp[3]", "postfix/pipe[3]")

    log = piped(A, "x@navy.example", "m") + line(f"postfix/pickup[8]: {B}: uid=110 from=<ann@albion.example>")
    log += "".join(message(B, to("x@navy.example"), message_id="m").splitlines(keepends=True)[1:])
    log += piped(C, "y@navy.example", "gone")
    assert brief(rows(tmp_path, log)) == [("x@navy.example", "delivered", 1, A), ("y@navy.example", "unknown", 0, C)]


@pytest.mark.parametrize(
    "second",
    [
        {"message_id": "other"},
        {"sender": "eve@albion.example"},
        {"at": "2024-03-02T10:00:00.000000+00:00"},
        {"host": "mx9"},
        {"client": "pc9.albion.example[192.0.2.19]"},
    ],
)
def test_what_does_not_agree_is_not_joined(tmp_path: Path, second: dict[str, str]) -> None:
    found = rows(tmp_path, handed("x@navy.example") + returned("x@navy.example", **second))
    assert brief(found) == [("x@navy.example", "delivered", 0, B), ("x@navy.example", "unknown", 0, A)]


def test_where_it_cannot_be_told_the_later_row_names_the_earlier(tmp_path: Path) -> None:
    found = rows(tmp_path, handed("x@navy.example") + returned("x@navy.example", sender="eve@albion.example"))
    by_id = {row["queue_id"]: row for row in found}
    assert by_id[B]["possible_duplicate_of"] == by_id[A]["delivery_id"]
    assert by_id[A]["possible_duplicate_of"] is None


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("reply", ["250 2.0.0 Ok", f"250 2.0.0 Ok: queued as {D}"])
@pytest.mark.parametrize("host", ["mx1", "mx2"])
def test_what_a_filter_gave_back_of_an_outsider_s_copy_is_not_ours(
    tmp_path: Path, named: bool, reply: str, host: str
) -> None:
    """The lookalike's server has our host's name in its zone, sends its copy to a list whose member it is, and refuses
    it there: behind the filter that copy is addressed as ours was, and seems to come from the host itself."""
    first = message(A, to("x@navy.example", f"sent ({reply})", relay=f"{host}.navy.example[198.51.100.66]:25"),
                    client=USER, message_id="m", at=AT.format(0, 6))  # fmt: skip
    hand = f"sent (250 2.0.0 Ok: queued as {D})" if named else BARE
    copy = message(C, to("x@navy.example", hand, relay=FILTER, orig_to="list@albion.example"), message_id="m",
                   client="mx1.navy.example[198.51.100.66]", host=host, at=AT.format(0, 5))  # fmt: skip
    copy += message(D, to("x@navy.example", "bounced (550 no)", dsn="5.7.1"), message_id="m", client=HERE, host=host,
                    at=AT.format(0, 6))  # fmt: skip
    assert brief(rows(tmp_path, first, copy)) == [
        ("x@navy.example", "bounced", 1, C),
        ("x@navy.example", "delivered", 0, A),
    ]


def test_another_host_of_the_evidence_without_an_id(tmp_path: Path) -> None:
    first = handed("x@navy.example", relay="mx2.albion.example[10.0.0.2]:25", status="sent (250 Ok)")
    second = returned("x@navy.example", client="mx1.albion.example[10.0.0.1]", host="mx2", at=AT.format(0, 3))
    assert brief(rows(tmp_path, first, second)) == [("x@navy.example", "delivered", 1, A)]


NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)


@given(st.lists(st.tuples(NAMES, st.booleans(), st.integers(0, 5)), min_size=1, max_size=6))
def test_every_recipient_once_whatever_the_filter_returns(
    tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[list[str], bool, int]]
) -> None:
    """Messages of several recipients through one filter, which keeps some: one row for each recipient submitted."""
    log, wanted = "", []
    for n, (names, back, late) in enumerate(sent):
        first, second = f"4A1C2D3E{n}A", f"4A1C2D3E{n}B"
        people = [f"{name}@far{n % 3}.example" for name in names]
        log += message(
            first, *(to(one, BARE, relay=FILTER) for one in people), client=USER, message_id=f"m{n}", at=AT.format(n, 0)
        )
        if back:
            log += returned(*people, queue_id=second, message_id=f"m{n}", at=AT.format(n, late))
        wanted += [(one, "delivered" if back else "unknown", int(back), first) for one in people]
    assert brief(rows(tmp_path_factory.mktemp("filter"), log)) == sorted(wanted)


FEW = st.integers(0, 3).map(np.uint64)


@given(st.lists(st.tuples(FEW, FEW)), st.lists(st.tuples(FEW, FEW)))
def test_a_leg_is_left_out_only_where_nothing_of_it_went_elsewhere(
    legs: list[tuple[np.uint64, np.uint64]], others: list[tuple[np.uint64, np.uint64]]
) -> None:
    """(Message-ID and recipient, target) of legs that are asked about, and of those that count."""
    others.sort()
    own, target = (np.array([one[n] for one in legs], np.uint64) for n in (0, 1))
    values, targets = (np.array([one[n] for one in others], np.uint64) for n in (0, 1))
    wanted = [any(same == one and went != to for same, went in others) for one, to in legs]
    assert returns._elsewhere(own, target, values, targets).tolist() == wanted
