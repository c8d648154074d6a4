"""The index misses nothing that a comparison of all pairs would find."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.detector.candidates import anchored, find
from forensics.detector.slips import classify

SMALL = st.from_regex(r"[abc]{3,7}(-[ab]{1,3})?(\.[abc]{2,4})?\.(com|co|mil|ml|co\.uk|uk|comx)", fullmatch=True)
LONG = st.from_regex(r"[ab]{6,8}\.(com|de)", fullmatch=True)


@given(st.lists(SMALL, max_size=12), st.lists(SMALL, max_size=12))
@settings(max_examples=150, deadline=None)
def test_equals_all_pairs(typed: list[str], known: list[str]) -> None:
    found = {(c.typed, c.meant): c.slip for c in find(typed, known)}
    for a in set(typed):
        for b in set(known):
            slip = classify(a, b)
            # Two wrong letters are looked for in long registered labels behind one suffix only.
            if slip is not None and slip.kind != "two-edits":
                assert found.get((a, b)) == slip
    assert all(classify(a, b) == slip for (a, b), slip in found.items())


@given(st.lists(LONG, max_size=10))
@settings(max_examples=100, deadline=None)
def test_two_wrong_letters_in_long_names(names: list[str]) -> None:
    found = {(c.typed, c.meant) for c in find(names, names)}
    for a in set(names):
        for b in set(names):
            if a.partition(".")[2] == b.partition(".")[2] and classify(a, b) is not None:
                assert (a, b) in found


def test_watched_zone_suggests_names_nobody_wrote_to() -> None:
    by = {c.typed: c for c in find(["dla.ml", "us.af.ml", "office.com"], ["us.af.mil"], ["mil"])}
    assert (by["dla.ml"].meant, by["dla.ml"].seen) == ("dla.mil", False)
    assert (by["us.af.ml"].meant, by["us.af.ml"].seen) == ("us.af.mil", True)
    assert "office.com" not in by


def test_order_and_repetition_do_not_matter() -> None:
    rng = random.Random(7)
    names = [f"{''.join(rng.choices('abcdefgh', k=6))}.com" for _ in range(300)]
    again = names[:]
    rng.shuffle(again)
    assert find(names, names) == find(again + names[:9], again)


def test_nothing_is_its_own_candidate_and_empty_is_fine() -> None:
    assert find(["navy.mil"], ["navy.mil"]) == []
    assert find([], ["navy.mil"]) == [] and find(["navy.ml"], []) == []
    assert find(["a", "", "x" * 300 + ".com"], ["a.bcdef", "navy.mil"]) == []


def test_an_address_known_elsewhere_suggests_what_names_alone_do_not() -> None:
    alike = [
        ("vger.kernel", "vger.kernel.org", "netdev"),
        ("vger.stable.com", "vger.kernel.org", "stable"),
        ("list.example0001-some-file.patch", "list.example", "dev"),
        ("navy.ml", "army.mil", "officer1"),
        ("navy.ml", "navy.mil", "officer1"),
    ]
    near = find(["navy.ml"], ["navy.mil"])
    found = {(c.typed, c.meant): c.slip.kind for c in anchored(alike, near)}
    assert found == {
        ("vger.kernel", "vger.kernel.org"): "long-cut",
        ("vger.stable.com", "vger.kernel.org"): "mixed-words",
        ("list.example0001-some-file.patch", "list.example"): "long-paste",
    }
