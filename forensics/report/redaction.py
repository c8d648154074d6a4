"""The redacted edition: facts with every raw value replaced, before any format sees them.

What is replaced: fields marked `Raw` in `facts`. Values become keyed tokens, so the same address reads the same
throughout one case and cannot be found by hashing guesses; the key (32 random bytes, mode 0600) lies in the case
folder and never in any output. Two cases share no token.

What remains, on purpose: counts, scores, weights and their names, outcomes, status codes, countries, public
suffixes, slips that happened inside the suffix (`.mil` → `.ml`), dates and times to the minute (a report's
exposure window), digests of evidence (of whole files, not to be guessed), record numbers, the answers that are
choices, numbers or times, the handling marking, functions ("Press office"), and texts the investigator released by key.
In released texts every value that the logs or the case know is still replaced, whatever has the form of an address or a
host, and every name of a person that their addresses tell (`scrubbing`); `to_clear` lists the capitalised words that
are left, among which others may be.

What is withheld: sizes, server replies, subjects, reasons in words of their own (what their kind weighs remains, with
the weight), free text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from forensics import domains
from forensics.case import Case
from forensics.errors import CaseError
from forensics.report.facts import (
    Content,
    Contrast,
    Facts,
    Finding,
    Gateway,
    Item,
    Number,
    Place,
    Raw,
    Reason,
    Segment,
    Slip,
    Statement,
    Story,
    people,
    places,
    slipmarks,
)
from forensics.report.facts.content import standard_markings
from forensics.report.text import scrubbing
from forensics.report.text.scrubbing import WITHHELD

KEY_FILE = "redaction.key"
_LENGTH = 8
"""Hexadecimal digits of a token; checked for collisions within the report."""

_FIGURE = re.compile(r"[0-9:.TZ+ -]+")


def key(case: Case) -> bytes:
    """The case's redaction key, made on first use. Raises CaseError when it is there and no key."""
    path = case.folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(handle, "w") as file:
        made = secrets.token_bytes(32)
        file.write(made.hex() + "\n")
    return made


def _read(path: Path) -> bytes:
    try:
        found = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        found = b""
    if len(found) != 32:
        raise CaseError(
            f"{path}: is no redaction key",
            expected="64 hexadecimal digits, as Missent wrote them",
            remedy="restore it; a new key gives every token a new name",
        )
    return found


class Tokens:
    """Tokens of one case: `person-1a2b3c4d`, `domain-5e6f7a8b.ml`."""

    def __init__(
        self, secret: bytes, own: Collection[str] = (), organisation: str = "", told: Collection[str] = ()
    ) -> None:
        """`own`: the organisation's domains; `organisation`: its name; `told`: endings that no registry has and that
        may be shown (`told_endings`)."""
        self._told = frozenset(told) | _RESERVED
        self._named = frozenset(re.findall(r"[^\W\d_]{4,}", organisation.lower()))
        self._secret = secret
        self._own = frozenset(domains.a_label(name.strip(".")) for name in own)
        self._known: dict[tuple[str, str], str] = {}
        self._taken: dict[str, tuple[str, str]] = {}

    def token(self, kind: str, value: str) -> str:
        """The token of a value; longer where two values would share one."""
        name = (kind, value)
        if name not in self._known:
            mac = hmac.new(
                self._secret, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256
            ).hexdigest()
            length = _LENGTH
            while self._taken.setdefault(mac[:length], name) != name:
                length += 4
            self._known[name] = f"{kind}-{mac[:length]}"
        return self._known[name]

    def domain(self, value: str) -> str:
        """`domain-1a2b3c4d.ml`; only a watched zone that is a public suffix (`*.mil`) stays whole."""
        plain = domains.a_label(value.removeprefix("*."))
        ending = self.ending(plain)
        if value.startswith("*.") and plain == domains.split(plain).suffix == self.ending("any." + plain):
            return value
        return ".".join(part for part in (self.token("domain", plain), ending) if part)

    def ending(self, domain: str) -> str:
        """What of a domain may be shown: its public suffix, as far as that names nobody; else nothing.

        A suffix names somebody when it is the domain itself, when it is the organisation's (`--org police.uk`), or
        when its first label is anybody's name (the list's rule `*.ck`). A last label that no registry has is anybody's
        name too (`mail.albion`, `j.doe@navy.boyd`), unless it is told.
        """
        ending = places.public_suffix(domain)
        if not places.exists(domain) and ending not in self._told:
            return ""
        rest = ending.partition(".")[2]
        anybody = bool(rest) and domains.split(f"0-0.{rest}").suffix == f"0-0.{rest}"
        while ending and (ending == domain or anybody or domains.within(ending, self._own)):
            ending, anybody = ending.partition(".")[2], False
        return ending

    def address(self, value: str) -> str:
        """`person-1a2b3c4d@domain-5e6f7a8b.ml`; the empty sender stays empty."""
        if not value:
            return value
        domain = domains.parts(value)[1]
        who = self.token("person", domains.key(value))
        return f"{who}@{self.domain(domain)}" if domain else who

    def host(self, value: str) -> str | None:
        """The token of a host or domain that a text names; None for what is none, or a public suffix alone."""
        name = domains.a_label(value)
        if not places.exists(name) and not self._told & {places.suffix(name)}:
            return None
        return None if name == domains.split(name).suffix == self.ending(f"any.{name}") else self.domain(name)

    def function(self, name: str) -> bool:
        """Whether a name is that of a function, which names neither a person nor the organisation."""
        return people.is_role(name) and not self._named & set(re.findall(r"[^\W\d_]+", name.lower()))

    def other(self, kind: str, value: str) -> str:
        return self.token(kind, value.lower()) if value else value


_RESERVED = frozenset({"example", "test", "invalid", "localhost", "local", "internal", "onion", "alt"})
"""Endings that no registry may have and that are nobody's (RFC 2606, 6761, 6762, 7686 and 9476; .internal: ICANN)."""


def told_endings(facts: Facts) -> frozenset[str]:
    """Endings that no registry has and that name nobody, since each is one slip for the registered one that was meant
    (`.mli` for `.mil`): they are how it happened."""
    from rapidfuzz.distance import OSA

    out = set()
    for slip in (finding.slip for finding in facts.findings):
        typed, meant = places.suffix(slip.typed), places.suffix(slip.meant)
        if places.exists(slip.meant) and slipmarks.in_suffix(slip) and OSA.distance(typed, meant) == 1:
            out.add(typed)
    return frozenset(label for label in out if label.isascii() and label.isalnum())


@dataclasses.dataclass(frozen=True)
class _Redaction:
    tokens: Tokens
    scrub: Callable[[str], str]
    release: frozenset[str]
    meanings: Mapping[str, str]
    """What a kind of reason weighs, in words that name nobody."""


def redact(facts: Facts, secret: bytes) -> Facts:
    """The facts of the redacted edition."""
    tokens = Tokens(secret, facts.header.domains, facts.header.organisation, told_endings(facts))
    scrub = scrubbing.scrubber(dict(_known(facts, tokens)), tokens.host, _people(facts, tokens))
    meanings = {signal.name: signal.meaning for signal in facts.method.signals}
    how = _Redaction(tokens, scrub, frozenset(facts.questionnaire.release), meanings)
    redacted: Facts = _walk(facts, how)
    return dataclasses.replace(redacted, header=dataclasses.replace(redacted.header, edition="redacted", title=""))


def names(facts: Facts, secret: bytes) -> dict[tuple[str, str], str]:
    """(`person`, address as `domains.key` has it) or (`domain`, A-label) → its token, for files that are named by them.

    They are the tokens of the redacted edition; the secret itself is not handed on.
    """
    tokens = Tokens(secret, facts.header.domains)
    people = {a for x in facts.findings for a in (x.sender, x.intended_address) if a}
    found = {("person", domains.key(one)) for one in people}
    found |= {("domain", domains.a_label(x.slip.typed)) for x in facts.findings}
    return {name: tokens.token(*name) for name in sorted(found)}


_RELEASED_BY = {"Statement": "statements", "Action": "actions", "Place": "operators", "Holder": "operators"}
"""Which key releases the texts of these facts."""


def _walk(value: Any, how: _Redaction) -> Any:
    if isinstance(value, Item):
        return _item(value, how.scrub)
    if isinstance(value, Number):
        return _number(value, how.tokens)
    if isinstance(value, tuple):
        return tuple(_walk(item, how) for item in value)
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    released = _RELEASED_BY.get(type(value).__name__) in how.release
    changes: dict[str, Any] = {}
    for name, kind in _marks(type(value)):
        inner = getattr(value, name)
        if kind is None:
            changes[name] = _walk(inner, how)
        elif isinstance(value, Slip) and kind == "slip":
            changes[name] = _slip(value, how.tokens)
        elif kind == "text" and released and isinstance(inner, str):
            changes[name] = how.scrub(inner)
        else:
            changes[name] = _replaced(inner, kind, how.tokens)
    return type(value)(**{**changes, **_special(value, how)})


def _special(value: Any, how: _Redaction) -> dict[str, Any]:
    """What a mark cannot say."""
    tokens = how.tokens
    if isinstance(value, Story) and value.suffixes:
        return {"suffixes": value.suffixes if all(tokens.ending(f"any.{s}") == s for s in value.suffixes) else None}
    if isinstance(value, Place) and tokens.ending(f"any.{value.suffix}") != value.suffix:
        # The queries name the suffix, too.
        bare = {name: Number(getattr(value, name).value) for name in ("all_deliveries", "all_messages")}
        return {"suffix": tokens.token("domain", value.suffix), **bare}
    if isinstance(value, Finding):
        return {"size_bytes": None}
    if isinstance(value, Content):
        return {"bytes_total": None, "bytes_largest": None}
    if isinstance(value, Contrast):
        # Markings of the case's own would name whose they are.
        known = set(standard_markings())
        own = any(not set(one.split(", ")) <= known for _, one in value.values if isinstance(one, str))
        return {"values": tuple((k, WITHHELD if own and isinstance(v, str) else v) for k, v in value.values)}
    if isinstance(value, Reason):
        return {"text": how.meanings.get(value.name, "")}
    if isinstance(value, Gateway):
        return {"deliveries": Number(value.deliveries.value)}
    if isinstance(value, Statement) and value.threshold and not _FIGURE.fullmatch(value.threshold):
        return {"threshold": WITHHELD}
    return {}


@cache
def _marks(kind: Any) -> tuple[tuple[str, str | None], ...]:
    """(field, kind of raw value or None) of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    out = []
    for field in dataclasses.fields(kind):
        marks = [mark.kind for mark in getattr(hints[field.name], "__metadata__", ()) if isinstance(mark, Raw)]
        out.append((field.name, marks[0] if marks else None))
    return tuple(out)


_KINDS = {"host": "server", "ip": "network-address", "id": "id", "file": "file", "name": "name"}
_WITHHELD = {"text", "response", "subject"}


def _number(number: Number, tokens: Tokens) -> Number:
    ids = number.deliveries
    return Number(number.value, None if ids is None else tuple(tokens.other("id", i) for i in ids), number.query)


def _replaced(value: Any, kind: str, tokens: Tokens) -> Any:
    """A marked value, or every string in a tuple of them (numbers and counts beside them stay)."""
    if isinstance(value, tuple):
        return tuple(_replaced(item, kind, tokens) for item in value)
    if isinstance(value, Number):
        return _number(value, tokens)
    if not isinstance(value, str):
        return value
    if kind in _WITHHELD:
        return WITHHELD if value and kind == "text" else None if kind != "text" else value
    if kind == "domain":
        return tokens.domain(value)
    if kind == "address":
        return tokens.address(value)
    # The name of a function is nobody's.
    return value if kind == "name" and tokens.function(value) else tokens.other(_KINDS[kind], value)


def _slip(slip: Slip, tokens: Tokens) -> tuple[Segment, ...]:
    """Only what happened inside the suffix: all that stands before it becomes one sign."""
    if not slip.segments or not slipmarks.in_suffix(slip):
        return ()
    typed, meant = places.public_suffix(slip.typed), places.public_suffix(slip.meant)
    if (tokens.ending(slip.typed), tokens.ending(slip.meant)) != (typed, meant):
        return ()
    ending = slipmarks.segments(typed, meant)
    return (Segment("same", slipmarks.HIDDEN, slipmarks.HIDDEN), *ending) if ending else ()


def _item(item: Item, scrub: Callable[[str], str]) -> Item:
    if item.answer is None or item.kind in ("choice", "moment", "day", "count"):
        return item
    return dataclasses.replace(item, answer=scrub(item.answer) if item.released else None)


def _known(facts: Facts, tokens: Tokens) -> Iterator[tuple[str, str]]:
    """(raw value, its token) of everything that the facts hold, for released texts."""
    seen: set[tuple[str, str]] = set()
    for kind, value in raw_values(facts):
        if (kind, value) in seen or not value:
            continue
        seen.add((kind, value))
        if kind == "domain":
            yield value, tokens.domain(value)
            yield domains.u_label(value), tokens.domain(value)
        elif kind == "address":
            yield value, tokens.address(value)
            yield domains.parts(value)[0], tokens.token("person", domains.key(value))
        elif kind in _KINDS and not (kind == "name" and tokens.function(value)):
            yield value, tokens.other(_KINDS[kind], value)


def raw_values(value: Any) -> Iterator[tuple[str, str]]:
    """(kind, value) of every raw string in facts or a part of them; also what tests look for in redacted outputs."""
    if isinstance(value, tuple):
        for item in value:
            yield from raw_values(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name, kind in _marks(type(value)):
            inner = getattr(value, name)
            if kind is None:
                yield from raw_values(inner)
            elif kind != "slip":
                yield from ((kind, text) for text in _strings(inner))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)


def _people(facts: Facts, tokens: Tokens) -> Callable[[str], str]:
    """Replaces names of people that the case's addresses and signatures tell."""
    whole: dict[str, str] = {}
    known: dict[str, str] = {}
    for kind, value in sorted(set(raw_values(facts))):
        if kind == "address" and value:
            token, local = tokens.token("person", domains.key(value)), domains.parts(value)[0]
            for form in people.forms(local):
                whole.setdefault(form, token)
            for word in people.single(local):
                known.setdefault(word, token)
        elif kind == "name" and value != facts.header.organisation:
            for word in people.of_names([value]):
                known.setdefault(word, tokens.other("name", value))
    return people.remover(known, whole)


def to_clear(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Capitalised words in the released texts of a redacted edition, by where they stand: names that the case cannot
    know are among them, and a person must clear them before release."""
    found = {item.key: item.answer for item in facts.questionnaire.items if item.released and item.kind in _FREE}
    for n, one in enumerate(facts.statements, 1):
        found[f"statements {n}"] = one.claim if one.claim != WITHHELD else None
    for n, action in enumerate(facts.questionnaire.actions, 1):
        found[f"actions {n}"] = action.what if action.what != WITHHELD else None
    for place in facts.places:
        texts = [text for text in (place.operator_then, place.operator_now) if text and text != WITHHELD]
        found[f"operators {place.suffix}"] = "; ".join(texts)
    listed = {key: people.left(_TOKEN.sub("", text)) for key, text in found.items() if text}
    return {key: words for key, words in listed.items() if words}


_FREE = ("text", "list")
_TOKEN = re.compile(r"\b(?:person|domain|name|server|id|file|network-address)-[0-9a-f]{8,}[\w.\-]*")
