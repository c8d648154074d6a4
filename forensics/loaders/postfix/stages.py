"""How far a delivery attempt had come when it failed, by the words that Postfix's own client puts around a reply.

Source: Postfix, src/smtp/smtp_proto.c (names of requests and of transfer states), smtp_trouble.c and smtp_connect.c;
src/qmgr/qmgr_queue.c (what is put off for a destination that failed before).
"""

from __future__ import annotations

import re

_REPLIED = re.compile(r"\(in reply to ([^()]{1,40}) command\)\Z")
"""At the very end: a server's own text stands before it, and cannot take its place."""
_BROKEN = re.compile(r"\A(?:lost connection with|conversation with) (?:\S+) (?:timed out )?while (.{1,80})\Z")
_SENT = frozenset({"end of DATA", "sending end of data -- message may be sent more than once", "sending message body"})
_SUSPENDED = "delivery temporarily suspended: "
"""By the queue manager: nothing was attempted, and what follows is the reply that another message had."""
_NEVER = re.compile(
    r"\A(?:connect to \S+: |Host or domain name not found\b|host \S+ refused to talk to me: |"
    r"unable to look up host |Domain \S+ does not accept mail )"
)


def content_sent(response: str) -> bool | None:
    """See `forensics.loaders.base.TellsStages`.

    >>> content_sent("host mx.x.example[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)")
    True
    >>> content_sent("lost connection with mx.x.example[192.0.2.1] while sending MAIL FROM")
    False
    >>> content_sent("delivery temporarily suspended: host mx[192.0.2.1] said: 450 (in reply to end of DATA command)")
    False
    """
    if response.startswith(_SUSPENDED):
        return False
    found = _REPLIED.search(response) or _BROKEN.match(response)
    if found:
        return found[1] in _SENT
    return False if _NEVER.match(response) else None
