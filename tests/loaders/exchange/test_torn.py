"""Records that break off in quotes: what others wrote inside of a field never becomes a record or a heading."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.exchange import torn

from .driver import Read, read
from .test_tracking import OK, A, B, log, row

NAMES = ("Received", "SenderAddress", "RecipientAddress", "Subject", "Status", "MessageId", "MessageTraceId")
FORGED = "2024-03-13T08:00:00Z,ceo@contoso.com,eve@navy.example,x,Delivered,<z@z.example>,0badc0de-0000-4000-8000-99"
TURNED = ",".join(("Received", "RecipientAddress", "SenderAddress", *NAMES[3:]))
PIECES = st.sampled_from(
    ['"', '""', ",", "\r\n", "\n", "x", f"\r\n{FORGED}\r\n", f"\n{FORGED},", f'\n{FORGED}"', f"\r\n{TURNED}\r\n", " "]
)
SUBJECTS = st.lists(PIECES, max_size=6).map("".join)


def rows(subjects: list[str], quoting: int) -> tuple[str, list[str]]:
    """(the heading, a line or more for each message)."""
    lines = []
    for n, cells in enumerate([list(NAMES), *([""] * 7 for _ in subjects)]):
        if n:
            cells = [
                f"2024-03-13T08:00:{n:02}Z", "a@contoso.com", f"x{n}@fabrikam.com", subjects[n - 1], "Delivered",
                f"<m{n}@contoso.com>", f"0badc0de-0000-4000-8000-0000000000{n:02}",
            ]  # fmt: skip
        out = io.StringIO(newline="")
        csv.writer(out, quoting=quoting).writerow(cells)  # type: ignore[arg-type]
        lines.append(out.getvalue())
    return lines[0], lines[1:]


def told(got: Read) -> set[tuple[str, str]]:
    return {(one["sender"], one["recipient"]) for one in got.deliveries()}


QUOTINGS = st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])


@settings(max_examples=300, deadline=None)
@given(st.lists(SUBJECTS, min_size=2, max_size=5), QUOTINGS, st.data())
def test_no_subject_becomes_a_record_wherever_one_breaks_off(
    subjects: list[str], quoting: int, data: st.DataObject
) -> None:
    heading, lines = rows(subjects, quoting)
    n = data.draw(st.integers(0, len(lines) - 1))
    kept = data.draw(st.integers(0, len(lines[n]) - 3))
    size = data.draw(st.sampled_from([64, 1 << 20]))
    torn_ = lines[n][:kept] + data.draw(st.sampled_from(["", "\r\n"]))
    got = read("".join([heading, *lines[:n], torn_, *lines[n + 1 :]]).encode(), size=size)
    true = {("a@contoso.com", f"x{one + 1}@fabrikam.com") for one in range(len(lines))}
    assert told(got) <= true
    assert {f"x{one + 1}@fabrikam.com" for one in range(n)} <= {recipient for _, recipient in told(got)}


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("forged", [FORGED, f"{FORGED}\r\n{TURNED}", f"#Fields: {TURNED}\r\n{FORGED}"])
@pytest.mark.parametrize("size", [64, 1 << 20])
def test_lines_of_a_subject_behind_a_broken_record_are_unread(quoting: int, forged: str, size: int) -> None:
    heading, lines = rows([f"Hi\r\n{forged}\r\nthere", "a, b", "c"], quoting)
    cut = (
        '2024-03-13T08:00:00Z,a@contoso.com,w@fabrikam.com,"Re: o' if quoting == csv.QUOTE_MINIMAL else '"2024-03-13T0'
    )
    got = read((heading + cut + "".join(lines)).encode(), size=size)
    assert told(got) == {("a@contoso.com", "x2@fabrikam.com"), ("a@contoso.com", "x3@fabrikam.com")}
    reasons = [row["reason"] for row in got.unread]
    assert reasons[0].startswith("quoting broken")
    assert reasons[1:] == [torn.INSIDE] * (forged.count("\n") + 2)


def test_a_broken_record_costs_whole_ones_nothing() -> None:
    """Where they have quotes, or none was open; whatever breaks further on."""
    for quoting, subjects in ((csv.QUOTE_ALL, ["a", "b", "c, d"]), (csv.QUOTE_MINIMAL, ["a", "b, c", "d"])):
        heading, lines = rows([*subjects, "e", "f, g"], quoting)
        broken = '2024-03-13T08:00:00Z,a@contoso.com,"w@fab\r\n'
        got = read("".join([heading, lines[0], broken, *lines[1:4], broken, lines[4]]).encode())
        assert len(told(got)) == 5 and len(got.unread) == 2


def test_of_a_file_that_ends_in_a_field_little_is_doubted() -> None:
    """A single quote that a script wrote costs the rows behind it only where a message's head could hold them."""
    heading, lines = rows(["a"] * 50, csv.QUOTE_MINIMAL)
    stray = '2024-03-13T08:00:00Z,a@contoso.com,w@fabrikam.com,"Re: off\r\n'
    few = read("".join([heading, lines[0], stray, *lines[1:]]).encode())
    assert told(few) == {("a@contoso.com", "x1@fabrikam.com")} and len(few.unread) == 50
    many = read("".join([heading, lines[0], stray, *lines[1:] * 20]).encode())
    assert len(told(many)) == 50 and len(many.unread) == 1


@pytest.mark.parametrize(("subject", "unread"), [(',"Hi" all,', 9), (',19",', 0), (',"a","b",', 9), (',say "Hi",', 0)])
def test_of_text_that_a_script_did_not_escape_no_other_row_suffers(subject: str, unread: int) -> None:
    heading, lines = rows(["a"] * 9, csv.QUOTE_MINIMAL)
    odd = [line.replace(",a,", subject) for line in lines]
    got = read("".join([heading, *odd, *lines]).encode())
    assert len(told(got)) == 9 and len(got.unread) == unread


@pytest.mark.parametrize("size", [64, 1 << 20])
def test_a_log_that_begins_in_a_field_gives_nothing_of_it(size: int) -> None:
    forged = row(9, "SENDEXTERNAL", "eve@navy.example", OK, message_id="<z@z.example>", network_message_id="7" * 32)
    line = log(forged).decode().splitlines()[-1]
    rows_ = [row(0, "RECEIVE", message_subject=f"Hi\r\n{line}\r\nthere"), row(1, "SENDEXTERNAL", B, OK)]
    for content in (log(*rows_), log(*rows_, row(2, "AGENTINFO", message_subject="a, b"))):
        begun = content[content.index(b"Hi\r\n") :]
        got = read(begun, size=size)
        assert told(got) == {(A, B)}
        assert [one["reason"] for one in got.unread] == [torn.INSIDE] * 3
