"""Slips: what counts as one, how probable it is, and that the words fit."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forensics.detector import channel, words
from forensics.detector.confusables import skeleton
from forensics.detector.keyboards import LAYOUTS, adjacent, neighbours
from forensics.detector.slips import FAR, KINDS, SHARES, classify

CASES = [
    ("navy.ml", "navy.mil", "omitted-letter", "suffix"),
    ("huwei.com", "huawei.com", "omitted-letter", "name"),
    ("frescale.com", "freescale.com", "omitted-double", "name"),
    ("alttera.com", "altera.com", "repeated-letter", "name"),
    ("oracxle.com", "oracle.com", "inserted-letter", "name"),
    ("nvay.mil", "navy.mil", "transposed-letters", "name"),
    ("navy.mli", "navy.mil", "transposed-letters", "suffix"),
    ("redhar.com", "redhat.com", "substituted-letter", "name"),
    ("albion-defense.uk", "albion-defence.uk", "sound-alike", "name"),
    ("gmail.co", "gmail.com", "truncated-tail", "suffix"),
    ("alien8.d", "alien8.de", "truncated-tail", "suffix"),
    ("fb.comi", "fb.com", "trailing-garbage", "suffix"),
    ("intel.com.com", "intel.com", "trailing-garbage", "suffix"),
    ("linaro.com", "linaro.org", "suffix-swap", "suffix"),
    ("arm.con", "arm.com", "substituted-letter", "suffix"),
    ("ibm.cmo", "ibm.com", "transposed-letters", "suffix"),
    ("zacarias.com.ar", "zacarias.com.br", "suffix-typo", "suffix"),
    ("contoso-marine.co", "contoso-marine.co.uk", "lost-level", "suffix"),
    ("treasury.gov", "treasury.gov.uk", "lost-level", "suffix"),
    ("usaf.mil", "us.af.mil", "missing-dot", "whole"),
    ("cornelis.networks.com", "cornelisnetworks.com", "extra-dot", "whole"),
    ("intel..com", "intel.com", "extra-dot", "suffix"),
    ("us.ibmc.om", "us.ibm.com", "moved-dot", "whole"),
    ("northwindaero.com", "northwind-aero.com", "hyphen", "name"),
    ("linux-intel.com", "linux.intel.com", "hyphen", "whole"),
    ("redhat,com", "redhat.com", "punctuation", "whole"),
    ("n\u0430vy.mil", "navy.mil", "lookalike", "name"),
    ("rnicrosoft.com", "microsoft.com", "lookalike", "name"),
    ("linux.vnet.com", "linux.vnet.ibm.com", "subdomain", "whole"),
    ("kernel.vger.org", "vger.kernel.org", "reordered-labels", "whole"),
    ("canb.auug.org.au", "cab.auug.org.au", "inserted-letter", "subdomain"),
    ("x.nhs.net", "x.nhs.uk", "suffix-swap", "suffix"),
    ("nhs.net", "nhs.uk", "suffix-swap", "suffix"),
    ("x.gov.com", "x.gov.uk", "suffix-swap", "suffix"),
    ("x.ac.com", "x.ac.uk", "suffix-swap", "suffix"),
    ("x.uk.com", "x.co.uk", "suffix-swap", "suffix"),
    ("critix.com", "citrix.com", "moved-letter", "name"),
    ("uniissoc.com", "unisoc.com", "repeated-letter", "name"),
    ("wmvarre.com", "vmware.com", None, None),
    ("diplomatie.gouv.ml", "navy.mil", None, None),
    ("orangemali.ml", "mail.mil", None, None),
]


@pytest.mark.parametrize(("typed", "meant", "kind", "part"), CASES, ids=[f"{c[0]}<{c[1]}" for c in CASES])
def test_kind_and_place(typed: str, meant: str, kind: str | None, part: str | None) -> None:
    from forensics.domains import a_label

    slip = classify(a_label(typed), a_label(meant))
    assert (slip and slip.kind, slip and slip.part) == (kind, part)
    if slip is not None:
        assert slip.log10 < 0
        assert slip.words and not slip.words.endswith(".")


def test_nothing_is_a_slip_of_itself() -> None:
    assert classify("navy.mil", "navy.mil") is None
    assert classify("", "navy.mil") is None


def test_shares_are_probabilities_as_published() -> None:
    published = {kind: share for kind, share in SHARES.items() if kind not in (*FAR, "moved-letter")}
    assert sum(published.values()) == pytest.approx(1.0, abs=0.03)
    family = {"left-out": 0.26, "replaced": 0.07, "swapped": 0.11}
    sums: dict[str, float] = {}
    for kind, share in published.items():
        if kind not in ("truncated-tail", "lookalike"):
            sums[channel.GROUPS[kind]] = sums.get(channel.GROUPS[kind], 0) + share
    assert {name: sums[name] for name in family} == pytest.approx(family, abs=0.01)
    assert set(channel.GROUPS) == set(KINDS) == set(words.NAMES)


NAME = st.from_regex(r"[a-z]{8,12}\.(com|mil|co\.uk|de)", fullmatch=True)


@given(NAME, st.integers(0, 30))
def test_one_letter_left_out_is_found(meant: str, at: int) -> None:
    label, _, suffix = meant.partition(".")
    at %= len(label)
    typed = f"{label[:at]}{label[at + 1 :]}.{suffix}"
    slip = classify(typed, meant)
    assert slip is not None and channel.GROUPS[slip.kind] == "left-out"


@given(NAME, st.integers(0, 30))
def test_two_letters_swapped_are_found(meant: str, at: int) -> None:
    label, _, suffix = meant.partition(".")
    at %= len(label) - 1
    assume(label[at] != label[at + 1])
    typed = f"{label[:at]}{label[at + 1]}{label[at]}{label[at + 2 :]}.{suffix}"
    slip = classify(typed, meant)
    assert slip is not None and slip.kind == "transposed-letters"


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_taken(typed: str, meant: str) -> None:
    slip = classify(typed, meant)
    assert slip is None or (slip.kind in KINDS and slip.log10 < 0)


def test_keyboards_are_mutual_and_differ() -> None:
    for rows in LAYOUTS.values():
        for key in "".join(rows):
            assert all(key in neighbours(other) for other in neighbours(key))
    assert adjacent("z", "t") and adjacent("r", "e") and not adjacent("p", "q")


def test_skeletons_meet_only_where_eyes_do() -> None:
    assert skeleton("paypa1.com") == skeleton("paypal.com")
    assert skeleton("navy.mil") != skeleton("army.mil")


def test_channel_believes_a_long_name_more_than_a_short_one() -> None:
    from forensics.detector.weighing import parameters

    fitted = parameters().channel

    def weight(typed: str, meant: str) -> float:
        slip = classify(typed, meant)
        assert slip is not None
        return channel.weight(typed, meant, slip, fitted)

    assert weight("linuxfounation.org", "linuxfoundation.org") > weight("hp.com", "hpe.com")
    assert weight("huawei.coma", "huawei.com") > weight("huawei.cn", "huawei.com")
    assert weight("quicnic.com", "quicinc.com") > weight("ni.com", "ti.com")
