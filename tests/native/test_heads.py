"""The short way through the head of a record against the long one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.native.postfix import heads, tags
from forensics.native.postfix import words as w

HOSTS = (
    "mx1",
    "mx1.albion.example",
    "192.0.2.1",
    "192.0.2.1:514",
    "fe80::1",
    "mx1:",
    "<mail.info>",
    "postfix/smtpd",
    "",
)
TAGS = (
    "postfix/smtpd", "postfix/subm/smtpd", "postfix-out/qmgr", "postfix", "smtpd", "postfix/none", "/smtpd", "a/b c/smtp",
    "docker", "mail.info postfix/smtp", "<mail.info> postfix/smtp", "Message forwarded from mx2: postfix/smtp", "",
)  # fmt: skip
PROCESSES = ("[1]", "[12345]", "[]", "[1a]", "[1", "", " 12 - - ", "[7] <Info>")
BREAKS = (": ", ":", "", " ", ":   ", ":\t", ": : ")
TEXTS = (
    "connect from unknown[192.0.2.1]",
    "",
    " ",
    "Mar  5 10:00:00 mx2 postfix/qmgr[1]: 4F1: removed",
    "x/smtpd[1]: y",
)
some = st.text("ab/:[]<> 1\t", max_size=6)
records = st.tuples(
    st.sampled_from(HOSTS) | some, st.sampled_from((" ", "  ", "\t", "")), st.sampled_from(TAGS) | some,
    st.sampled_from(PROCESSES) | some, st.sampled_from(BREAKS) | some, st.sampled_from(TEXTS) | some,
).map("".join)  # fmt: skip


@given(records)
def test_the_usual_head_is_read_as_any_other(record: str) -> None:
    raw = record.encode()
    buffer, programs = np.frombuffer(raw + bytes(64), np.uint8), np.zeros(w.SLOTS, np.int32)
    tags.fill_programs(programs)
    host_end, start, stop, text, number = heads.usual(buffer, 0, len(raw), programs)
    if number:
        found = heads.nested(buffer, 0, len(raw), w.ABSOLUTE, 1, False, programs)
        assert found == (heads.TAGGED, w.ABSOLUTE, 1, 0, host_end, host_end + 1, start, stop, text, number)


def test_the_usual_head_is_usual() -> None:
    raw = b"mx1 postfix/subm/smtpd[2001]: connect from ws1.albion.example[10.4.1.1]"
    buffer, programs = np.frombuffer(raw + bytes(64), np.uint8), np.zeros(w.SLOTS, np.int32)
    tags.fill_programs(programs)
    assert heads.usual(buffer, 0, len(raw), programs)[:4] == (3, 17, 22, 30)
