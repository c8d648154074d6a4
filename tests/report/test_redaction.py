"""The redacted edition: nothing raw in any format, the same numbers, tokens that only the case's key can make."""

from __future__ import annotations

import io
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pypdf
import pytest

from forensics.case import Case
from forensics.errors import CaseError
from forensics.report import facts as module
from forensics.report import redaction
from forensics.report.facts import Facts, Number, people
from forensics.report.redaction import redact
from forensics.report.text import prose
from forensics.report.text.visible import visible
from forensics.report.text.wording import load
from forensics.report.writing import FORMATS, FULL_ONLY
from tests.report import made

KEY = bytes(range(32))
WORDS = load()
HOSTILE = tuple(value for value in made.HOSTILE if len(value) < 1000)


@cache
def full() -> Facts:
    return made.facts(60, HOSTILE, verdicts=[made.CONFIRM])


@cache
def redacted() -> Facts:
    return redact(full(), KEY)


KEPT = {"Official – Sensitive", "*.mil", "initial", "undecided", "40", "12"}
"""Marked values that stay on purpose: the handling marking, watched zones, answers that are choices or counts."""


@cache
def raw() -> dict[str, str]:
    """Raw value → kind: everything the facts of the full edition mark, and the parts of addresses."""
    out = {}
    for kind, value in redaction.raw_values(full()):
        if value in KEPT or value.startswith("2023-04-0") or (kind == "name" and people.is_role(value)):
            continue
        out[value] = kind
        if kind == "address" and "@" in value:
            out[value.rpartition("@")[0]] = "local part"
    return {value: kind for value, kind in out.items() if len(value) > 2}


def texts(name: str, rendered: Any) -> Iterator[str]:
    """Everything readable in an output, member by member."""
    if not isinstance(rendered, bytes):
        for member, content in rendered.items():
            yield member
            yield from texts(member, content)
    elif rendered.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(rendered)) as package:
            for member in package.namelist():
                yield member
                yield package.read(member).decode("utf-8", "replace")
    elif rendered.startswith(b"%PDF"):
        document = pypdf.PdfReader(io.BytesIO(rendered))
        yield json.dumps(dict(document.metadata or {}), default=str)
        yield "".join("".join(page.extract_text().split()) for page in document.pages)
        yield rendered.decode("latin-1")
    else:
        yield rendered.decode("utf-8")


def every_text(hidden: Facts) -> Iterator[tuple[str, str]]:
    """(format, text) of all that the redacted edition is written in."""
    context = made.context(hidden)
    for name in sorted(FORMATS.keys() - set(FULL_ONLY)):
        for text in texts(
            name, import_module(f"forensics.report.formats.{FORMATS[name].module}").render(hidden, context)
        ):
            yield name, text


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - set(FULL_ONLY)))
def test_no_raw_value_is_in_any_format(name: str) -> None:
    module = import_module(f"forensics.report.formats.{FORMATS[name].module}")
    context = made.context(redacted())
    rendered = module.render(redacted(), context)
    held = [text.lower() for text in texts(name, rendered)]
    words = " ".join(context.words.pattern(key, 1) for key in context.words.entries).lower()
    for value, kind in raw().items():
        for form in {value, visible(value), unicodedata.normalize("NFC", value), json.dumps(value)[1:-1]}:
            sought = form.lower()
            if len(sought) < 4 or sought in words:
                continue  # A word of the report itself says nothing about the case.
            packed = "".join(sought.split()) if name == "pdf" else sought
            assert not [1 for text in held if sought in text or packed in text], f"{kind} {value[:60]!r} is in {name}"


def test_the_search_itself_finds_raw_values_in_the_full_edition() -> None:
    """Whatever the test above looks for, it would find."""
    html = import_module("forensics.report.formats.html").render(full(), made.context(full())).decode()
    seen = [value for value in raw() if value in html]
    assert len(seen) > 60


def numbers(value: Any) -> list[int]:
    if isinstance(value, Number):
        return [value.value]
    if isinstance(value, tuple):
        return [n for part in value for n in numbers(part)]
    if hasattr(value, "__dataclass_fields__"):
        return [n for field in fields(value) for n in numbers(getattr(value, field.name))]
    return []


def test_the_numbers_stay() -> None:
    assert numbers(redacted()) == numbers(full())
    assert [x.exposure for x in redacted().findings] == [x.exposure for x in full().findings]
    assert [p.country_name for p in redacted().places] == [p.country_name for p in full().places]


def test_suffixes_and_slips_within_them_stay_and_others_go() -> None:
    by = {x.delivery_id: x for x in full().findings}
    assert by
    for before, after in zip(full().findings, redacted().findings, strict=True):
        assert after.slip.typed.rpartition(".")[2] == before.slip.typed.rpartition(".")[2]
        assert after.recipient.rpartition(".")[2] == before.recipient.rpartition(".")[2]
        letters = "".join(piece.typed for piece in after.slip.segments)
        assert letters in ("", "….ml", "….mli")
        if letters == "….ml":
            assert prose.slip(WORDS, after.slip) == prose.slip(WORDS, before.slip) == "the letter “i” left out of .mil"
        assert after.submitted_at.second == 0
        assert (after.subject, after.response, after.size_bytes) == (None, None, None)
        assert {r.text for r in after.reasons} == {""}


def test_one_value_has_one_token_and_another_case_another() -> None:
    senders = {before.sender: after.sender for before, after in zip(full().findings, redacted().findings, strict=True)}
    assert len(set(senders.values())) == len(senders)
    other = redact(full(), b"\1" * 32)
    tokens = {part for x in redacted().findings for part in (x.sender, x.recipient, x.delivery_id, x.message)}
    assert not tokens & {part for x in other.findings for part in (x.sender, x.recipient, x.delivery_id, x.message)}
    assert redact(full(), KEY) == redacted()


def test_released_text_is_shown_with_known_values_replaced() -> None:
    case = made.casefile()
    released = {
        **made.QUESTIONNAIRE,
        "account": {
            "what_happened": "S1.GRANT@albion-logistics.example wrote to navy.ml from mx1; "
            "ask bob@example.net, 203.0.113.9.",
            "cause": "x",
        },
        "release": ["account.what_happened", "statements"],
    }
    facts = made.facts(20, case=case.model_copy(update={"questionnaire": released}))
    after = redact(facts, KEY)
    answer = after.questionnaire["account.what_happened"].answer
    assert answer is not None
    assert "wrote to" in answer
    for name in ("grant", "albion", "navy", "mx1", "bob", "203.0.113.9"):
        assert name not in answer.lower()
    assert after.questionnaire["account.cause"].answer is None
    assert after.questionnaire["account.cause"].answered
    assert after.statements[0].claim == "Only a small number of mails were sent."
    assert redact(made.facts(20), KEY).statements[0].claim == redaction.WITHHELD


def test_the_key_stays_in_the_case_and_is_the_same_next_time(tmp_path: Path) -> None:
    case = Case(tmp_path)
    first = redaction.key(case)
    assert len(first) == 32
    assert redaction.key(case) == first
    path = tmp_path / redaction.KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("not a key")
    with pytest.raises(CaseError, match=r"redaction\.key"):
        redaction.key(case)


HARMLESS = set(
    """
    Attested.at Attested.digest Attested.kind HandedOver.at Said.on Clock.disorder Clock.state Containment.state Contested.verdict Coverage.search Coverage.unread_files Coverage.unread_reasons Evidence.content_sha256 Evidence.file_sha256
    Evidence.loader Evidence.packing Evidence.ref Evidence.time_basis Finding.exposure Finding.incident Finding.level
    Finding.origin Finding.outcome Finding.ref Finding.state Finding.status_code Finding.story Gateway.system
    Header.case_state Header.edition Header.handling Header.status Header.tables_digest Header.timezone Header.verify Header.version
    Incident.findings Incident.intended_country Incident.observed_country Incident.ref Incident.state
    Incident.story Level.name Looked.registered Looked.state Loss.kind LossTotal.kind UnreadKind.evidence UnreadKind.reason Item.demanded_by Item.key Item.kind Item.section Method.evaluated_on Method.libraries
    Method.parameters Method.settings_digest Method.suffix_list_digest Method.version Number.query Place.country
    Place.country_name Place.suffix Questionnaire.release Rate.measure Rate.name Raw.kind Reason.name
    Record.evidence Ruling.verdict Segment.kind Segment.meant Segment.typed Signal.meaning Signal.name Slip.kind
    Statement.basis Statement.check Statement.lacks Statement.result Statement.threshold Statement.values Story.incidents
    Story.ref Story.suffixes
    """.split()  # noqa: SIM905 - sixty names read better as a paragraph
)
"""Strings that may stand unmarked: codes, references, digests, versions, what `redaction` treats apart (segments,
thresholds, queries of gateways), and what says nothing about a person or a host."""

REGIMES = set(
    """
    Limit.unit Moment.says Regime.applies_to Regime.authority Regime.key Regime.name Regime.note Regime.sheet Regime.short Regime.source Regime.url
    Regime.zone Step.condition Step.key Step.longer_basis Step.provision Step.state Step.title
    """.split()  # noqa: SIM905 - read better as a paragraph
)
"""What the regimes' own files say."""
CONTENT = set(
    """
    Contrast.basis Contrast.item Contrast.values Held.finding Held.opened Held.passwords Held.personal_data Held.protected Held.special
    Mention.group Mention.kind Mention.systems Mention.words
    """.split()  # noqa: SIM905 - read better as a paragraph
)
"""Codes, choices and words of the shipped lists; `redaction` treats the markings of a case's own apart."""
SINCE = {
    *(f"Changes.{name}" for name in ("case_state", "digest", "evidence_added", "evidence_gone", "gone", "status")),
    *("Count.key", "Moved.before", "Moved.now", "Restated.key"),
}
"""Digests, references, codes."""


def test_every_string_of_the_facts_is_marked_or_known_to_be_harmless() -> None:
    """A new field that can hold a raw value must be marked."""
    unmarked = set()
    for name, kind in vars(module).items():
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__.startswith(module.__name__):
            hints = get_type_hints(kind, include_extras=True)
            unmarked |= {f"{name}.{field}" for field, hint in hints.items() if holds_text(hint)}
    # A number's deliveries are replaced with it, the origins of a tally are codes.
    assert (
        unmarked - {"Number.deliveries", "Tally.origins", "Coverage.outcomes"} == HARMLESS | REGIMES | CONTENT | SINCE
    )


def holds_text(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return not any(isinstance(mark, module.Raw) for mark in hint.__metadata__) and holds_text(hint.__origin__)
    return hint is str or any(holds_text(part) for part in get_args(hint))


@pytest.mark.parametrize(
    ("own", "domain", "ending"),
    [
        ((), "navy.mil", "mil"),
        ((), "shop.contoso.co.uk", "co.uk"),
        ((), "navy.mli", "mli"),
        ((), "albion.local", "local"),
        # A last label that no registry has is anybody's name.
        ((), "mail.albion", ""),
        ((), "navy.boyd", ""),
        (("corp.albion",), "corp.albion", ""),
        # A suffix that is the domain itself, or whose first label anybody may choose (the list's rule *.ck).
        ((), "police.uk", "uk"),
        ((), "albion.ck", "ck"),
        ((), "mail.albion.ck", "ck"),
        ((), "mil", ""),
        ((), "mailhost", ""),
        # A suffix that is the organisation's own.
        (("police.uk",), "police.uk", "uk"),
        (("police.uk",), "met.police.uk", "uk"),
        (("mil",), "navy.mil", ""),
        (("mil",), "navy.ml", "ml"),
        (("albion.github.io",), "albion.github.io", "io"),
        (("albion.github.io",), "mail.albion.github.io", "io"),
    ],
)
def test_an_ending_names_nobody(own: tuple[str, ...], domain: str, ending: str) -> None:
    tokens = redaction.Tokens(KEY, own, told=["mli"])
    assert tokens.ending(domain) == ending
    shown = tokens.domain(domain)
    assert shown.partition(".")[2] == ending and shown.startswith("domain-")
    assert tokens.address(f"j.doe@{domain}").endswith(f"@{shown}")


@pytest.mark.parametrize("typed", ["navy.boyd", "boyd", "navy.mil\u202e"])
def test_an_ending_that_no_registry_has_is_shown_only_where_it_is_one_slip(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.mli` for `.mil` is how it happened; the name behind the last dot may as well be somebody's."""
    monkeypatch.setattr(made, "PAIRS", (*made.PAIRS, (typed, "navy.mil", "two-edits", None)))
    own = made.facts(30)
    ending = typed.rpartition(".")[2]
    assert {ending, "mli"} <= {place.suffix for place in own.places}
    hidden = redact(own, KEY)
    assert {"mli", "ml"} <= {place.suffix for place in hidden.places}
    for name, text in every_text(hidden):
        assert not re.search(rf"(?<!\w){re.escape(visible(ending))}(?!\w)", text), name


def test_watched_zones_stay_unless_they_are_the_organisation() -> None:
    assert redaction.Tokens(KEY).domain("*.mil") == "*.mil"
    assert redaction.Tokens(KEY).domain("*.gov.uk") == "*.gov.uk"
    assert redaction.Tokens(KEY, ("mil",)).domain("*.mil").startswith("domain-")
    assert redaction.Tokens(KEY, ("gov.uk",)).domain("*.gov.uk").startswith("domain-")
    assert redaction.Tokens(KEY).domain("*.albion.ck").startswith("domain-")


def moved(value: Any, domain: str) -> Any:
    """The same facts of an organisation with another domain."""
    if isinstance(value, str):
        return value.replace("albion-logistics.example", domain)
    if isinstance(value, tuple):
        return tuple(moved(part, domain) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: moved(getattr(value, field.name), domain) for field in fields(value)})
    return value


@pytest.mark.parametrize("domain", ["police.uk", "albion.ck", "albion.github.io", "albioncorp"])
def test_an_organisation_that_is_a_suffix_is_named_nowhere(domain: str) -> None:
    own: Facts = moved(made.facts(30, verdicts=[made.CONFIRM]), domain)
    assert domain in own.header.domains and own.findings[0].sender.endswith(domain)
    hidden = redact(own, KEY)
    for name, text in every_text(hidden):
        assert domain not in text.casefold(), name


def test_a_story_of_the_organisations_own_suffix_is_not_told() -> None:
    own = replace(full(), header=replace(full().header, domains=("mil",)))
    hidden = redact(own, KEY)
    assert full().stories[0].suffixes == ("mil", "ml")
    assert redact(full(), KEY).stories[0].suffixes == ("mil", "ml")
    assert all(story.suffixes is None or "mil" not in story.suffixes for story in hidden.stories)
    assert not any(incident.slip.segments for incident in hidden.incidents if incident.slip.meant.count(".") == 0)
    assert ".mil" not in prose.title(hidden, WORDS)
