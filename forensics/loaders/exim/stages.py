"""How far a delivery attempt had come when it failed, by the words that Exim's own client puts before a reply.

Source: Exim, src/transports/smtp.c, `check_response` and the values of `smtp_command`.
"""

from __future__ import annotations

import re

_STAGE = re.compile(
    r"\A(?:SMTP error from remote mail server after|SMTP timeout after|Remote host closed connection in response to) "
    r"(?:pipelined )?(?P<stage>end of data|sending data block|initial connection|(?:EHLO|HELO|LHLO|STARTTLS|AUTH|"
    r"MAIL FROM|RCPT TO|DATA)\b)"
)
_SENT = frozenset({"end of data", "sending data block"})


def content_sent(response: str) -> bool | None:
    """See `forensics.loaders.base.TellsStages`.

    >>> content_sent("SMTP error from remote mail server after end of data: 550 no")
    True
    >>> content_sent("SMTP error from remote mail server after RCPT TO:<x@y.example>: 550 after end of data")
    False
    """
    found = _STAGE.match(response)
    return found["stage"] in _SENT if found else None
