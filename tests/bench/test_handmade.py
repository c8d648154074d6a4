"""Hand-made cases hold what they say; categories, peers and the terms of relays are told rightly of them."""

from __future__ import annotations

import pytest

from forensics.detector import weighing
from tests.bench import categories, fit, handmade, peers, relay_terms, scoring
from tests.bench.labelled import Corpus

Made = tuple[Corpus, dict[str, tuple[str, str]]]


@pytest.fixture(scope="module")
def made() -> Made:
    return handmade.corpus()


def test_every_case_is_there(made: Made) -> None:
    corpus, case_of = made
    assert len(case_of) == len(handmade.CASES) * handmade.EACH
    slips = {typed: partner for typed, (case, partner) in case_of.items() if handmade.CASES[case].slip}
    assert corpus.mere() == slips and not corpus.mixed()
    known = {case: {r.typed for r in corpus.pairs.itertuples(index=False)} for case in handmade.CASES}
    assert all(typed in known[case] for typed, (case, _) in case_of.items())


def test_the_same_seed_gives_the_same_messages() -> None:
    assert handmade.made(7) == handmade.made(7) != handmade.made(8)


def test_categories_are_those_of_the_cases(made: Made) -> None:
    corpus, case_of = made
    marks = categories.of(corpus)
    assert {names for key, names in marks.items() if case_of[key[3]][0] == "slip, homograph"} == {
        frozenset({"IDN", "writer knows the address"})
    }
    assert {names for key, names in marks.items() if case_of[key[3]][0] == "slip, long cut"} == {
        frozenset({"long cut", "writer knows the address"})
    }
    assert {names for key, names in marks.items() if case_of[key[3]][0] == "slip, turned away"} == {
        frozenset({"new person"})
    }
    assert set().union(*marks.values()) <= set(categories.CATEGORIES)


def test_terms_turn_scores_the_way_they_say(made: Made) -> None:
    """A domain that does not exist is rather a slip, one on the partner's own server rather the partner's."""
    corpus, case_of = made
    using = weighing.parameters()
    with_, without = (
        {r.typed: r.score for r in relay_terms.judged(corpus, using, blank, fit.PRIOR)} for blank in ((), fit.MODELLED)
    )
    for typed, (case, _) in case_of.items():
        if case in ("slip, no such domain", "slip, takes no mail", "slip, gone when asked", "slip, parked when asked"):
            assert with_[typed] > without[typed]
        if case == "second name, the partner's server":
            assert with_[typed] <= without[typed]
        if case in ("slip, taken by a stranger", "twin, taken"):
            assert with_[typed] == pytest.approx(without[typed], abs=0.01)


def test_rules_accuse_what_they_say(made: Made) -> None:
    corpus, case_of = made
    # What another tool makes of these names takes a minute, and nothing here depends on it.
    rules = {name: rule for name, rule in peers.rules().items() if not name.startswith("dnstwist")}
    counts = peers.counted([corpus], rules)
    told = peers.table(counts, [])
    one_edit = sum(case.typed is handmade.CASES["twin, taken"].typed for case in handmade.CASES.values())
    # Homographs and accents are one letter apart, where names are read in their own letters only.
    assert told["one edit, never sends mail"]["precision"]["of"] == one_edit * handmade.EACH
    assert told["watch list, used less"]["recall"]["hits"] == 6 * handmade.EACH
    assert sum(name.startswith("Jaro-Winkler") for name in told) == 1
    assert told["this detector"]["precision"] == scoring.exact(0, 0)
    assert all(slips == 9 * handmade.EACH for (_, what), slips in counts.items() if what == "slips")
    assert len(case_of) >= max(n for (_, what), n in counts.items() if what == "accused")
