"""What is shown and what is inferred: no word claims more, and what is not known is not counted as known."""

from __future__ import annotations

import re
from dataclasses import replace

from forensics.report.redaction import redact
from forensics.report.text import blocks as b
from forensics.report.text import document, onepage, passages, pieces
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
CLAIMS = re.compile(
    r"\bprov(?:es?|en|ed)\b|\bproof\b|by hand\b(?! as| with|.?$)|\bwas meant for\b|what the logs prove", re.I
)


def test_no_sentence_claims_more_than_logs_show() -> None:
    allowed = ("byhand.", "forms.", "answers.", "html.section.annex_f", "html.footer")
    for key, entry in WORDS.entries.items():
        forms = entry.values() if isinstance(entry, dict) else (entry,)
        if not key.startswith(allowed):
            assert not any(CLAIMS.search(form) for form in forms), f"{key}: {entry}"


def test_what_is_shown_and_what_is_inferred_is_said() -> None:
    facts = made.facts(40)
    said = " ".join(b.plain(x) for x in passages.numbers(facts, WORDS))
    assert "Shown by the logs" in said and "Inferred: that another address was meant" in said


def test_an_unknown_is_told_apart_from_an_answer() -> None:
    answers = {"exposed": {"special_categories": "unknown", "credentials": "yes", "marking": "Not known."}}
    facts = made.facts(5, case=made.casefile(questionnaire=answers))
    assert (facts.questionnaire.answered, facts.questionnaire.unknown) == (3, 2)
    assert pieces.answered(WORDS, facts.questionnaire) == "3 of 41 required items answered, of which 2 “unknown”"
    told = document.compose(facts, made.context(facts))
    assert told.foot_left.endswith("of which 2 “unknown”")
    exposed = next(point for point in onepage.points(facts, WORDS) if point.anchor == "exposed")
    assert "Questions of this section: 3 of 10 answered, of which 2 “unknown”." in b.plain(exposed.spans)
    assert redact(facts, b"k" * 32).questionnaire.unknown == 2


def test_who_held_a_lookalike_domain_is_asked_where_its_own_server_accepted() -> None:
    facts = made.facts(40)
    assert [one.domain for one in facts.holders] == ["contoso-marin.com"]
    said = " ".join(b.plain(x) for x in passages.where(facts, WORDS))
    assert (
        "Who held contoso-marin.com, whose own server accepted mail or was sent it, at the time is NOT YET ANSWERED"
        in said
    )
    operators = [{"domain": "contoso-marin.com", "then": "A. Registrant", "now": "nobody"}]
    told = made.facts(40, case=made.casefile(questionnaire={**made.QUESTIONNAIRE, "operators": operators}))
    said = " ".join(b.plain(x) for x in passages.where(told, WORDS))
    assert "Holder or registrant of contoso-marin.com: at the time of sending A. Registrant; now nobody." in said
    hidden = " ".join(b.plain(x) for x in passages.where(redact(told, b"k" * 32), WORDS))
    assert "Registrant;" not in hidden and "contoso" not in hidden


def test_the_first_sentence_claims_only_what_a_person_confirmed() -> None:
    from forensics.report.text import prose

    some = made.facts(40, verdicts=[made.CONFIRM])
    assert "on the weight of the evidence" in b.plain(prose.position(some, WORDS)).split(". ")[0]
    groups = replace(some.groups, suspected=made.facts(0).groups.suspected)
    assert "on the weight" not in b.plain(prose.position(replace(some, groups=groups), WORDS)).split(". ")[0]
