"""Letters name nobody but their addressee, hold no subject, and warn first."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.report import redaction, writing
from forensics.report.facts import Facts, tallies
from forensics.report.formats import letters
from tests.report import made

KEY = bytes(range(32))
SHORT = tuple(value for value in made.HOSTILE if len(value) < 1000)


@cache
def facts(count: int = 60, hostile: bool = False, confirmed: bool = False) -> Facts:
    pairs = made.PAIRS if confirmed else ()
    verdicts = [replace(made.CONFIRM, observed_domain=typed, intended_domain=meant) for typed, meant, _, _ in pairs]
    return made.facts(count, SHORT if hostile else (), verdicts=verdicts)


def written(of: Facts) -> dict[str, str]:
    context = replace(made.context(of), tokens=redaction.names(of, KEY))
    return {name: text.decode() for name, text in letters.render(of, context).items()}


def test_one_file_for_each_addressee() -> None:
    head = tallies.headline(facts().findings)
    names = list(written(facts()))
    kinds = [name.partition("-")[0] for name in names]
    assert kinds.count("sender") == len({x.sender for x in head})
    assert kinds.count("intended") == len({x.intended_address for x in head})
    assert kinds.count("recipient") == len({x.slip.typed for x in head if x.exposure == "exposed"})
    assert {"people.txt", "README.txt"} <= set(names)


def test_file_names_are_tokens_of_the_case() -> None:
    for name in written(facts(60, True)):
        assert re.fullmatch(r"((recipient-domain|sender-person|intended-person)-[0-9a-f]{8,}|people|README)\.txt", name)


def test_the_tokens_are_those_of_the_redacted_edition() -> None:
    hidden = redaction.redact(facts(), KEY)
    for one, redacted in zip(facts().findings, hidden.findings, strict=True):
        if one.state in ("confirmed", "suspected"):
            name = f"sender-{redacted.sender.partition('@')[0]}.txt"
            assert f"To: {one.sender}" in written(facts())[name]


def test_spellings_of_one_address_share_a_letter() -> None:
    changes = {x.sender: x.sender.upper() for x in facts().findings[:30:2]}
    mixed = replace(
        facts(),
        findings=tuple(
            replace(x, sender=changes.get(x.sender, x.sender)) if n % 3 else x for n, x in enumerate(facts().findings)
        ),
    )
    head = tallies.headline(mixed.findings)
    names = [name for name in written(mixed) if name.startswith("sender-")]
    assert len(names) == len({x.sender.lower() for x in head})
    texts = [" ".join(text.split()) for name, text in written(mixed).items() if name.startswith("sender-")]
    told = sum(text.count(", to an address at ") for text in texts)
    assert told == len([x for x in head if x.sender])


@pytest.mark.parametrize("hostile", [False, True])
def test_no_letter_has_subject_or_anybody_elses_address(hostile: bool) -> None:
    found = facts(60, hostile)
    own = {"dpo@albion-logistics.example"}
    for name, text in written(found).items():
        to = re.search(r"^To: (.*)$", text, re.MULTILINE)
        rest = text.replace(to[0], "") if to else text
        for x in found.findings:
            assert not x.subject or len(x.subject) < 5 or x.subject not in rest, name
            assert not x.message_id or x.message_id not in text, name
            for address in {x.sender, x.recipient, x.intended_address or ""} - own:
                assert not address or address not in text or (to and address in to[1]), (name, address)


def test_the_letter_to_a_holder_warns_first_and_bears_no_mail_address() -> None:
    for name, text in written(facts(60, True)).items():
        if name.startswith("recipient"):
            assert "@" not in text
            before, _, letter = text.partition("not part of the letter ----")
            assert "may have registered it" in before
            assert "Deletion destroys evidence" in before
            assert "never the mistyped address" in " ".join(letter.split())
            for meant in {x.slip.meant for x in facts(60, True).findings}:
                assert not re.search(rf"(?<![\w.-]){re.escape(meant)}(?![\w.-])", letter), (
                    "tells whom the mail was meant for"
                )


def test_nothing_accepted_no_letter_to_the_holder() -> None:
    refused = {x.slip.typed for x in facts().findings} - {
        x.slip.typed for x in facts().findings if x.exposure == "exposed"
    }
    assert refused == {"navy.mli"}
    assert not [name for name, text in written(facts()).items() if name.startswith("recipient") and "navy.mli" in text]


def test_suspected_mail_is_not_told_as_a_fact() -> None:
    suspected, confirmed = written(facts(10)), written(facts(10, False, True))
    for kind, not_sure, sure in (
        ("sender", "appears to have gone", "that went"),
        ("intended", "was probably meant", "that was meant"),
    ):
        for texts, phrase in ((suspected, not_sure), (confirmed, sure)):
            told = [" ".join(text.split()) for name, text in texts.items() if name.startswith(kind)]
            assert told
            assert all(phrase in text for text in told)


def test_article_34_has_its_four_items_answered_or_open() -> None:
    text = " ".join(written(facts())["people.txt"].split())
    assert "What happened: mail of ours" in text
    assert "What this may mean for you: Travel details may have become known." in text
    assert "What we have done and will do: The route was blocked. [NOT YET ANSWERED: Measures planned]" in text
    assert "Whom to ask: Data protection officer" in text


def test_names_that_the_case_knows_are_left_out_of_answers() -> None:
    told = {**made.QUESTIONNAIRE, "measures": {"taken": "R. Examiner asked s1.grant to stop."}}
    text = " ".join(written(made.facts(10, case=made.casefile(questionnaire=told)))["people.txt"].split())
    assert "Examiner" not in text
    assert "grant" not in text
    assert "[name left out] asked [name left out] to stop." in text


def test_hostile_values_are_written_out() -> None:
    for name, text in written(facts(60, True)).items():
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text), name


def test_they_do_not_exist_in_the_redacted_edition() -> None:
    with pytest.raises(UsageError, match="does not exist in the redacted edition"):
        writing.chosen("letters", "redacted")
    with pytest.raises(ValueError, match="tokens"):
        letters.render(facts(), made.context(facts()))


def test_nothing_found_no_letters(tmp_path: Path) -> None:
    assert list(written(made.facts(0))) == ["README.txt"]


def test_who_wrote_to_a_list_is_told_so_and_not_to_mend_an_address_book() -> None:
    """The wrong address stands in the list: its sender made no slip, and can remove nothing."""
    through = {"origin": "list", "original_recipient": "ops-desk@albion-logistics.example"}
    listed = replace(facts(), findings=tuple(replace(x, **through) for x in facts().findings))
    typed = [x for x in tallies.headline(facts().findings) if x.origin == "typed"]
    sender = next(x.sender for x in typed if sum(y.sender == x.sender for y in typed) > 1)
    one = next(x.ref for x in typed if x.sender == sender)
    mixed = replace(facts(), findings=tuple(replace(x, **through) if x.ref == one else x for x in facts().findings))
    for of, own in ((listed, False), (mixed, True), (facts(), True)):
        text = " ".join(next(t for name, t in written(of).items() if f"To: {sender}" in t and "sender" in name).split())
        assert ("remove the wrong address from your address book" in text) == own
        assert ("You did not write to that domain yourself" in text) == (not own)
        assert ("through a list or alias that you wrote to" in text) == (of is not facts())


def test_the_letter_of_article_34_tells_no_suspicion_as_a_fact_and_no_open_outcome_as_a_refusal() -> None:
    suspected, confirmed = written(facts(10))["people.txt"], written(facts(10, False, True))["people.txt"]
    assert "appears to have gone to an e-mail domain" in " ".join(suspected.split())
    assert "suspected: 0" not in " ".join(suspected.split())
    assert "went to an e-mail domain" in " ".join(confirmed.split())
    handed_on = replace(facts(10), findings=tuple(replace(x, exposure="handed-on") for x in facts(10).findings))
    told = " ".join(written(handed_on)["people.txt"].split())
    assert "none was accepted" not in told
    assert "accepted there is not known" in told


AFTER = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"


def test_people_concerned_are_told_what_had_been_sent_before_it_was_refused() -> None:
    def told(of: Facts) -> str:
        return " ".join(written(of)["people.txt"].split())

    sent = made.facts(10, refused=True, refused_with=AFTER)
    n = len({x.message for x in tallies.headline(sent.findings)})
    assert f"none was accepted by the mail server there. {n} had been sent to the mail server there" in told(sent)
    unknown = made.facts(10, refused=True, refused_with="554 by policy")
    assert f"Of {n} that were not accepted it is not known whether anything had been sent" in told(unknown)
    never = told(made.facts(10, refused=True))
    assert "none was accepted by the mail server there." in never
    assert "been sent" not in never
    some = told(made.facts(10, refused_with=AFTER))
    assert "were accepted by the mail servers there" in some
    assert "had been sent to the mail server there" in some


def test_a_message_counts_once_as_the_worst_of_its_deliveries() -> None:
    one = made.facts(10, refused_with=AFTER)
    together = replace(one, findings=tuple(replace(x, message="m") for x in one.findings))
    text = " ".join(written(together)["people.txt"].split())
    assert "1 was accepted by the mail server there" in text
    assert "had been sent" not in text
