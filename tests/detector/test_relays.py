"""Whose server accepted: the lookalike's own, or one that hands mail on."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, store
from forensics.case import Case
from forensics.casefile import CaseFile
from forensics.detector import detect
from forensics.detector.relays import entrance, outbound_service, services
from tests.detector.material import Row, everyday, mail, view

OWN = "albion.example"


def exposure(rows: list[Row], **settings: Any) -> str:
    """What became of the one mistyped delivery of these rows."""
    case = CaseFile.model_validate({"organisation": {"domains": [OWN]}, "domains": settings})
    (one,) = [f for f in detect(view(rows), case).findings.to_pylist() if f["observed_domain"] == "navy.ml"]
    return str(one["exposure"])


def slip(**relay: Any) -> list[Row]:
    return mail(f"ada@{OWN}", "officer1@navy.ml", day=10.5, message="slip", **relay) + mail(
        f"ada@{OWN}", "officer1@navy.mil", day=10.6, message="again"
    )


def partners(count: int = 12, **relay: Any) -> list[Row]:
    return [row for n in range(count) for row in mail(f"dan@{OWN}", f"x@partner{n}.example", day=n, **relay)]


@pytest.mark.parametrize(
    "relay",
    [
        {},
        {"relay_name": "navy-ml.mail.protection.outlook.com"},
        {"relay_name": "navy-ml.o-v1.mx.microsoft"},
        {"relay_name": "mx.parking.example"},
        {"relay_name": None, "relay_address": "203.0.113.9"},
        {"relay_name": "eu-smtp-inbound-1.mimecast.com"},
    ],
)
def test_by_mx_the_one_that_accepted_is_the_lookalike_s(relay: dict[str, Any]) -> None:
    assert exposure(everyday() + partners() + slip(**relay)) == "exposed"


def test_also_when_it_serves_other_lookalikes_and_some_others() -> None:
    shared = {"relay_name": "mx.hosting.example"}
    others = mail(f"ben@{OWN}", "clerk1@shipyard.co", day=3, **shared)
    others += mail(f"ben@{OWN}", "clerk1@shipyard.co.uk", day=4)
    others += mail(f"dan@{OWN}", "x@hosted1.example", "x@hosted2.example", day=5, **shared)
    assert exposure(everyday() + partners() + others + slip(**shared)) == "exposed"


@pytest.mark.parametrize(
    "relay",
    [
        {"relay_name": None, "relay_address": None},
        {"relay_name": "Outbound to Mimecast", "relay_address": None},
        {"relay_name": "spamassassin", "relay_address": None},
        {"relay_name": "eu-smtp-outbound-1.mimecast.com"},
        {"relay_name": "d1234.o.ess.barracudanetworks.com"},
        {"relay_name": "albion-example.mail.protection.outlook.com"},
        {"relay_name": "gw2.albion.example", "relay_address": "10.0.0.2"},
        {"relay_name": "localhost", "relay_address": "127.0.0.1"},
    ],
)
def test_what_leaves_open_who_got_it(relay: dict[str, Any]) -> None:
    assert exposure(everyday() + partners() + slip(**relay)) == "handed-on"


def test_a_fixed_next_hop_takes_the_mail_of_most() -> None:
    smart = {"relay_name": "smtp1.example.net"}
    assert exposure(everyday() + partners(40, **smart) + slip(**smart)) == "handed-on"
    assert exposure(everyday() + partners(40, relay_name="smtp2.example.net") + slip(**smart)) == "handed-on"


def test_a_host_that_also_took_mail_for_the_domain_meant() -> None:
    one = {"relay_name": "relay.somewhere.example"}
    meant = mail(f"ben@{OWN}", "officer2@navy.mil", day=1, **one)
    assert exposure(everyday() + partners(40) + meant + slip(**one)) == "handed-on"


def test_people_extend_the_list() -> None:
    one = {"relay_name": "out.service.example"}
    assert exposure(everyday() + partners() + slip(**one)) == "exposed"
    assert exposure(everyday() + partners() + slip(**one), shared_relays=["*.service.example"]) == "handed-on"


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("EU-SMTP-outbound-2.mimecast.com.", "Mimecast"),
        ("us-smtp-inbound-1.mimecast.com", None),
        ("outbound-us1.ppe-hosted.com", "Proofpoint"),
        ("mx1-us1.ppe-hosted.com", None),
        ("mx0a-00123456.pphosted.com", None),
        ("cluster5out.eu.messagelabs.com", "Symantec Email Security.cloud (MessageLabs)"),
        ("cluster5.eu.messagelabs.com", None),
        ("d1234.o.ess.uk.barracudanetworks.com", "Barracuda Email Gateway Defense"),
        ("d1234a.ess.barracudanetworks.com", None),
        ("ob1.hc1234-56.iphmx.com", "Cisco Secure Email Cloud Gateway"),
        ("mx1.hc1234-56.iphmx.com", None),
        ("company.relay.tmes.trendmicro.eu", "Trend Micro Email Security"),
        ("company.in.tmes.trendmicro.eu", None),
        ("relay.antispameurope.com", "Hornetsecurity"),
        ("outbound1.spamtitan.com", "SpamTitan (TitanHQ)"),
        ("mail-eopbgr10042.outbound.protection.outlook.com", "Microsoft 365, outbound pools"),
        ("outbound.mimecast.com.evil.example", None),
        ("evil-outbound-mimecast.com", None),
        ("mx.navy.ml", None),
        (None, None),
    ],
)
def test_listed_services_for_outgoing_mail_alone(host: str | None, service: str | None) -> None:
    assert outbound_service(host) == service


def test_the_list_is_dated_and_says_where_it_comes_from() -> None:
    data = tomllib.loads(files("forensics.detector").joinpath("outbound.toml").read_text("utf-8"))
    assert date.fromisoformat(data["reviewed"]) >= date(2026, 1, 1)
    assert len(services()) == len(data["services"]) >= 9
    assert all(one.zones and one.marks and "http" in one.source for one in services())
    assert {one["checked"] for one in data["services"]} <= {"vendor", "seen", "to be checked"}


@pytest.mark.parametrize(
    ("host", "domain", "sure"),
    [
        ("contoso-com.mail.protection.outlook.com", "contoso.com", 2),
        ("CONTOSO-com.mail.protection.outlook.com.", "contoso.com", 2),
        ("contoso-com.mail.protection.outlook.com", "con-toso.com", 1),
        ("con-toso-com.mail.protection.outlook.com", "con-toso.com", 2),
        ("contoso-com01b.mail.protection.outlook.com", "con-toso.com", 1),
        ("contoso-com.mail.protection.outlook.com.evil.example", "contoso.com", 0),
        ("evil-contoso-com.mail.protection.outlook.com", "contoso.com", 0),
        ("contoso-com.mail.protection.outlook.com", "", 0),
        (None, "contoso.com", 0),
    ],
)
def test_entrances_of_exchange_online(host: str | None, domain: str, sure: int) -> None:
    assert entrance(host, domain) == sure


def test_a_lookalike_that_differs_by_a_hyphen_has_its_own_entrance() -> None:
    rows = [dict(row) for row in everyday() + partners()]
    rows += mail(
        f"ada@{OWN}", "clerk1@ship-yard.co.uk", day=10, relay_name="ship-yard-co-uk.mail.protection.outlook.com"
    )
    case = CaseFile.model_validate({"organisation": {"domains": [OWN, "shipyard.co.uk"]}, "detection": {"prior": 0.5}})
    found = [f for f in detect(view(rows), case).findings.to_pylist() if f["observed_domain"] == "ship-yard.co.uk"]
    assert {f["exposure"] for f in found} <= {"exposed"}


@pytest.mark.parametrize("name", ["own-exchange-online-tenant", "third-party-relay-targeted-export"])
def test_known_arrangements(name: str, data: Path, tmp_path: Path) -> None:
    """Exchange's own tracking logs, through the organisation's tenant and through a service."""
    pipeline.ingest([data / "exposure" / f"{name}.log"], tmp_path / "case", org=["contoso.com"])
    with (tmp_path / "case" / "case.toml").open("a") as file:
        file.write("[detection]\nprior = 0.99\n")  # fifteen deliveries alone are too few for level high, which counts
    detected = pipeline.detect(tmp_path / "case")
    assert (detected.exposed, detected.handed_on) == (0, 1)
    assert "0 accepted by the server there, 1 handed on (final acceptance unknown)" in detected.verdict
    found = store.read(Case(tmp_path / "case"), "findings").to_pylist()
    told = [(f["observed_domain"], f["exposure"]) for f in found if f["level"] != "low"]
    assert told == [("fabrikan.com", "handed-on")]
