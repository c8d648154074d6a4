"""The fields of Exim's lines: arrivals (`<=`), deliveries (`=>` and the like) and refused recipients.

What outsiders choose (HELO names, addresses, subjects, replies) is logged quoted, or without white space; fields are
read from the left, where Exim's own come first, and a reply from the right.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DELIVERIES = ("=>", "->", ">>", "*>", "**", "==")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ADDRESS = rf"(?:{_QUOTED}(?:@[^\s:>]*)?|[^\s\"<>]+?)"
_SENDER = re.compile(rf"(?:<>|{_ADDRESS})(?= )")
_FIELD = re.compile(rf" ([A-Za-z0-9]+\*?)=({_QUOTED}(?:@\S+)?|<(?:{_QUOTED}|[^>\"])*>|\S*)")
_HOST = re.compile(r" H=(?:([^\s(\[]\S*) )?(?:\([^\s]*\) )?\[([0-9A-Fa-f.:]+)\]")
_FOR = re.compile(rf" for ((?:{_ADDRESS})(?: {_ADDRESS})*)$")
_HEAD = re.compile(
    rf"(?P<address>[|/][^<]*?(?= [(<]| [A-Z]=|$)|:blackhole:|>?{_ADDRESS}(?=:? |:?$))(?P<text>:(?: |$))?"
    rf"(?: \((?P<parent>[^)]*)\))?(?: <(?P<original>(?:{_QUOTED}|[^>\"])*)>)?"
)
_BARE = re.compile(rf"(?P<local>[^<>\"]{{1,320}}?)@(?P<domain>[^\s<>\"@]+) <(?P<original>(?:{_QUOTED}|[^>\"])*)>")
_TEXT = re.compile(rf"((?:{_QUOTED}|[^\":]|:(?! ))*): (.*)", re.S)
_CONFIRMED = re.compile(rf" C=({_QUOTED})(?: (?:QT|DT|RT)=\S+)*$")
_TIMES = re.compile(r"(?: (?:QT|DT|RT)=\S+)+$")
_NEXT = re.compile(
    r"queued as ([0-9A-Za-z]{5,20})\b|\bid=([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})\b|\[InternalId=(\d+)"
)
_STATUS = re.compile(r"\b[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})\b")
_REJECTED = re.compile(
    rf"((?:{_QUOTED}|(?!F=<)[^\"])*?)(?:F=<((?:{_QUOTED}|[^\">])*)> )?((?<= )A=\S+ )?(temporarily )?rejected RCPT "
    rf"(?:<((?:{_QUOTED}|[^\">\s])+)>|((?:{_QUOTED}|[^\"<>\s])+?)(?=: ))(?:: (.*))?$",
    re.S,
)
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.S)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Arrival(NamedTuple):
    """`<=`: empty `sender` for a bounce; `recipients` where `+received_recipients` lists them."""

    sender: str
    user: str | None
    client_name: str | None
    client_address: str | None
    size: int | None
    message_id: str | None
    subject: str | None
    recipients: tuple[str, ...]
    local: bool = False
    """A program of the host gave it in; then `user` is the one it ran as."""


class Delivery(NamedTuple):
    """`address` as delivered to, `original` what it was made from; `text`: why it failed; `response`: the next
    server's; `mailbox`: it ended in one."""

    address: str
    original: str | None
    sender: str | None
    relay_name: str | None
    relay_address: str | None
    tls: bool | None
    status_code: str | None
    response: str | None
    next_id: str | None
    mailbox: bool


class Rejection(NamedTuple):
    """A recipient refused in the dialogue."""

    sender: str | None
    recipient: str
    temporary: bool
    client_name: str | None
    client_address: str | None
    status_code: str | None
    response: str | None
    login: bool = False
    """The client had logged in."""


def unquoted(text: str) -> str:
    """A quoted value without its quotes and escapes: `\\"`, `\\\\`, octal bytes."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text

    def back(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 255]) if len(code) == 3 else _NAMED.get(code, code)

    return _ESCAPE.sub(back, text[1:-1].encode("utf-8", "surrogatepass")).decode("utf-8", "backslashreplace")


def _host(text: str) -> tuple[str | None, str | None]:
    """(name verified by DNS, address) in `H=name (helo) [address]:port`; what HELO said is nobody's name."""
    found = _HOST.search(text)
    return (found[1], found[2]) if found else (None, None)


def _fields(text: str) -> dict[str, str]:
    """Fields by tag: the first of each."""
    found: dict[str, str] = {}
    for tag, value in _FIELD.findall(text):
        found.setdefault(tag, value)
    return found


def has_sender(rest: str) -> bool:
    """Whether `arrival` can read the line."""
    return _SENDER.match(rest) is not None


def has_address(rest: str) -> bool:
    """Whether `delivery` can read the line."""
    return _HEAD.match(rest) is not None


def breaks_off(rest: str) -> bool:
    """Whether a line that `has_address` ends in an address or in front of one, of which a part may be missing: Exim
    always says something of how it was delivered, or why not."""
    head = _HEAD.match(rest)
    if not head or head["text"] or head["parent"] or head["original"]:
        return False
    tail = rest[head.end() :]
    return not tail.strip() or tail.startswith((" <", " ("))


def arrival(rest: str) -> Arrival | None:
    """Of a line behind `<=`; None when it has no sender."""
    sender = _SENDER.match(rest)
    if not sender:
        return None
    tail = rest[sender.end() :]
    values = _fields(tail)
    name, address = _host(tail)
    user = values["A"].partition(":")[2] if "A" in values else values.get("U") if not address else None
    address_list = _FOR.search(tail)
    size = values.get("S", "")
    subject = values.get("T")
    return Arrival(
        sender="" if sender[0] == "<>" else sender[0],
        user=user or None,
        client_name=name,
        client_address=address,
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None,
        message_id=values.get("id") or values.get("id*"),
        subject=unquoted(subject) if subject is not None else None,
        recipients=tuple(re.findall(_ADDRESS + r"(?= |$)", address_list[1])) if address_list else (),
        local="A" not in values and not address and "U" in values,
    )


def _requoted(bare: re.Match[str]) -> str | None:
    """The address of a delivery line whose local part Exim logged without the quotes that it needs; None when it needs
    none. What stands there may look like fields: it is an address if the one in angle brackets says so, or if nothing
    in it can be a field."""
    local, domain, original = bare["local"], bare["domain"], bare["original"]
    if original.startswith('"') and unquoted(original.rpartition("@")[0]) == local:
        return original
    if " " not in local or "=" in local or local[0] in "|/>:" or "@" in local:
        return None
    return '"' + local.replace("\\", "\\\\") + f'"@{domain}'


def delivery(rest: str) -> Delivery | None:
    """Of a line behind any of DELIVERIES; None when it has no address."""
    head = _HEAD.match(rest)
    if not head:
        return None
    address, original = head["address"], head["original"]
    bare = _BARE.match(rest) if " " in rest[: rest.find("<")] else None
    if bare and (spelled := _requoted(bare)):
        head, address = bare, spelled
        original = None if spelled == bare["original"] else bare["original"]
    tail = rest[head.end() :]
    text = _TEXT.match(tail)
    before, why = (tail, None) if not text else (text[1], text[2])
    if "text" in head.groupdict() and head["text"]:
        before, why = "", tail.strip()
    why = _TIMES.sub("", why) if why else None
    confirmed = _CONFIRMED.search(tail)
    response = unquoted(confirmed[1]) if confirmed else None
    values = _fields(tail if confirmed else before)
    relay_name, relay_address = _host(tail if confirmed else before)
    reply = response if confirmed else why
    status, following = _STATUS.search(reply or ""), _NEXT.search(response or "")
    sender = values.get("F")
    return Delivery(
        address=address,
        original=original,
        sender=sender[1:-1] if sender and sender[0] == "<" else None,
        relay_name=relay_name,
        relay_address=relay_address,
        tls=True if "X" in values else None,
        status_code=status[1] if status else None,
        response=reply,
        next_id=next((one for one in following.groups() if one), None) if following else None,
        mailbox=relay_address is None and reply is None and address[0] != "|",
    )


def rejection(rest: str) -> Rejection | None:
    """Of a line with `rejected RCPT`; None when no recipient is named."""
    found = _REJECTED.match(rest)
    if not found:
        return None
    who, sender, login, temporary, quoted, bare, why = found.groups()
    name, address = _host(" " + who)
    status = _STATUS.search(why or "")
    code = status[1] if status else None
    return Rejection(sender, quoted or bare, bool(temporary), name, address, code, why, bool(login))
