"""What stands before lines: found where it stands before most of them, and nowhere else."""

from __future__ import annotations

import pytest

from forensics.wraps import prefixes
from tests.loaders.postfix.test_formats import LINES, SYSLOG

BSD = "Mar  5 10:00:00 mx1 postfix/smtpd[101]: A: x"
ISO = "2024-03-05T10:00:00+00:00 mx1 postfix/smtpd[101]: A: x"


@pytest.mark.parametrize(
    "rest",
    [
        BSD,
        ISO,
        "<22>" + BSD,
        "1 2024-03-05T10:00:00Z mx1 postfix/smtpd 7 - - A",
        '{"message": "x"}',
        "#Fields: date-time,x",
    ],
)
@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("grep", "mail.log:"), ("grep", "/var/log/mail.log.2.gz:"), ("grep", "mail.log:1234:"), ("grep", "1234:"),
        ("grep", "mail.log:12:3456:"), ("grep", "mail.log-1234-"), ("grep", "D:\\x\\mail.log:"), ("grep", "mx1: "),
        ("grep", "a file with blanks.log:"), ("cat -n", "     1\t"), ("cat -n", "123456\t"), ("cat -n", "      9 "),
        ("kubectl logs --prefix", "[pod/postfix-7d9f-x2/postfix] "), ("stern", "postfix-0 postfix "),
        ("Wazuh archives.log", "2024 Mar 05 10:00:09 (mx1) 192.0.2.1->/var/log/maillog "),
        ("Wazuh archives.log", "2024 Mar 05 10:00:09 mx1->journald "),
        ("logcli", '2024-03-05T10:00:09Z {a="b", c="d \\" } e"} '),
        ("aws logs tail", "2024-03-05T10:00:09.250000+00:00 mail/mx1 "),
        ("Grafana", "1709632800250\t2024-03-05T10:00:00.250Z\t"),
    ],
)  # fmt: skip
def test_prefixes(name: str, before: str, rest: str) -> None:
    content = (before + rest + "\n").encode() * 3
    wrap = prefixes.recognise(content)
    assert wrap is not None and wrap.prefix == name
    found = prefixes.taken((before + rest).encode(), name)
    assert found is not None and found[0] == rest.encode()


HEADS = {name: pattern for name, pattern in SYSLOG.items() if not name.startswith("journalctl")}


@pytest.mark.parametrize("pattern", HEADS.values(), ids=HEADS)
def test_heads_of_syslog_are_no_prefixes(pattern: str) -> None:
    content = "".join(pattern.format(p=p, t=t) + "\n" for p, t in LINES).encode()
    assert prefixes.recognise(content) is None


def test_a_prefix_of_few_lines_is_none() -> None:
    assert prefixes.recognise(f"{BSD}\n{BSD}\nmail.log:{BSD}\n".encode()) is None
    assert prefixes.recognise(b"") is None


def test_names_of_units_and_zones() -> None:
    def told(line: str) -> tuple[bytes, str]:
        found = prefixes.taken(line.encode(), "journalctl -o short-full")
        assert found is not None
        return found[0], found[1]["time"]

    text = b"mx1 postfix[101]: A: x"
    assert told("Tue 2024-03-05 10:00:00 UTC mx1 postfix@-.service[101]: A: x") == (text, "2024-03-05 10:00:00 UTC")
    assert told("Tue 2024-03-05 10:00:00.250000 +01 mx1 postfix.service[101]: A: x") == (
        text,
        "2024-03-05 10:00:00.250000 +01",
    )
    assert told("Tue 2024-03-05 10:00:00 CET mx1 postfix[101]: A: x") == (text, "2024-03-05 10:00:00 +01:00")
    # of several zones: it tells none
    assert told("Tue 2024-03-05 10:00:00 CST mx1 postfix[101]: A: x") == (text, "2024-03-05 10:00:00")
