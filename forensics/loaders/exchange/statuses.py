"""Reading Exchange's recipient-status and source-context: roles, kinds of failure, codes, the other server's answer.

Forms (Microsoft Learn, "Message tracking"; bracketed lists as Exchange 2013 and later write them):
`To`, `250 2.1.5 Recipient OK`, `550 4.4.7 QUEUE.Expired;text`, `[{LED=550 5.1.1 …};{MSG=…};{FQDN=…};{IP=…};{LRT=…}]`,
and in source-context of a hand-off `08DB…;250 2.0.0 Ok: queued as 4AbC…;ClientSubmitTime:…`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.loaders.exchange import addresses, spans
from forensics.loaders.exchange import replies as answering

_ROLES = {"to": "to", "cc": "cc", "bcc": "bcc"}
_BRACKETED = re.compile(r"\{(LED|MSG|FQDN|IP|LRT)=(.*?)\}(?=;\{|\]|$)", re.S)
_BRACKETED_LED = re.compile(r"\{LED=(.*?)\}(?=;\{|\]|$)", re.S)
_REFUSAL = re.compile(r"\s*[45]\d\d(?:[ -]|$)")
_EXPIRED = re.compile(r"\s*[45]\d\d[ -]+(?:[45]\.4\.7\b|(?:[45]\.\d{1,3}\.\d{1,3}[ -]+)?QUEUE\.Expired)", re.I)
"""As the queue itself says it: behind its code, where no other server's text can stand."""
_ANSWERED = re.compile(r"\{(?:FQDN|IP)=[^}\s]")
_QUARANTINED = re.compile(r"quarantin", re.I)


class Answers(NamedTuple):
    code: pa.Array
    response: pa.Array
    relay_name: pa.Array
    relay_address: pa.Array
    next_id: pa.Array


def role(status: str) -> str:
    """`to`, `cc`, `bcc` or `unknown`."""
    return _ROLES.get(status.strip().lower(), "unknown")


def failure(status: str | None) -> str:
    """What a FAIL row says: `expired`, `discarded` (handled without report, status 2xx), `held`, `bounced`. Of a list
    of statuses that cannot be told apart (`native.exchange.lists`) what all of them say, else `bounced`. What another
    server answered tells of no quarantine here: it refused the message."""
    texts = _BRACKETED_LED.findall(status or "")
    kinds = {_failure(text) for text in texts or addresses.pieces(status or "")}
    kind = kinds.pop() if len(kinds) == 1 else "bounced"
    return "bounced" if kind == "held" and _ANSWERED.search(status or "") else kind


def _failure(text: str) -> str:
    if _EXPIRED.search(text):
        return "expired"
    if _QUARANTINED.search(text):
        return "held"
    return "discarded" if text.strip().startswith("2") else "bounced"


def refusals(status: pa.Array) -> np.ndarray:
    """`4` or `5` where the status of a hand-off is such a reply, so that nothing was handed over; else empty."""
    return _mapped(status, _refusal, "")


def _refusal(text: str) -> str:
    """One for each recipient, or a list that cannot be told apart: then all must be such."""
    return text.strip()[0] if all(_REFUSAL.match(piece) for piece in addresses.pieces(text)) else ""


def failures(status: pa.Array) -> np.ndarray:
    """`failure` of each status."""
    return _mapped(status, failure, "bounced")


def _mapped(status: pa.Array, what: Callable[[str], str], null: str) -> np.ndarray:
    encoded = status.dictionary_encode()
    kinds = np.array([*map(what, encoded.dictionary.to_pylist()), null], object)
    found: np.ndarray = kinds[encoded.indices.fill_null(len(kinds) - 1).to_numpy(zero_copy_only=False)]
    return found


def _parts(status: str) -> tuple[str | None, str | None, str | None]:
    """(text, host, address) of a recipient-status; a role is no text."""
    if "{LED=" in status:
        bracketed = dict(_BRACKETED.findall(status))
        return (
            bracketed.get("LED") or bracketed.get("MSG") or status,
            bracketed.get("FQDN") or None,
            _unscoped(bracketed.get("IP")),
        )
    text = status.strip()
    return (None if not text or text.lower() in _ROLES else status), None, None


def _unscoped(address: str | None) -> str | None:
    """As `spans.unscoped`."""
    return re.sub(r"^\[?([^\]%]*).*\Z", r"\1", address) if address else None


def answers(status: pa.Array, data: spans.Array, context: spans.Span) -> Answers:
    """Enhanced code, text, relay and queue id of the settling rows. The other server's answer, in `context`, wins."""
    encoded = status.dictionary_encode()
    parts = [_parts(s) for s in encoded.dictionary.to_pylist()]
    own, name, address = (pa.array([t[i] for t in parts], pa.string()).take(encoded.indices) for i in range(3))
    text = pc.coalesce(spans.text(data, answering.reply(data, context)), own)
    answer, span = spans.of(text)
    code, identity = answering.code(answer, span), answering.identity(answer, span)
    return Answers(spans.text(answer, code), text, name, address, spans.text(answer, identity))


def integers(text: pa.Array, type_: pa.DataType) -> pa.Array:
    """Numbers of a text column; what is no number is null."""
    good = pc.match_substring_regex(text, r"^\d{1,9}$" if type_ == pa.int32() else r"^\d{1,18}$")
    return pc.if_else(good, text, pa.scalar(None, pa.string())).cast(type_)
