"""Letters, as drafts in plain text, one file an addressee: to holders of mistyped domains, senders, those whom the mail
was meant for, and the people concerned (GDPR Art. 34(2)).

No letter holds a subject, a content, a Message-ID or the local part of anybody's address but the addressee's own. What
people wrote in the questionnaire passes through the filter for names that the answer sheets use. The letter to the
holder of a mistyped domain bears no mail address at all. File names are tokens.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from forensics import domains
from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.text import personal, pieces
from forensics.report.text.context import Context
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import Words

_WIDTH = 78
_TIMES = 60
"""Times that a letter to a sender lists."""
_VALUE = 320
"""Characters of an address or a domain; no working one is longer (RFC 5321, 4.5.3.1)."""


@dataclass(frozen=True)
class Draft:
    """A letter to be written. `kind`: recipient, sender, intended or people; `addressee`: as tokens name it; `found`:
    the findings that it speaks of."""

    kind: str
    addressee: str
    found: tuple[f.Finding, ...]


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """File name → letter. Raises ValueError without the case's tokens, which name the files."""
    if context.tokens is None:
        raise ValueError("letters need the tokens of the case")
    words = context.words
    made = {f"{_file(draft, context.tokens)}.txt": written(facts, words, draft)[1] for draft in drafts(facts)}
    made["README.txt"] = words.pattern("letters.readme").strip() + "\n"
    return {name: text.encode("utf-8", "backslashreplace") for name, text in sorted(made.items())}


def _file(draft: Draft, tokens: Mapping[tuple[str, str], str]) -> str:
    if draft.kind == "people":
        return draft.kind
    return f"{draft.kind}-{tokens['domain' if draft.kind == 'recipient' else 'person', draft.addressee]}"


def drafts(facts: f.Facts) -> Iterator[Draft]:
    """Every letter of the case, by kind and addressee."""
    head = tallies.headline(facts.findings)
    accepted = [x for x in head if x.exposure in tallies.ACCEPTED]
    yield from _by("recipient", accepted, lambda x: domains.a_label(x.slip.typed))
    yield from _by("sender", head, lambda x: domains.key(x.sender) if x.sender else "")
    yield from _by("intended", head, lambda x: domains.key(x.intended_address) if x.intended_address else "")
    if head:
        yield Draft("people", "", tuple(head))


def written(facts: f.Facts, words: Words, draft: Draft) -> tuple[str, str]:
    """(whom the letter is for, the letter with what to know before sending it)."""
    return _WRITTEN[draft.kind](facts, words, draft.found)


def _by(kind: str, found: Sequence[f.Finding], key: Callable[[f.Finding], str]) -> Iterator[Draft]:
    """Findings by a value, in order of the value; those without it left out."""
    grouped: dict[str, list[f.Finding]] = {}
    for finding in found:
        if value := key(finding):
            grouped.setdefault(value, []).append(finding)
    for value, own in sorted(grouped.items()):
        yield Draft(kind, value, tuple(own))


def _recipient(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> tuple[str, str]:
    shown = visible(cut(found[0].slip.typed, _VALUE))
    sure = {"was": _sure(words, "recipient", found), "meant": _sure(words, "recipient.meant", found)}
    body = words("letters.recipient.body", domain=shown, **sure, **_which(facts, words, found))
    to = words("letters.recipient.to", domain=shown)
    return to, _letter(facts, words, "recipient", to, body, words("letters.recipient.warning", **_states(found)))


def _sender(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> tuple[str, str]:
    zone = ZoneInfo(facts.header.timezone)
    # Who wrote to a list that holds the wrong address made no slip, and has nothing to remove from an address book.
    own = {x.ref for x in tallies.own(found)}
    listed = "\n".join(
        words(
            "letters.time" if x.ref in own else "letters.time_list",
            at=f"{x.submitted_at.astimezone(zone):%Y-%m-%d %H:%M} ({facts.header.timezone})",
            domain=visible(cut(x.slip.typed, _VALUE)),
            outcome=pieces.became(words, x, "letters.outcome"),
        )
        for x in found[:_TIMES]
    )
    if len(found) > _TIMES:
        listed += "\n- " + words("content.more", n=len(found) - _TIMES)
    body = words(
        "letters.sender.body" if own else "letters.sender.body_list",
        messages=_messages(words, found),
        went=_sure(words, "sender", found),
        list=listed,
        contact=_answer(facts, words, "report.contact"),
    )
    to = visible(cut(found[0].sender, _VALUE))
    return to, _letter(facts, words, "sender", to, body, words("letters.sender.warning", **_states(found)))


def _intended(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> tuple[str, str]:
    reached = sum(x.also_to_meant or x.resent_at is not None for x in found)
    body = words(
        "letters.intended.body",
        was=_sure(words, "intended", found),
        again=words("letters.intended.again", n=reached) if reached else "",
        contact=_answer(facts, words, "report.contact"),
        **_which(facts, words, found),
    )
    to = visible(cut(found[0].intended_address or "", _VALUE))
    return to, _letter(facts, words, "intended", to, body)


def _people(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> tuple[str, str]:
    remove = personal.remover(facts, words("letters.withheld"))
    named = next((one.named_authority or one.authority for one in facts.regimes), "")
    authority = facts.questionnaire["notification.authority"].answer or named

    def told(key: str) -> str:
        return remove(_answer(facts, words, key))

    body = words(
        "letters.people.body",
        went=_sure(words, "people", found),
        accepted=_became(words, found),
        categories=told("exposed.data_categories"),
        consequences=told("consequences.likely"),
        measures=told("measures.taken"),
        planned=told("measures.planned"),
        advice=told("consequences.advice"),
        contact=_answer(facts, words, "report.contact"),
        authority=words("letters.people.authority", name=visible(authority)) if authority else "",
        **_which(facts, words, found),
    )
    to = words("letters.people.to")
    return to, _letter(facts, words, "people", to, body, words("letters.people.warning", **_states(found)))


_REACHED: tuple[tuple[str, Callable[[f.Finding], bool]], ...] = (
    ("accepted", lambda x: x.exposure in tallies.ACCEPTED),
    ("sent", tallies.was_sent),
    ("open", lambda x: x.exposure not in (*tallies.ACCEPTED, "not-exposed")),
    ("unknown", tallies.may_have_been),
)
"""What a message may have come to, the most serious first: it counts once, as the worst of its deliveries."""


def _became(words: Words, found: Sequence[f.Finding]) -> str:
    """Whether anybody may have the messages: what was accepted, what had been sent before a refusal, what is open."""
    counted: set[str] = set()
    said: dict[str, str] = {}
    for key, reached in _REACHED:
        own = {x.message for x in found if reached(x)} - counted
        counted |= own
        if own:
            said[key] = words(f"letters.people.{key}", n=len(own))
    if not said.keys() & {"accepted", "open"}:
        said = {"none_accepted": words("letters.people.none_accepted")} | said
    return " ".join(said.values())


_WRITTEN: dict[str, Callable[[f.Facts, Words, Sequence[f.Finding]], tuple[str, str]]] = {
    "recipient": _recipient,
    "sender": _sender,
    "intended": _intended,
    "people": _people,
}


def _which(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> dict[str, str]:
    """How many messages and when, in days of the organisation's own zone."""
    zone = ZoneInfo(facts.header.timezone)
    days = [x.submitted_at.astimezone(zone).date() for x in found]
    first, last = words.day(min(days)), words.day(max(days))
    key = "letters.on_day" if first == last else "letters.between"
    return {"messages": _messages(words, found), "period": words(key, first=first, last=last)}


def _messages(words: Words, found: Sequence[f.Finding]) -> str:
    return words("letters.messages", n=len({x.message for x in found}))


def _states(found: Sequence[f.Finding]) -> dict[str, int]:
    confirmed = sum(x.state == "confirmed" for x in found)
    return {"confirmed": confirmed, "suspected": len(found) - confirmed}


def _sure(words: Words, kind: str, found: Sequence[f.Finding]) -> str:
    """How it is said that mail was misdirected: as a fact only where a person confirmed all of it."""
    return words(f"letters.{kind}.{'suspected' if _states(found)['suspected'] else 'confirmed'}")


def _answer(facts: f.Facts, words: Words, key: str) -> str:
    item = facts.questionnaire[key]
    if not item.answer:
        return words("letters.missing", question=words(f"item.{key}.question"))
    return visible(" ".join(item.answer.split()))


def _letter(facts: f.Facts, words: Words, kind: str, to: str, body: str, warning: str | None = None) -> str:
    """What to know before sending it first, then the letter."""
    h = facts.header
    organisation = visible(h.organisation) or words("letters.one_place")
    reference = visible(h.reference or words("answer.missing"))
    parts = [
        h.handling and visible(h.handling),
        words("letters.draft"),
        words(f"letters.{kind}.warning") if warning is None else warning,
        words("letters.cut"),
        organisation,
        words("letters.to", to=to),
        words("letters.reference", reference=reference),
        words("letters.date"),
        body,
        words("letters.signed", organisation=organisation),
    ]
    return "\n\n".join(_wrapped(part) for part in parts if part) + "\n"


def _wrapped(text: str) -> str:
    """Each line of a text as a paragraph of its own width; items of a list hang."""
    out = []
    for line in text.split("\n"):
        hang = "  " if line.startswith("- ") else "   " if line[:1].isdigit() and line[1:3] == ". " else ""
        out.append(
            "\n".join(
                textwrap.wrap(line, _WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
            )
        )
    listed = [line[:2] == "- " or (line[:1].isdigit() and line[1:3] == ". ") for line in out]
    joined = out[0]
    for number in range(1, len(out)):
        joined += ("\n" if listed[number] else "\n\n") + out[number]
    return joined
