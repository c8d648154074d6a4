"""What is worth a look beside the findings: domains that do not exist, lookalikes that write."""

from __future__ import annotations

from typing import Any

from forensics.casefile import CaseFile
from forensics.detector import detect
from tests.detector.material import Row, everyday, mail, view

CASE = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}})


def told(rows: list[Row]) -> dict[str, Any]:
    return detect(view(rows), CASE).parameters


def test_what_does_not_exist_and_resembles_nothing_is_listed_and_accused_by_nobody() -> None:
    failed = {"outcome": "bounced", "status_code": "5.4.4", "response": "Host or domain name not found"}
    rows = everyday() + mail("ada@albion.example", "x@qzlighthuose.com", day=3, **failed)
    rows += mail("ben@albion.example", "x@qzlighthuose.com", day=4, **failed)
    rows += mail("ben@albion.example", "y@exists.example", day=4)
    result = detect(view(rows), CASE)
    assert [(r["domain"], r["deliveries"], r["writers"]) for r in result.parameters["undeliverable"]] == [
        ("qzlighthuose.com", 2, 2)
    ]
    assert result.findings.num_rows == 0


def test_a_domain_that_took_one_message_is_not_listed() -> None:
    failed = {"outcome": "bounced", "status_code": "5.4.4", "response": "Host or domain name not found"}
    rows = everyday() + mail("ada@albion.example", "x@qzlighthuose.com", day=3, **failed)
    rows += mail("ada@albion.example", "x@qzlighthuose.com", day=5)
    assert told(rows)["undeliverable"] == []


def test_a_lookalike_that_writes_in_a_partners_name_is_listed() -> None:
    rows = everyday() + mail("ada@albion.example", "officer1@navy.ml", day=9)
    assert told(rows)["impersonation"] == []
    rows += mail("officer1@navy.ml", "ada@albion.example", day=10)
    (one,) = told(rows)["impersonation"]
    assert (one["domain"], one["partner"], one["local_parts"], one["messages"]) == ("navy.ml", "navy.mil", 1, 1)
