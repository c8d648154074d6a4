"""What the evidence says beside its deliveries: losses that a log itself confesses, other lines, sentences."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.ingest import remarks
from forensics.loaders import losses
from forensics.loaders.base import Example
from tests.ingesting import line, message, read, to

LATER = "2024-03-01T11:00:00.000000+00:00"


def notes(folder: Path, text: str, name: str = "mail.log") -> dict[str, Any]:
    result, _ = read(folder, {name: text})
    assert [one.unread for one in result.evidence] == [0]
    return dict(result.evidence[0].notes)


SAID = {
    "rsyslogd: imuxsock lost 245 messages from pid 1201 due to rate-limiting": ("lost", 245),
    "rsyslogd-2177: imuxsock lost 17 messages from pid 18216 due to rate-limiting": ("lost", 17),
    "rsyslogd: imjournal: 2938 messages lost due to rate-limiting (20000 allowed within 600 seconds)": ("lost", 2938),
    "rsyslogd: imuxsock[pid: 77, name: smtpd, uid: 0]: 3 messages lost due to rate-limiting (200 allowed within 5 seconds)": ("lost", 3),
    "rsyslogd[9]: imuxsock begins to drop messages from pid 1201 due to rate-limiting": ("begins to drop", None),
    "rsyslogd: imjournal: begin to drop messages due to rate-limiting": ("begins to drop", None),
    "systemd-journald[300]: Suppressed 1234 messages from postfix@-.service": ("suppressed", 1234),
    "journal: Suppressed 12 messages from /system.slice/postfix.service": ("suppressed", 12),
    "systemd-journald[300]: Forwarding to syslog missed 23 messages.": ("missed", 23),
    "systemd-journald[300]: Missed 17 kernel messages": ("missed", 17),
    "syslogd: exiting on signal 15": ("logger stopped", None),
    "rsyslogd: file '/var/log/mail.log'[7] write error - see https://www.rsyslog.com/ OS error: No space left on device": ("not written", None),
    "systemd-journald[3]: File /var/log/journal/x/system.journal corrupted or uncleanly shut down, renaming and replacing.": ("journal replaced", None),
    "systemd-journald[3]: Vacuuming done, freed 8.0M of archived journals from /var/log/journal/x.": ("journal vacuumed", None),
    "last message repeated 3 times": ("repeated", 3),
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_what_the_logging_daemon_says_is_kept(tmp_path: Path, text: str) -> None:
    before = message("4B1C2D3E4F", to("x@navy.example"))
    found = notes(tmp_path, before + line(text, at=LATER))
    kind, count = SAID[text]
    (loss,) = found["losses"]
    assert loss["text"].endswith(text)
    assert {k: v for k, v in loss.items() if k != "text"} == {
        "kind": kind, "host": "mx1", "at": "2024-03-01T11:00:00Z", "count": count, "number": 6, "offset": len(before),
    }  # fmt: skip
    assert found["loss_totals"] == {
        kind: {"records": 1, "count": count, "first": "2024-03-01T11:00:00Z", "last": "2024-03-01T11:00:00Z"}
    }
    (sentence,) = found["noted"]
    assert "2024-03-01 11:00:00 UTC" in sentence
    assert count is None or f"{count:,}" in sentence


@pytest.mark.parametrize(
    "text",
    ["rsyslogd: [origin software=\"rsyslogd\"] rsyslogd was HUPed", "systemd-journald[3]: Vacuuming done, freed 0B of archived journals from /x",
     "systemd-journald[3]: Time spent on flushing to /var is 4ms for 900 entries.", "sshd[3]: lost 5 messages"],
)  # fmt: skip
def test_other_words_of_it_are_no_loss(tmp_path: Path, text: str) -> None:
    found = notes(tmp_path, message("4B1C2D3E4F", to("x@navy.example")) + line(text))
    assert not {"losses", "loss_totals", "noted"} & set(found)


def test_marks_of_the_journal(tmp_path: Path) -> None:
    """They have no stamp: the record before them gives their time."""
    text = (
        "-- Logs begin at Fri 2024-03-01 09:00:00 UTC, end at Fri 2024-03-01 12:00:00 UTC. --\n"
        + message("4B1C2D3E4F", to("x@navy.example"))
        + "-- Reboot --\n"
        + "-- Boot 0123456789abcdef0123456789abcdef --\n"
    )
    found = notes(tmp_path, text)
    assert [(loss["kind"], loss["at"], loss["number"]) for loss in found["losses"]] == [
        ("journal begins", None, 1), ("reboot", "2024-03-01T10:00:00Z", 7), ("reboot", "2024-03-01T10:00:00Z", 8),
    ]  # fmt: skip
    assert found["noted"] == [
        "the journal says from when on it has records (1 such notice)",
        "the machine was started anew 2 times, 2024-03-01 10:00:00 UTC",
    ]


def three(queue_id: str, *deliveries: str, more: tuple[str, ...] = ()) -> str:
    return re.sub(r"nrcpt=\d+", "nrcpt=3", message(queue_id, *deliveries, more=more))


def test_recipients_that_are_not_in_the_log(tmp_path: Path) -> None:
    found = notes(tmp_path, three("4B1C2D3E4F", to("x@navy.example")))
    (loss,) = found["losses"]
    assert (loss["kind"], loss["count"], loss["number"], loss["at"]) == ("recipients", 2, 3, "2024-03-01T10:00:00Z")
    assert found["noted"] == [
        "4B1C2D3E4F: 2 of 3 recipients are not in the log, though the message left the queue, 2024-03-01 10:00:00 UTC"
    ]


@pytest.mark.parametrize("size", [1, 200])
def test_recipients_are_counted_whether_a_message_is_whole_in_a_block_or_not(tmp_path: Path, size: int) -> None:
    """A message in the middle of a block is complete there; one at its edge is joined in the end."""
    texts = [three(f"4B1C2D{n:04X}", to("x@navy.example"), to("y@navy.example")) for n in range(size)]
    found = notes(tmp_path, "".join(texts))
    assert found["loss_totals"]["recipients"]["records"] == found["loss_totals"]["recipients"]["count"] == size
    assert len(found["losses"]) == min(size, remarks.LISTED)


ALL_THERE = {
    "three recipients": three("4B1C2D3E4F", to("x@navy.example"), to("y@navy.example"), to("z@navy.example")),
    "one address, for which three were written": three(
        "4B1C2D3E4F", to("x@navy.example"), to("x@navy.example", orig_to="a@albion.example"), to("x@navy.example", orig_to="b@albion.example"),
    ),
    "redirected": three(
        "4B1C2D3E4F", to("x@navy.example"), more=("redirect: header Subject: x from local; from=<a@albion.example> to=<y@navy.example>: x@navy.example",),
    ),
    "deleted": three("4B1C2D3E4F", to("x@navy.example")).replace("qmgr[4]: 4B1C2D3E4F: removed", "postsuper[4]: 4B1C2D3E4F: removed"),
    "tried several times": three(
        "4B1C2D3E4F", to("x@navy.example", "deferred (x)"), to("y@navy.example"), to("z@navy.example"), to("x@navy.example"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", ALL_THERE.values(), ids=ALL_THERE)
def test_recipients_that_are_there_or_cannot_be_missed(tmp_path: Path, text: str) -> None:
    assert "losses" not in notes(tmp_path, text)


def test_messages_that_begin_or_end_outside(tmp_path: Path) -> None:
    whole = message("4B1C2D3E4F", to("x@navy.example")).splitlines(keepends=True)
    cut = message("5B1C2D3E4F", to("x@navy.example")).splitlines(keepends=True)
    found = notes(
        tmp_path, "".join([*cut[2:], *whole, *message("6B1C2D3E4F", to("x@navy.example")).splitlines(True)[:3]])
    )
    assert [(loss["kind"], loss["text"], loss["number"]) for loss in found["losses"]] == [
        ("begins outside", "5B1C2D3E4F", 1), ("ends outside", "6B1C2D3E4F", 11),
    ]  # fmt: skip
    assert found["noted"] == [
        "1 message begins outside the evidence, 2024-03-01 10:00:00 UTC",
        "1 message ends outside the evidence, or waited when it ended, 2024-03-01 10:00:00 UTC",
    ]


def test_a_message_in_two_files_is_whole(tmp_path: Path) -> None:
    lines = message("4B1C2D3E4F", to("x@navy.example")).splitlines(keepends=True)
    result, _ = read(tmp_path, {"mail.log.1": "".join(lines[:3]), "mail.log": "".join(lines[3:])})
    assert [set(one.notes) & {"losses", "noted"} for one in result.evidence] == [set(), set()]


def numbered(numbers: list[int]) -> str:
    texts = message("4B1C2D3E4F", to("x@navy.example")).splitlines()
    out = []
    for n, number in enumerate(numbers):
        stamp, host, tag, rest = texts[n % 5].split(" ", 3)
        program, pid = tag.rstrip("]:").split("[")
        rest = rest.replace("4B1C", f"{4 + n // 5}B1C")
        out.append(f'<22>1 {stamp} {host} {program} {pid} - [meta sequenceId="{number}"] {rest}\n')
    return "".join(out)


def test_numbers_that_records_leave_out(tmp_path: Path) -> None:
    text = numbered([*range(1, 10), 13, *range(14, 20)])
    (loss,) = notes(tmp_path, text)["losses"]
    assert (loss["kind"], loss["host"], loss["count"], loss["number"]) == ("sequence gap", "mx1", 3, 10)
    assert loss["offset"] == len("".join(text.splitlines(keepends=True)[:9]))
    assert loss["at"] == "2024-03-01T10:00:00Z"


@pytest.mark.parametrize(
    "numbers", [[1, 2, 3, 4, 5, 1, 2, 3, 4, 5], [1, 5, 9, 14, 20, 22, 31, 40, 47, 50], [7, 8, 9, 10, 11]]
)
def test_numbers_from_the_start_again_or_of_a_selection(tmp_path: Path, numbers: list[int]) -> None:
    assert "losses" not in notes(tmp_path, numbered(numbers))


@pytest.mark.parametrize("form", ["json", "export"])
def test_numbers_of_a_journal(tmp_path: Path, form: str) -> None:
    records = []
    for n, text in enumerate(message("4B1C2D3E4F", to("x@navy.example"), to("y@navy.example")).splitlines()):
        tag, rest = text.split(" ", 2)[2].split(": ", 1)
        fields = {
            "__CURSOR": f"s=1;i={n}", "__REALTIME_TIMESTAMP": str(1709287200000000 + n), "__SEQNUM": str(n + (4 if n > 3 else 0)),
            "__SEQNUM_ID": "ab12", "_HOSTNAME": "mx1", "SYSLOG_IDENTIFIER": tag.partition("[")[0], "MESSAGE": rest,
        }  # fmt: skip
        records.append(
            json.dumps(fields) + "\n" if form == "json" else "".join(f"{k}={v}\n" for k, v in fields.items()) + "\n"
        )
    (loss,) = notes(tmp_path, "".join(records))["losses"]
    assert (loss["kind"], loss["host"], loss["count"], loss["number"], loss["offset"]) == (
        "sequence gap", "mx1", 4, 5, len("".join(records[:4])),
    )  # fmt: skip
    assert loss["at"] == "2024-03-01T10:00:00.000004Z"


def test_repeated_messages_are_read_and_told(tmp_path: Path) -> None:
    refused = (
        "NOQUEUE: reject: RCPT from b[198.51.100.7]: 550 5.1.1 <y@albion.example>: No; from=<s@b.example> to=<y@albion.example> "
        "proto=ESMTP helo=<b>"
    )
    text = line(f"postfix/smtpd[1]: {refused}") + line(
        f"postfix/smtpd[1]: message repeated 3 times: [ {refused}]", at=LATER
    )
    text += line("postfix/smtpd[1]: message repeated 2 times: [ connect from b[198.51.100.7]]")
    result, rows = read(tmp_path, {"mail.log": text})
    assert [(r["recipient"], r["outcome"]) for r in rows] == [("y@albion.example", "rejected")] * 2
    (loss,) = result.evidence[0].notes["losses"]
    assert (loss["kind"], loss["count"], loss["number"]) == ("repeated", 2, 2)


def test_the_same_whatever_the_workers(tmp_path: Path) -> None:
    text = "".join(
        three(f"4B1C2D{n:04X}", to("x@navy.example"))
        + line(f"rsyslogd: imuxsock lost {n + 1} messages from pid 7 due to rate-limiting")
        + line(f"postfix/smtpd[1]: something{'!' * (n % 70)} happened")
        for n in range(300)
    )
    found = []
    for workers in (1, 2):
        result, _ = read(
            tmp_path / str(workers),
            {"a.log": text, "b.log": text.replace("mx1", "mx2").replace("4B1C2D", "4B1C2E")},
            workers=workers,
        )
        found.append([json.dumps(one.notes, sort_keys=True) for one in result.evidence])
    assert found[0] == found[1]
    one = json.loads(found[0][0])
    assert one["loss_totals"]["lost"]["count"] == sum(range(1, 301))
    assert sum(each["count"] for each in one["other_lines"]) == 300
    assert len(one["other_lines"]) == remarks.SHAPES + 1
    assert one["other_lines"][-1]["shape"] == ""


examples = st.lists(
    st.builds(
        Example, program=st.sampled_from("ab"), shape=st.sampled_from("xyz"), count=st.integers(1, 9), number=st.integers(1, 99),
        offset=st.just(0), length=st.just(1), text=st.just("t"),
    ),
    max_size=9,
)  # fmt: skip
rows = st.lists(
    st.tuples(
        st.sampled_from(("lost", "reboot")), st.just(0), st.none(), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9),
        st.integers(1, 99), st.just(0), st.just("t"),
    ),
    max_size=9,
)  # fmt: skip


@given(st.lists(st.tuples(examples, rows), max_size=5), st.randoms(use_true_random=False))
def test_pieces_come_to_the_same_in_any_order(pieces: list[tuple[list[Example], list[Any]]], random: Any) -> None:
    found = []
    for _ in range(2):
        made = remarks.Remarks()
        for some, told in pieces:
            made.add(some, losses.rows(told) if told else None, ())
        found.append(made.notes())
        random.shuffle(pieces)
    assert found[0] == found[1]
    told = [row for _, some in pieces for row in some]
    totals = found[0].get("loss_totals", {})
    assert {kind: total["records"] for kind, total in totals.items()} == {
        kind: sum(row[0] == kind for row in told) for kind in {row[0] for row in told}
    }


def test_every_kind_has_a_sentence() -> None:
    assert set(remarks.SENTENCES) == set(losses.KINDS)
    for kind in losses.KINDS:
        made = remarks.Remarks()
        made.add((), losses.rows([(kind, 0, None, None, 1, 1, 0, "4B1C: 1 of 2 recipients are not in the log")]), ())
        (sentence,) = made.notes()["noted"]
        assert "{" not in sentence
        assert " 1 times" not in sentence


def test_rows_by_evidence() -> None:
    table = losses.rows([("lost", n % 2, None, None, 1, n, 0, "t") for n in range(1, 5)])
    found = remarks.of_evidence(table)
    assert {key: rows["number"].to_pylist() for key, rows in found.items()} == {0: [2, 4], 1: [1, 3]}
    assert remarks.of_evidence(None) == {}
    assert isinstance(found[0], pa.Table)
