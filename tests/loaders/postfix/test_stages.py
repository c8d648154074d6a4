"""How far a failed attempt had come, by Postfix's own words (smtp_proto.c, smtp_trouble.c, smtp_connect.c)."""

from __future__ import annotations

import pytest

from forensics.loaders.postfix import content_sent

HOST = "mx1.navy.ml[192.0.2.1]"


@pytest.mark.parametrize(
    ("response", "sent"),
    [
        (f"host {HOST} said: 550 5.7.1 refused (in reply to end of DATA command)", True),
        (f"lost connection with {HOST} while sending end of data -- message may be sent more than once", True),
        (f"conversation with {HOST} timed out while sending end of data -- message may be sent more than once", True),
        (f"conversation with {HOST} timed out while sending message body", True),
        (f"lost connection with {HOST} while sending message body", True),
        (f"host {HOST} said: 550 5.1.1 unknown (in reply to RCPT TO command)", False),
        (f"host {HOST} said: 554 no (in reply to DATA command)", False),
        (f"host {HOST} said: 550 no (in reply to MAIL FROM command)", False),
        (f"host {HOST} refused to talk to me: 554 5.7.1 no", False),
        (f"lost connection with {HOST} while sending RCPT TO", False),
        (f"lost connection with {HOST} while receiving the initial server greeting", False),
        ("connect to mx1.navy.ml[192.0.2.1]:25: Connection refused", False),
        ("Host or domain name not found. Name service error for name=navy.ml type=MX: Host not found", False),
        (f"delivery temporarily suspended: host {HOST} said: 450 no (in reply to end of DATA command)", False),
        (f"delivery temporarily suspended: lost connection with {HOST} while sending message body", False),
        ("mail forwarding loop for x@navy.ml", None),
        ("", None),
    ],
)
def test_by_the_words_of_the_client(response: str, sent: bool | None) -> None:
    assert content_sent(response) is sent


@pytest.mark.parametrize("command", ["end of DATA", "RCPT TO"])
def test_a_server_cannot_say_it_in_its_place(command: str) -> None:
    """What the server wrote stands in the middle; the client's words are the last."""
    other = {"end of DATA": "RCPT TO", "RCPT TO": "end of DATA"}[command]
    text = f"550 no (in reply to {other} command) while sending end of data -- message may be sent more than once"
    response = f"host {HOST} said: {text} (in reply to {command} command)"
    assert content_sent(response) is (command == "end of DATA")
    assert content_sent(f"host {HOST} refused to talk to me: {text} x") is False
