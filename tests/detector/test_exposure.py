"""What became of it, under whose registry, and which story it belongs to."""

from __future__ import annotations

import pytest

from forensics import schema
from forensics.detector.exposure import exposure, is_shared, jurisdiction, story
from forensics.detector.freemail import is_freemail


def test_every_outcome_has_an_exposure() -> None:
    found = {outcome: exposure(outcome, False) for outcome in schema.OUTCOMES}
    assert set(found.values()) <= set(schema.EXPOSURES)
    assert found["delivered"] == "exposed" and exposure("delivered", True) == "handed-on"
    assert {found[o] for o in ("bounced", "expired", "rejected", "discarded")} == {"not-exposed"}
    assert {found[o] for o in ("deferred", "unknown", "held")} == {"unsettled"}


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("navy.ml", "ML"),
        ("x.gouv.ml", "ML"),
        ("navy.mil", "US"),
        ("nasa.gov", "US"),
        ("mit.edu", "US"),
        ("mod.gov.uk", "GB"),
        ("contoso.co.uk", "GB"),
        ("europa.eu", "EU"),
        ("nato.int", None),
        ("x.com", None),
        ("navy.mli", None),
        ("x.xn--p1ai", None),
    ],
)
def test_jurisdiction(domain: str, code: str | None) -> None:
    assert jurisdiction(domain) == code


def test_story_is_told_of_suffixes_only() -> None:
    assert story("navy.ml", "navy.mil", "suffix") == ".mil → .ml"
    assert story("contoso.co", "contoso.co.uk", "suffix") == ".co.uk → .co"
    assert story("fb.comi", "fb.com", "suffix") == ".com → .comi"
    assert story("intel..com", "intel.com", "suffix") is None
    assert story("nvay.mil", "navy.mil", "name") is None


def test_shared_relays_by_name_zone_and_address() -> None:
    assert is_shared("out.relay.example", None, {"relay.example"}, ())
    assert is_shared("Out.Relay.Example.", None, (), {"out.relay.example"})
    assert is_shared(None, "192.0.2.9", {"192.0.2.9"}, ())
    assert not is_shared("notrelay.example", "192.0.2.9", {"relay.example"}, ())
    assert is_shared(None, None, (), ())
    assert is_shared("", "", (), ())


def test_mistyped_providers_are_no_providers() -> None:
    assert all(map(is_freemail, ("gmail.com", "yahoo.co.uk", "gmx.at", "web.de")))
    assert not any(map(is_freemail, ("gmail.co", "yaho.com", "yahoo.co", "hotmail.cm", "navy.mil")))
