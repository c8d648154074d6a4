"""Paste-ready answer sheets for authorities' forms: one for each regime that applies, else ICO, DD Form 2959, Art. 33.

The forms cannot be saved half-way and forbid personal data. Each sheet lists the form's fields in their order
with what the logs prove and what the investigator has answered; what nobody has answered stands as NOT YET
ANSWERED. Sources of the fields: the ICO's personal data breach report form; DD Form 2959 (February 2013);
GDPR Art. 33(1) and (3) to (5); NIS2 Art. 23(4); Delegated Regulation (EU) 2025/301, Art. 1 to 4 (without what the
standard forms of Implementing Regulation (EU) 2025/302 ask beyond them); Form 8-K, Item 1.05; 45 CFR 164.404(c).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from forensics.report import facts as f
from forensics.report.facts import people
from forensics.report.facts.searched import NOTHING_SEARCHED
from forensics.report.text import blocks as b
from forensics.report.text import clocks, passages, personal, pieces, prose
from forensics.report.text.context import Context
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words

WORD_CAP = 150
"""Words that items 2.a and 2.b of DD Form 2959 hold."""

CAPPED = {("dd2959", "what_happened"), ("dd2959", "taken")}


@dataclass(frozen=True)
class Sheet:
    """What a field's answer is made from."""

    facts: f.Facts
    words: Words
    regime: f.Regime | None = None
    """The regime that the sheet is for; None where the case names none."""

    def item(self, key: str) -> str:
        """The investigator's answer, or NOT YET ANSWERED."""
        item = self.facts.questionnaire[key]
        return b.plain(pieces.answer(self.words, item, self.facts.header.timezone))

    def listed(self, key: str) -> str:
        """The answer as a list of one line each, where it has several parts."""
        item = self.facts.questionnaire[key]
        parts = item.answer.split("; ") if item.answer else []
        return "\n".join(f"- {part}" for part in parts) if len(parts) > 1 else self.item(key)

    def labelled(self, key: str) -> str:
        """The answer behind a label of a word or two, for fields that several items answer."""
        return self.words(
            "answers.labelled", label=self.words(f"answers.label.{key}"), answer=_ended(self.item(key), ".")
        )


def _ended(text: str, sign: str = ":") -> str:
    return text if text.endswith((".", "?", "!", ":")) else text + sign


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _what_happened(s: Sheet) -> str:
    """The investigator's own words, then the draft from the logs."""
    own = s.facts.questionnaire["account.what_happened"]
    told = _ended(s.item("account.what_happened"), ".") if own.answered else s.words("answers.own_words_missing")
    return _joined(told, b.plain(prose.position(prose.unnamed(s.facts), s.words)))


def _searched(s: Sheet) -> bool:
    """Whether there was anything in which nothing could be found."""
    return s.facts.coverage.search not in NOTHING_SEARCHED


def _counts(s: Sheet) -> str:
    words, head = s.words, s.facts.groups.headline
    if not s.facts.header.found:
        outbound = prose.noun(words, "deliveries", s.facts.coverage.weighed.value)
        return words("answers.counts_none", outbound=outbound) if _searched(s) else words("answers.not_searched")
    counts = words(
        "answers.counts",
        messages=prose.noun(words, "messages", head.messages.value),
        deliveries=prose.noun(words, "deliveries", head.deliveries.value),
        senders=prose.noun(words, "senders", head.senders.value),
        recipients=prose.noun(words, "recipients", head.recipients.value),
        accepted=head.exposed.value,
        refused=head.not_exposed.value,
        handed_on=head.handed_on.value,
        unsettled=head.unsettled.value,
    )
    return _joined(counts, b.plain(prose.content_sent(s.facts, words)))


def _records(s: Sheet) -> str:
    return _joined(s.words("answers.records", records=s.item("exposed.records")), _counts(s))


def _subjects(s: Sheet) -> str:
    return s.words("answers.subjects", subjects=s.item("exposed.subjects"))


def _window(s: Sheet) -> str:
    head, zone = s.facts.groups.headline, s.facts.header.timezone
    if head.first is None or head.last is None:
        return s.words("answers.window_none" if _searched(s) else "answers.not_searched")
    first, last = (prose.when(s.words, moment, zone) for moment in (head.first, head.last))
    return s.words("answers.window", first=first, last=last)


def _where(s: Sheet) -> str:
    words = s.words
    if not s.facts.places:
        return words("answers.window_none" if _searched(s) else "answers.not_searched")
    named = [
        words(
            "answers.place",
            suffix=place.suffix,
            country=place.country_name or words("answers.place_generic" if place.exists else "answers.place_nowhere"),
            n=prose.noun(words, "deliveries", place.deliveries.value),
            accepted=place.accepted.value,
        )
        for place in s.facts.places
    ]
    return _joined(words("answers.places", places="; ".join(named)), b.plain(prose.content_sent(s.facts, words)))


def _type(s: Sheet) -> str:
    """Theft, loss or compromise: named only where the logs show that something was accepted."""
    head = s.facts.groups.headline
    if head.exposed.value:
        return s.words("answers.dod_type", n=head.exposed.value)
    if not head.deliveries.value:
        return s.words("answers.window_none" if _searched(s) else "answers.not_searched")
    return _joined(s.words("answers.dod_type_open"), b.plain(prose.content_sent(s.facts, s.words)))


def _encrypted(s: Sheet) -> str:
    head = s.facts.groups.headline
    tls = b.plain((passages.tls if head.exposed.value else prose.none_accepted)(s.facts, s.words))
    return _joined(tls, s.words("answers.content_protected", answer=s.item("exposed.protected")))


def _taken(s: Sheet) -> str:
    block = s.facts.containment
    proof = unknown = ""
    if block.state in ("holds", "broken", "unreviewed"):
        proof = s.words(
            "answers.holds",
            accepted=block.accepted_after.value,
            suspected=block.suspected_after.value,
            refused=block.refused_after.value,
        )
        if block.unknown_after.value:
            unknown = s.words("containment.holds_unknown", n=block.unknown_after.value)
    return _joined(_ended(s.item("measures.taken"), "."), s.labelled("measures.blocked_at"), proof, unknown)


def _taken_and_planned(s: Sheet) -> str:
    return _joined(_taken(s), s.labelled("measures.planned"))


def _deadline(s: Sheet) -> str:
    deadline = s.facts.clock.deadline
    return s.words("answer.missing") if deadline is None else _when(s, deadline)


def _when(s: Sheet, moment: datetime) -> str:
    return prose.when(s.words, moment, s.facts.header.timezone)


def _items(first: str, *more: str) -> Callable[[Sheet], str]:
    """The item that the field asks for; what belongs to it follows behind a label."""
    if not more:
        return lambda s: s.item(first)
    return lambda s: _joined(_ended(s.item(first), "."), *(s.labelled(key) for key in more))


def _list(key: str) -> Callable[[Sheet], str]:
    return lambda s: s.listed(key)


def _indicators(s: Sheet) -> str:
    """The domains that mail went to, one line each."""
    typed = dict.fromkeys(incident.slip.typed for incident in s.facts.incidents if incident.tally.deliveries.value)
    return "\n".join(f"- {name}" for name in typed) or s.words(
        "answers.window_none" if _searched(s) else "answers.not_searched"
    )


def _reported(step: str) -> Callable[[Sheet], str]:
    """When a step of the sheet's regime was done."""

    def dated(s: Sheet) -> str:
        steps = [one for one in (s.regime.steps if s.regime else ()) if one.key == step]
        return (clocks.moment(s.facts, steps[0].done, s.words) if steps else "") or s.words("answer.missing")

    return dated


def _clocks(s: Sheet) -> str:
    """What the regime asks, and by when: the table of clocks in lines."""
    regime = s.regime
    if regime is None:
        return ""
    lines = [
        s.words(
            "answers.clock",
            step=step.title,
            provision=step.provision,
            due=b.plain(clocks.due(s.facts, regime, step, s.words)),
            state=b.plain(clocks.state(s.facts, step, s.words)),
        )
        for step in regime.steps
    ]
    return "\n".join((*lines, "", b.plain(clocks.note(regime, s.words))))


def _wording(key: str) -> Callable[[Sheet], str]:
    return lambda s: s.words(key)


_COMMON: dict[str, Callable[[Sheet], str]] = {
    "aware_at": _items("discovery.aware_at", "discovery.aware_basis"),
    "before": _items("measures.before"),
    "cause": _items("account.cause"),
    "consequences": _items("consequences.likely"),
    "contact": _wording("answers.by_hand"),
    "cross_border": _items("notification.cross_border"),
    "cyber": _wording("answers.unknown_cyber"),
    "malicious": _wording("answers.unknown_cyber"),
    "advice": _items("consequences.advice"),
    "authority": _items("notification.authority", "notification.authority_reference"),
    "cause_listed": _items("account.cause_listed"),
    "data_categories": _list("exposed.data_categories"),
    "indicators": _indicators,
    "deadline": _deadline,
    "decision": _items("notification.decision", "notification.decision_reasons"),
    "delay": _items("discovery.delay_reasons"),
    "discovered_at": _items("discovery.discovered_at"),
    "discovered_how": _items("discovery.discovered_how"),
    "encrypted": _encrypted,
    "happened_at": _window,
    "high_risk": _items("consequences.high_risk", "consequences.high_risk_reasons"),
    "marking": _items("exposed.marking"),
    "medium": _wording("answers.email"),
    "operations": _items("consequences.operations"),
    "others_told": _items("notification.others_told"),
    "people_told": _items("notification.people_told"),
    "planned": _items("measures.planned"),
    "recipients": _items("recipients.contacted", "recipients.deletion_confirmed"),
    "records": _records,
    "reference": _items("report.reference"),
    "report_type": _items("report.status"),
    "special": _items("exposed.special_categories"),
    "subject_categories": _list("exposed.subject_categories"),
    "subjects": _subjects,
    "taken": _taken,
    "training": _items("measures.training"),
    "type": _type,
    "us_cert_at": _reported("us-cert"),
    "us_cert_number": _items("notification.us_cert_number"),
    "what_happened": _what_happened,
    "where": _where,
}
_OWN = {("dd2959", "taken"): _taken_and_planned}

FORMS = ("ico", "dd2959", "art33", "nis2", "dora", "sec", "hipaa")
UNNAMED = ("ico", "dd2959", "art33")
"""Sheets of a case that does not say which regimes apply."""


def fields(form: str, words: Words) -> tuple[str, ...]:
    """The form's fields in order, as the wording lists them. Raises KeyError for one that no answer is known for."""
    prefix = f"answers.{form}."
    keys = tuple(key.removeprefix(prefix) for key in words.entries if key.startswith(prefix))
    for key in keys:
        _COMMON[key]
    return keys


def capped(text: str, limit: int = WORD_CAP) -> tuple[str, int, int]:
    """(text of at most `limit` words, its words, words before). Cut behind a sentence where one fits.

    >>> capped("One two. Three four five.", 4)
    ('One two.', 2, 5)
    >>> capped("One two three", 2)
    ('One two', 2, 3)
    """
    parts = text.split()
    if len(parts) <= limit:
        return text, len(parts), len(parts)
    kept = parts[:limit]
    ends = [index for index, word in enumerate(kept, 1) if word.endswith((".", "!", "?")) and len(word) > 2]
    kept = kept[: ends[-1]] if ends else kept
    return " ".join(kept), len(kept), len(parts)


def sheet(form: str, facts: f.Facts, words: Words, regime: f.Regime | None = None) -> str:
    """One form's answers as plain text: nothing in an answer is marked up, so it can be pasted as it stands."""
    remove = personal.remover(facts, words("answers.withheld"))
    source = Sheet(facts, words, regime)
    q = facts.questionnaire
    digest = pieces.answered(words, q)
    title = words(f"answers.title.{form}")
    lines = [
        title,
        "=" * len(title),
        "",
        words("answers.note"),
        "",
        words(f"answers.source.{form}"),
        "",
        words("answers.fields", digest=facts.header.case_state[:16], count=digest),
    ]
    if regime is not None:
        heading = words("answers.clocks")
        lines += ["", "", heading, "-" * len(heading), _shown(remove(_clocks(source)))]
    own = _vocabulary(words)
    to_clear: dict[str, None] = {}
    for key in fields(form, words):
        answer = remove(_OWN.get((form, key), _COMMON[key])(source))
        note = ""
        if (form, key) in CAPPED:
            answer, n, total = capped(answer)
            pattern = "answers.words" if n == total else "answers.cut"
            note = words(pattern, n=n, limit=WORD_CAP, total=total)
        to_clear |= dict.fromkeys(word for word in people.left(answer) if word.lower() not in own)
        heading = words(f"answers.{form}.{key}")
        lines += ["", "", heading, "-" * len(heading), _shown(answer)]
        if note:
            lines += ["", f"({note})"]
    if to_clear:
        heading = words("answers.to_clear")
        lines += ["", "", heading, "-" * len(heading), visible(", ".join(to_clear))]
    return "\n".join(lines) + "\n"


def _vocabulary(words: Words) -> frozenset[str]:
    """Words that the report itself uses: they name nobody."""
    forms = (
        form for entry in words.entries.values() for form in ([entry] if isinstance(entry, str) else entry.values())
    )
    return frozenset(word.lower() for form in forms for word in re.findall(r"[^\W\d_]+", form))


def _shown(answer: str) -> str:
    return "\n".join(visible(line) for line in answer.split("\n"))


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """File name → sheet: one for each regime that the case names, or those of `UNNAMED`."""
    if not facts.regimes:
        return {f"{form}.txt": sheet(form, facts, context.words).encode("utf-8") for form in UNNAMED}
    return {
        f"{regime.key}.txt": sheet(regime.sheet, facts, context.words, regime).encode("utf-8")
        for regime in facts.regimes
    }
