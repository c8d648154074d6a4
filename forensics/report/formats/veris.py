"""The incident in the VERIS community schema (verisc 1.4), for sharing without naming anyone.

What neither logs nor investigator say stands as `Unknown`; `plus.missent` holds the numbers, the case-state digest
and the questions still open. The victim is not named: the schema asks for that. Source: VERIS community schema,
verisc-merged.json and verisc-labels.json.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from forensics.report import facts as f
from forensics.report.facts.content import markings
from forensics.report.formats.tables import GROUPS, MEASURES
from forensics.report.text import blocks as b
from forensics.report.text import personal, prose
from forensics.report.text.context import Context
from forensics.report.text.visible import inked, visible
from forensics.report.text.wording import Words

SCHEMA_VERSION = "1.4.0"

_NAMESPACE = uuid.UUID("6f7c1b52-3d1e-5c0a-9a55-0d2f4b8f6f10")
_NO_COUNTRIES = frozenset(("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"))
_NAICS = re.compile(r"(?:00|11|2[1-3]|3[1-3]|4[24589]|5[1-6]|6[12]|7[12]|81|92)\d{0,4}")
_SCALE = (
    (timedelta(minutes=1), "Seconds"),
    (timedelta(hours=1), "Minutes"),
    (timedelta(days=1), "Hours"),
    (timedelta(weeks=1), "Days"),
    (timedelta(days=30), "Weeks"),
    (timedelta(days=365), "Months"),
)


def _span(start: datetime | None, end: datetime | None) -> dict[str, str]:
    """How long, in the schema's own steps."""
    if start is None or end is None or end < start:
        return {"unit": "Unknown"}
    return {"unit": next((unit for limit, unit in _SCALE if end - start < limit), "Years")}


def _status(facts: f.Facts) -> str:
    """Confirmed by a person, suspected, near miss (nothing accepted or open); where all was read, false positive."""
    groups = facts.groups
    if not facts.header.found:
        # An event that logs could not be asked about stays what it was when they were handed in.
        return "False positive" if facts.coverage.search == "read" else "Suspected"
    head = groups.headline
    if not (head.exposed.value or _open(head) or head.content_sent.value):
        return "Near miss"
    return "Confirmed" if groups.confirmed.deliveries.value else "Suspected"


def _open(head: f.Tally) -> int:
    """Deliveries of which the logs do not tell whether a server got them."""
    return head.handed_on.value + head.unsettled.value + head.stage_unknown.value


def _timeline(facts: f.Facts) -> dict[str, Any]:
    head, clock_facts = facts.groups.headline, facts.clock
    first = head.first or facts.coverage.first
    incident: dict[str, Any] = {"year": first.year if first else 1950}
    if first:
        incident |= {"month": first.month, "day": first.day}
    disclosed = head.first_exposed
    return {
        "incident": incident,
        "compromise": _span(head.first, disclosed) if disclosed else {"unit": "NA"},
        "exfiltration": {"unit": "NA"},
        "discovery": _span(disclosed or head.first, clock_facts.discovered_at),
        "containment": _span(clock_facts.discovered_at, facts.containment.blocked_at),
    }


def _count(number: f.Number | None) -> int | None:
    """None: the logs do not tell."""
    return None if number is None else number.value


def _confidentiality(facts: f.Facts) -> dict[str, Any]:
    head = facts.groups.headline
    if head.exposed.value or head.content_sent.value:
        disclosure = "Potentially"
    else:
        disclosure = "Unknown" if _open(head) else "No"
    states = [
        name
        for name, number in (
            ("Transmitted encrypted", head.encrypted),
            ("Transmitted unencrypted", head.unencrypted),
            ("Transmitted", head.encryption_unknown),
        )
        if number is not None and number.value
    ]
    out: dict[str, Any] = {"data_disclosure": disclosure, "state": states or ["Transmitted"]}
    out |= {"data": [{"variety": one} for one in _data(facts)], "data_victim": _victims(facts)}
    records = facts.questionnaire["exposed.records"]
    if records.answer is not None:
        out["data_total"] = int(records.answer)
    return out


_DISCOVERED: dict[str, dict[str, Any]] = {
    "employee": {"internal": {"variety": ["Reported by employee"]}},
    "log-review": {"internal": {"variety": ["Log review"]}},
    "monitoring": {"internal": {"variety": ["Infrastructure monitoring"]}},
    "audit": {"external": {"variety": ["Audit"]}},
    "partner": {"partner": {"variety": ["Other"]}},
    "customer": {"external": {"variety": ["Customer"]}},
    "researcher": {"external": {"variety": ["Security researcher"]}},
    "police": {"external": {"variety": ["Law enforcement"]}},
    "other": {"other": True},
}
_VARIETIES = (
    (r"credential|password|login|key", "Credentials"),
    (r"medical|health|patient", "Medical"),
    (r"bank|iban", "Bank"),
    (r"payment|card", "Payment"),
    (r"contact|name|address|travel|personal|birth|passport|identity|pay", "Personal"),
)
_PEOPLE = (
    (r"employee|staff|service m|soldier|officer|worker", "Employee"),
    (r"customer|client|subscriber", "Customer"),
    (r"partner|contractor|supplier", "Partner"),
    (r"patient", "Patient"),
    (r"student|pupil", "Student"),
)
_CLASSIFIED = re.compile(r"CONFIDENTIAL|SECRET|RESTRICTED|RESTREINT|CONFIDENTIEL")


def _matched(answer: str | None, table: tuple[tuple[str, str], ...]) -> list[str]:
    """Entries of the schema's list for what was answered; `Other` for what it has no entry for."""
    out: list[str] = []
    for part in answer.split("; ") if answer else ():
        hits = [name for pattern, name in table if re.search(pattern, part, re.IGNORECASE)]
        out.extend(hits[:1] or ["Other"])
    return list(dict.fromkeys(out))


def _data(facts: f.Facts) -> list[str]:
    """Varieties of data, as far as people answered; a redacted edition has no answers in words."""
    q = facts.questionnaire
    out = _matched(q["exposed.data_categories"].answer, _VARIETIES)
    if q["exposed.credentials"].answer == "yes":
        out.append("Credentials")
    if q["exposed.special_categories"].answer == "yes":
        out.append("Sensitive Personal")
    if any(_CLASSIFIED.search(one) for one in markings((q["exposed.marking"].answer or "").upper())):
        out.append("Classified")
    return list(dict.fromkeys(out)) or ["Unknown"]


def _victims(facts: f.Facts) -> list[str]:
    return _matched(facts.questionnaire["exposed.subject_categories"].answer, _PEOPLE) or ["Unknown"]


def _victim(facts: f.Facts) -> dict[str, Any]:
    """What the schema asks of the victim short of its name."""
    q = facts.questionnaire
    industry, country = q["report.industry"].answer or "", (q["report.country"].answer or "").upper()
    out: dict[str, Any] = {
        "employee_count": q["report.employees"].answer or "Unknown",
        "industry": industry if _NAICS.fullmatch(industry) else "00",
        "country": [country if _is_country(country) else "Unknown"],
    }
    return out | {"government": ["Unknown" if out["industry"].startswith("92") else "NA"]}


def _is_country(code: str) -> bool:
    """Whether the schema's list has the code: ISO 3166, without what CLDR adds to it."""
    from babel import Locale

    return len(code) == 2 and code in Locale("en").territories and code not in _NO_COUNTRIES


def _error(facts: f.Facts) -> dict[str, Any]:
    origins = {origin for origin, _ in facts.groups.headline.origins}
    varieties = ["Misdelivery"]
    if origins & {"typed", "address-book"}:
        varieties.append("Data entry error")
    if origins & {"list", "automated"}:
        varieties.append("Misconfiguration")
    return {"variety": varieties, "vector": ["Unknown"]}


def incident(facts: f.Facts, words: Words) -> dict[str, Any]:
    """The incident as the schema's object."""
    remove = personal.remover(facts, words("answers.withheld"))
    summary = visible(remove(b.plain(prose.position(prose.unnamed(facts), words))))
    groups, q = facts.groups, facts.questionnaire
    actors = {origin for origin, _ in groups.headline.origins} - {"automated"}
    out: dict[str, Any] = {
        "schema_name": "verisc",
        "schema_version": SCHEMA_VERSION,
        "incident_id": str(uuid.uuid5(_NAMESPACE, facts.header.case_state)),
        "source_id": "missent",
        "security_incident": _status(facts),
        "confidence": "High" if groups.confirmed.deliveries.value else "Medium" if facts.header.found else "None",
        "summary": summary,
        "timeline": _timeline(facts),
        "actor": {"internal": {"variety": ["End-user" if actors else "Unknown"], "motive": ["NA"]}},
        "action": {"error": _error(facts)},
        "asset": {"assets": [{"variety": "S - Mail"}], "cloud": ["Unknown"]},
        "attribute": {"confidentiality": _confidentiality(facts)},
        "discovery_method": _DISCOVERED.get(q["discovery.discovered_by"].answer or "", {"unknown": True}),
        "discovery_notes": visible(remove(q["discovery.discovered_how"].answer or words("answer.missing"))),
        "targeted": "NA",
        "victim": _victim(facts),
        "plus": {
            "missent": {
                "case_state": facts.header.case_state,
                "edition": facts.header.edition,
                "numbers": {g: {m: _count(getattr(getattr(groups, g), m)) for m in MEASURES} for g in GROUPS},
                "places": [
                    {
                        "suffix": place.suffix,
                        "country": place.country,
                        "deliveries": place.deliveries.value,
                        "accepted": place.accepted.value,
                        "all_deliveries": place.all_deliveries.value,
                    }
                    for place in facts.places
                ],
                "not_yet_answered": [item.key for item in q.items if item.required and not item.answered],
            }
        },
    }
    planned = q["measures.planned"].answer
    if planned:
        out["corrective_action"] = visible(remove(planned))
    return out


def render(facts: f.Facts, context: Context) -> bytes:
    """The object as JSON, keys in order."""
    shown = _inked(incident(facts, context.words))
    return (json.dumps(shown, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _inked(value: Any) -> Any:
    """The object with what has no ink written out in every text."""
    if isinstance(value, dict):
        return {inked(str(key)): _inked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_inked(one) for one in value]
    return inked(value) if isinstance(value, str) else value
