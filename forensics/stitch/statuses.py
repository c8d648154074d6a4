"""Reading Exchange's recipient-status and source-context: roles, kinds of failure, codes, the other server's answer.

Forms (Microsoft Learn, "Message tracking"; bracketed lists as Exchange 2013 and later write them):
`To`, `250 2.1.5 Recipient OK`, `550 4.4.7 QUEUE.Expired;text`, `[{LED=550 5.1.1 …};{MSG=…};{FQDN=…};{IP=…};{LRT=…}]`,
and in source-context of a hand-off `08DB…;250 2.0.0 Ok: queued as 4AbC…;ClientSubmitTime:…`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ROLES = {"to": "to", "cc": "cc", "bcc": "bcc"}
_BRACKETED = re.compile(r"\{(LED|MSG|FQDN|IP|LRT)=(.*?)\}(?=;\{|\]|$)", re.S)
_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_EXPIRED = re.compile(r"QUEUE\.Expired|\b[45]\.4\.7\b", re.I)
_QUARANTINED = re.compile(r"quarantin", re.I)
_REPLY = re.compile(r"(?:^|;)\s*([2345]\d\d[ -].*?)(?:;ClientSubmitTime:.*)?$", re.S)
_QUEUED = re.compile(r"\bqueued as ([0-9A-Za-z]+)|\[InternalId=(\d+)|\bid=([0-9A-Za-z-]{6,})", re.I)


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
    """What a FAIL row says: `expired`, `discarded` (handled without report, status 2xx), `held`, `bounced`."""
    if not status:
        return "bounced"
    text = dict(_BRACKETED.findall(status)).get("LED", status).strip()
    if _EXPIRED.search(text):
        return "expired"
    if _QUARANTINED.search(text):
        return "held"
    return "discarded" if text.startswith("2") else "bounced"


def failures(status: pa.Array) -> np.ndarray:
    """`failure` of each status."""
    encoded = status.dictionary_encode()
    kinds = np.array([failure(s) for s in encoded.dictionary.to_pylist()] + ["bounced"], object)
    found: np.ndarray = kinds[encoded.indices.fill_null(len(kinds) - 1).to_numpy(zero_copy_only=False)]
    return found


def _answer(
    status: str | None, context: str | None
) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    text, name, address = status, None, None
    if status and "{LED=" in status:
        told = dict(_BRACKETED.findall(status))
        text = told.get("LED") or told.get("MSG") or status
        name, address = told.get("FQDN") or None, told.get("IP") or None
    if text is not None and text.strip().lower() in _ROLES:
        text = None
    reply = _REPLY.search(context) if context else None
    if reply:
        text = reply[1]
    queued = _QUEUED.search(text) if text and text.startswith("2") else None
    code = _CODE.search(text) if text else None
    identity = next((g for g in queued.groups() if g), None) if queued else None
    return (code[1] if code else None), text or None, name, address, identity


def answers(status: pa.Array, context: pa.Array) -> Answers:
    """Enhanced code, text, relay and queue id of the settling rows."""
    seen: dict[tuple[str | None, str | None], tuple[str | None, ...]] = {}
    rows = []
    for pair in zip(status.to_pylist(), context.to_pylist(), strict=True):
        found = seen.get(pair)
        if found is None:
            found = seen[pair] = _answer(*pair)
        rows.append(found)
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Answers(*(pa.array(list(c), pa.string()) for c in columns))


def unscoped(address: pa.Array) -> pa.Array:
    """IP addresses without a zone index (`fe80::1%3` → `fe80::1`, RFC 4007) and without brackets."""
    return pc.replace_substring_regex(address, r"^\[?([^\]%]*).*$", r"\1")


def integers(text: pa.Array, type_: pa.DataType) -> pa.Array:
    """Numbers of a text column; what is no number is null."""
    good = pc.match_substring_regex(text, r"^\d{1,9}$" if type_ == pa.int32() else r"^\d{1,18}$")
    return pc.if_else(good, text, pa.scalar(None, pa.string())).cast(type_)
