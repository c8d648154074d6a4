"""How far a failed attempt had come, by Exim's own words (transports/smtp.c)."""

from __future__ import annotations

import pytest

from forensics.loaders.exim import content_sent


@pytest.mark.parametrize(
    ("response", "sent"),
    [
        ("SMTP error from remote mail server after end of data: 550 refused", True),
        ("SMTP error from remote mail server after pipelined end of data: 550 refused", True),
        ("SMTP timeout after end of data (1234 bytes written)", True),
        ("SMTP timeout after sending data block (1234 bytes written)", True),
        ("Remote host closed connection in response to end of data", True),
        ("SMTP error from remote mail server after RCPT TO:<x@navy.ml>: 550 after end of data", False),
        ("SMTP error from remote mail server after pipelined MAIL FROM:<a@b.example>: 550", False),
        ("SMTP error from remote mail server after initial connection: 554 no", False),
        ("SMTP error from remote mail server after DATA: 554 no", False),
        ("Remote host closed connection in response to EHLO mx.albion.example", False),
        ("retry timeout exceeded", None),
        ("Unrouteable address", None),
        ("he said: SMTP error from remote mail server after end of data: 550", None),
    ],
)
def test_by_the_words_of_the_client(response: str, sent: bool | None) -> None:
    assert content_sent(response) is sent
