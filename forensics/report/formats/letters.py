"""Letters, as drafts in plain text, one file an addressee: to holders of mistyped domains, senders, those whom the mail
was meant for, and the people concerned (GDPR Art. 34(2)).

No letter holds a subject, a content, a Message-ID or the local part of anybody's address but the addressee's own. What
people wrote in the questionnaire passes through the filter for names that the answer sheets use. The letter to the
holder of a mistyped domain bears no mail address at all. File names are tokens.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from forensics import domains
from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.text import personal
from forensics.report.text.context import Context
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import Words

_WIDTH = 78
_TIMES = 60
"""Times that a letter to a sender lists."""
_VALUE = 320
"""Characters of an address or a domain; no working one is longer (RFC 5321, 4.5.3.1)."""


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """File name → letter. Raises ValueError without the case's tokens, which name the files."""
    if context.tokens is None:
        raise ValueError("letters need the tokens of the case")
    words = context.words
    made = {f"{name}.txt": text for name, text in _letters(facts, words, context.tokens)}
    made["README.txt"] = words.pattern("letters.readme").strip() + "\n"
    return {name: text.encode("utf-8", "backslashreplace") for name, text in sorted(made.items())}


def _letters(facts: f.Facts, words: Words, tokens: Mapping[tuple[str, str], str]) -> Iterator[tuple[str, str]]:
    head = tallies.headline(facts.findings)
    accepted = [x for x in head if x.exposure in tallies.ACCEPTED]
    for domain, found in _by(accepted, lambda x: domains.a_label(x.slip.typed)):
        yield f"recipient-{tokens['domain', domain]}", _recipient(facts, words, found[0].slip.typed, found)
    for sender, found in _by(head, lambda x: domains.key(x.sender) if x.sender else ""):
        yield f"sender-{tokens['person', sender]}", _sender(facts, words, found[0].sender, found)
    for meant, found in _by(head, lambda x: domains.key(x.intended_address) if x.intended_address else ""):
        address = found[0].intended_address or meant
        yield f"intended-{tokens['person', meant]}", _intended(facts, words, address, found)
    if head:
        yield "people", _people(facts, words, head)


def _by(found: Sequence[f.Finding], key: Callable[[f.Finding], str]) -> Iterator[tuple[str, list[f.Finding]]]:
    """Findings by a value, in order of the value; those without it left out."""
    grouped: dict[str, list[f.Finding]] = {}
    for finding in found:
        if value := key(finding):
            grouped.setdefault(value, []).append(finding)
    yield from sorted(grouped.items())


def _recipient(facts: f.Facts, words: Words, domain: str, found: Sequence[f.Finding]) -> str:
    shown = visible(cut(domain, _VALUE))
    body = words("letters.recipient.body", domain=shown, **_which(facts, words, found))
    to = words("letters.recipient.to", domain=shown)
    return _letter(facts, words, "recipient", to, body, words("letters.recipient.warning", **_states(found)))


def _sender(facts: f.Facts, words: Words, address: str, found: Sequence[f.Finding]) -> str:
    zone = ZoneInfo(facts.header.timezone)
    listed = "\n".join(
        words(
            "letters.time",
            at=f"{x.submitted_at.astimezone(zone):%Y-%m-%d %H:%M} ({facts.header.timezone})",
            domain=visible(cut(x.slip.typed, _VALUE)),
            outcome=words(f"letters.outcome.{x.exposure}"),
        )
        for x in found[:_TIMES]
    )
    if len(found) > _TIMES:
        listed += "\n- " + words("content.more", n=len(found) - _TIMES)
    body = words(
        "letters.sender.body",
        messages=_messages(words, found),
        went=_sure(words, "sender", found),
        list=listed,
        contact=_answer(facts, words, "report.contact"),
    )
    warning = words("letters.sender.warning", **_states(found))
    return _letter(facts, words, "sender", visible(cut(address, _VALUE)), body, warning)


def _intended(facts: f.Facts, words: Words, address: str, found: Sequence[f.Finding]) -> str:
    reached = sum(x.also_to_meant or x.resent_at is not None for x in found)
    body = words(
        "letters.intended.body",
        was=_sure(words, "intended", found),
        again=words("letters.intended.again", n=reached) if reached else "",
        contact=_answer(facts, words, "report.contact"),
        **_which(facts, words, found),
    )
    return _letter(facts, words, "intended", visible(cut(address, _VALUE)), body)


def _people(facts: f.Facts, words: Words, found: Sequence[f.Finding]) -> str:
    accepted = len({x.message for x in found if x.exposure in tallies.ACCEPTED})
    remove = personal.remover(facts, words("letters.withheld"))
    named = next((one.named_authority or one.authority for one in facts.regimes), "")
    authority = facts.questionnaire["notification.authority"].answer or named

    def told(key: str) -> str:
        return remove(_answer(facts, words, key))

    body = words(
        "letters.people.body",
        accepted=words("letters.people.accepted", n=accepted) if accepted else words("letters.people.none_accepted"),
        categories=told("exposed.data_categories"),
        consequences=told("consequences.likely"),
        measures=told("measures.taken"),
        planned=told("measures.planned"),
        advice=told("consequences.advice"),
        contact=_answer(facts, words, "report.contact"),
        authority=words("letters.people.authority", name=visible(authority)) if authority else "",
        **_which(facts, words, found),
    )
    return _letter(facts, words, "people", words("letters.people.to"), body)


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
