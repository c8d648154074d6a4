"""Which pairs get rules, what each would have refused, and what no format can be made to say."""

from __future__ import annotations

import csv
import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from forensics import blocking, workbench
from forensics.blocking import writing
from forensics.errors import UsageError
from tests.blocking.mails import Mail, case

DAY = datetime(2024, 6, 1, tzinfo=UTC)


def block(mails: Iterable[Mail]) -> blocking.Block:
    """The rules of a case of these outbound deliveries."""
    return blocking.made(connected(mails))


def connected(mails: Iterable[Mail]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    deliveries, findings, rulings = [], [], []
    for n, mail in enumerate(mails):
        key = f"{n:04}"
        deliveries.append(
            {"delivery_id": key, "recipient": mail.recipient, "recipient_domain": mail.recipient.rpartition("@")[2].lower(),
             "direction": mail.direction}
        )  # fmt: skip
        if mail.state != "none":
            typed = mail.recipient.rpartition("@")[2].lower()
            findings.append(
                {"delivery_id": key, "observed_domain": typed, "intended_domain": mail.meant, "level": mail.level}
            )
        if mail.state in ("confirmed", "dismissed", "undecided"):
            rulings.append({"delivery_id": key, "verdict": mail.state})
    texts = {
        "deliveries": ("delivery_id", "recipient", "recipient_domain", "direction"),
        "findings": ("delivery_id", "observed_domain", "intended_domain", "level"),
        "rulings": ("delivery_id", "verdict"),
    }
    for (name, columns), rows in zip(texts.items(), (deliveries, findings, rulings), strict=True):
        connection.register(name, pa.Table.from_pylist(rows, pa.schema([(c, pa.string()) for c in columns])))
    return connection


def test_genuine_use_stands_in_order_of_names() -> None:
    """A watch list follows it, and must come to the same bytes each time."""
    names = [f"d{(7 * n) % 300:03}.example" for n in range(300)]
    mails = [Mail(f"x@{name}", "none") for name in names for _ in range(2)]
    mails += [
        Mail("x@navy.ml", "open"),
        Mail("x@kept.example", "dismissed"),
        Mail("x@in.example", "none", direction="inbound"),
    ]
    found = blocking.genuine(connected(mails))
    assert list(found.items()) == [*((name, 2) for name in sorted(names)), ("kept.example", 1)]


def test_only_confirmed_pairs_get_rules() -> None:
    found = block(
        [Mail("a@navy.ml", "confirmed"), Mail("b@navy.ml", "open"), Mail("c@army.ml", "open", meant="army.mil"),
         Mail("d@af.ml", "undecided", meant="af.mil"), Mail("e@usmc.ml", "open", meant="usmc.mil", level="low"),
         Mail("f@gone.ml", "dismissed", meant="gone.mil")]
    )  # fmt: skip
    assert [(r.kind, r.value, r.meant) for r in found.rules] == [("domain", "navy.ml", ("navy.mil",))]
    assert found.rules[0].exact == blocking.Counted(confirmed=1, open=1, genuine=0)
    assert [(one.value, one.reason) for one in found.left] == [
        ("af.ml", "unruled"), ("army.ml", "unruled"), ("navy.ml", "unruled")
    ]  # fmt: skip


@pytest.mark.parametrize("genuine", ["none", "dismissed"])
def test_a_domain_in_genuine_use_gets_rules_on_addresses_alone(genuine: str) -> None:
    found = block([Mail("a@navy.ml", "confirmed"), Mail("b@navy.ml", genuine), Mail("c@navy.ml", "confirmed")])
    assert [(r.kind, r.value) for r in found.rules] == [("address", "a@navy.ml"), ("address", "c@navy.ml")]
    assert [(one.value, one.reason) for one in found.left] == [("navy.ml", "genuine")]
    own = block([Mail("a@navy.ml", "confirmed"), Mail("A@NAVY.ml", genuine)])
    assert own.rules == ()
    assert {one.value for one in own.left} == {"navy.ml", "a@navy.ml"}


def test_mail_from_the_other_side_proves_no_genuine_use() -> None:
    found = block([Mail("a@navy.ml", "confirmed"), Mail("x@navy.ml", "none", direction="inbound")])
    assert [r.kind for r in found.rules] == ["domain"]


def test_names_below_count_where_a_server_reads_the_rule_so() -> None:
    found = block([Mail("a@navy.ml", "confirmed"), Mail("b@port.navy.ml", "none")])
    made = writing.files(found, list(writing.FORMATS), "case", date(2024, 6, 1), date(2024, 8, 30))
    for name in ("postfix-access", "postfix-transport"):
        assert re.search(rb"(?m)^a@navy\.ml ", made[name]) and not re.search(rb"(?m)^navy\.ml ", made[name])
    assert b"RecipientDomainIs '" not in made["exchange-rule.ps1"]
    assert b"navy.ml CNAME" not in made["rpz.zone"]
    assert b"\nnavy.ml\n" in made["block-list.txt"]


WORDS = st.text(st.sampled_from("abz019.-_'`$;&|\"#@ \t\n\r<>(){}=+,:‘’‚‛é\u202e\x1b\x85"), min_size=1, max_size=30)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), st.text(min_size=1, max_size=20))
def test_no_value_breaks_out_of_any_format(pairs: list[tuple[str, str]], name: str) -> None:
    from forensics.report.text.visible import visible

    found = block([Mail(f"{local}@{domain}", "confirmed", meant="navy.mil") for local, domain in pairs])
    made = writing.files(found, list(writing.FORMATS), visible(name), date(2024, 6, 1), date(2024, 8, 30))
    lines = {file: content.decode().split("\n") for file, content in made.items()}
    for file in ("postfix-transport", "postfix-access"):
        assert all(re.match(r"#|$|[a-z0-9@!#$%&'*+/=?^_`{|}~.-]+ (error:|REJECT )5\.1\.2 ", one) for one in lines[file])
    for file in (one for one in lines if one.endswith(".ps1")):
        for one in lines[file]:
            bare = re.sub(r"'(?:[^'‘’‚‛]|'')*'", "''", one)
            assert one.startswith("#") or re.fullmatch(r"[A-Za-z0-9 ,.$:'-]*", bare), (file, one)
    for one in lines["rpz.zone"]:
        assert one.startswith((";", "$TTL", "@ ")) or re.fullmatch(r"(\*\.)?[a-z0-9.-]+ CNAME \.|", one)
    assert all(json.loads(one) for one in lines["elastic-lookup.ndjson"] if one)
    assert not any(re.match(r"[=+@-]", one) for one in lines["exchange-rule.csv"])
    if found.rules:
        for row in csv.DictReader(lines["splunk-lookup.csv"]):
            assert not any(re.match(r"'*[=+@\t\r-]", row[column]) for column in ("recipient", "kind", "meant"))
            assert not re.match(r"[=+@\t\r-]", row["case"])
        assert [row["recipient"] for row in csv.DictReader(lines["splunk-lookup.csv"])] == [
            r.value for r in found.rules
        ]
        docs = [json.loads(one) for one in lines["elastic-lookup.ndjson"] if one]
        assert [one["recipient"] for one in docs[1::2]] == [r.value for r in found.rules]
        assert [one["index"] for one in docs[::2]] == [
            json.loads(one)["delete"] for one in lines["elastic-lookup-undo.ndjson"] if one
        ]
        rule = sigma("\n".join(lines["email_mistyped_domain.yml"]))
        assert matched(rule) == {("@" if r.kind == "domain" else "") + r.value for r in found.rules}


def sigma(text: str) -> dict[str, Any]:
    """A rule, held to the JSON schema of the specification (2.1): what it requires, and the form of what is there."""
    rule = yaml.safe_load(text)
    assert set(rule) <= {"title", "id", "status", "description", "author", "date", "logsource", "detection", "fields",
                         "falsepositives", "level"}  # fmt: skip
    assert 0 < len(rule["title"]) <= 256
    assert uuid.UUID(rule["id"]).version == 5
    assert (rule["status"], rule["level"]) == ("experimental", "high")
    assert isinstance(rule["date"], date)
    assert rule["logsource"] == {"category": "email"}
    assert set(rule["detection"].pop("condition").split(" or ")) == set(rule["detection"])
    return dict(rule)


def matched(rule: dict[str, Any]) -> set[str]:
    """What a Sigma rule compares with, read as the specification says: a backslash takes a sign by its word."""
    out = set()
    for fields in rule["detection"].values():
        for value in [one for values in fields.values() for one in values]:
            assert not re.search(r"(?<!\\)(\\\\)*[*?]", value), "a wildcard that nobody wrote"
            out.add(re.sub(r"\\([\\*?])", r"\1", value))
    return out


def test_a_sigma_rule_is_read_by_pysigma() -> None:
    """Its own parser finds no fault, and values are compared by the letter."""
    found = block([Mail("a@navy.ml", "confirmed"), Mail("b*?c@army.ml", "confirmed"), Mail("x@army.ml", "none")])
    text = writing.files(found, ["sigma"], "case", date(2024, 6, 1), date(2024, 8, 30))["email_mistyped_domain.yml"]
    assert matched(sigma(text.decode())) == {"@navy.ml", "b*?c@army.ml"}
    collection = pytest.importorskip("sigma.collection", reason="NOT RUN: pySigma is not installed")
    assert collection.SigmaCollection.from_yaml(text.decode()).rules[0].errors == []


def test_a_watch_list_is_tried_on_the_case_like_block_rules(tmp_path: Path) -> None:
    folder = case(tmp_path, confirm=False)
    rows = workbench.watch_list(["*.com"], case_dir=folder)
    assert {row["domain"] for row in rows} == {"contoso-marine.com"}
    assert "contoso-marnie.com" in {row["lookalike"] for row in rows}
    done = workbench.watch_rules(["*.com"], folder, formats=list(writing.FORMATS), out=tmp_path / "watch", as_of=DAY)
    by = {one["value"]: one for one in done.rules}
    assert (by["contoso-marnie.com"]["open"], by["contoso-marnie.com"]["genuine"]) == (2, 0)
    assert {one["reason"] for one in done.left} <= {"unwritable"}
    assert len(done.rules) + len(done.left) == len({row["lookalike"] for row in rows})
    text = (tmp_path / "watch" / "postfix-access").read_text("utf-8")
    assert "Watch list of case harbour, made by Missent on 2024-06-01" in text and "2024-08-30" in text
    sigma((tmp_path / "watch" / "email_mistyped_domain.yml").read_text("utf-8"))
    with pytest.raises(UsageError, match="watch-list: iptables"):
        workbench.watch_rules(["*.com"], folder, formats=["iptables"], out=tmp_path / "other")


def test_a_lookalike_in_genuine_use_is_on_no_list() -> None:
    rows = [{"lookalike": name, "domain": "navy.mil"} for name in ("navy.ml", "navy.com", "nvy.mil", "navymil")]
    mails = [Mail("a@navy.ml", "open"), Mail("a@navy.com", "none"), Mail("b@port.nvy.mil", "dismissed")]
    found = blocking.watched(connected(mails), rows)
    assert [(rule.value, rule.exact.open) for rule in found.rules] == [("navy.ml", 1)]
    assert [(one.value, one.reason) for one in found.left] == [
        ("navy.com", "genuine"), ("nvy.mil", "genuine"), ("navymil", "unwritable"),
    ]  # fmt: skip


def test_every_file_says_case_day_end_and_undo(tmp_path: Path) -> None:
    folder = case(tmp_path, confirm=True)
    done = workbench.block(folder, formats=list(writing.FORMATS), out=tmp_path / "block", as_of=DAY)
    assert {path.name for path in done.files} == {path.name for path in (tmp_path / "block").iterdir()}
    for path in done.files:
        text = path.read_text("utf-8")
        if path.name == "elastic-lookup-undo.ndjson":
            assert all(set(json.loads(line)) == {"delete"} for line in text.splitlines())
            continue
        assert "contoso-marnie.com" in text
        assert "2024-08-30" in text
        if not path.name.endswith((".csv", ".ndjson")):
            assert f"case {folder.name}" in text and "2024-06-01" in text
            assert "Would have refused 2 of this case" in text
            assert "To undo" in text
        elif path.name != "exchange-rule.csv":
            assert folder.name in text and "2024-06-01" in text
    assert [(r["value"], r["confirmed"], r["genuine"]) for r in done.rules] == [("contoso-marnie.com", 2, 0)]


def test_nothing_is_written_where_nobody_confirmed(tmp_path: Path) -> None:
    folder = case(tmp_path, confirm=False)
    done = workbench.block(folder, out=tmp_path / "block", as_of=DAY)
    assert done.files == () and done.rules == () and not (tmp_path / "block").exists()
    assert [(one["value"], one["reason"]) for one in done.left] == [("contoso-marnie.com", "unruled")]


@pytest.mark.parametrize("options", [{"formats": ["iptables"]}, {"days": 0}, {"out": "."}])
def test_mistakes_are_said(tmp_path: Path, options: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = case(tmp_path, confirm=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        workbench.block(folder, **options)  # type: ignore[arg-type]
