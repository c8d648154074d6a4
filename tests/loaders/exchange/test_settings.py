"""What an export leaves open is asked for once, answered in case.toml or by an option, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import store
from forensics.case import Case
from forensics.casefile import SourceSettings
from forensics.custody import evidence
from forensics.errors import AmbiguousTime, UsageError
from forensics.ingest import survey as surveying
from forensics.loaders.settings import Settings
from tests.ingesting import run
from tests.test_cli import call

from .driver import read
from .test_dates import HEADER, row

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "exchange-samples"
OPEN = HEADER + row("1/2/2024 10:00:00") + row("3/4/2024 10:00:00", 2)


def days(case: Path) -> list[str]:
    rows = store.read(Case(case), "deliveries").to_pylist()
    return [r["submitted_at"].strftime("%m-%d") for r in rows]


def test_an_open_date_order_is_answered_in_case_toml(tmp_path: Path) -> None:
    export, case = tmp_path / "trace.csv", tmp_path / "case"
    export.write_bytes(OPEN)
    asked = call("ingest", export, "--org", "contoso.example", "--case", case, code=2)
    words = " ".join(asked.output.split())
    assert "1/2/2024 10:00:00" in words and "[[sources]]" in words and 'date_order = "dmy" or "mdy"' in words
    assert not case.exists()
    call("init", "--org", "contoso.example", "--case", case)
    written = (case / "case.toml").read_text("utf-8")
    assert "# date_order = " in written
    for order, expected in (("dmy", ["02-01", "04-03"]), ("mdy", ["01-02", "03-04"])):
        answer = f'\n[[sources]]\nfile = "trace.csv"\ndate_order = "{order}"\n'
        (case / "case.toml").write_text(written + answer, "utf-8")
        call("ingest", export, "--case", case)
        assert days(case) == expected
    (case / "case.toml").write_text(written + '\n[[sources]]\nfile = "*"\ndate_order = "ymd"\n', "utf-8")
    assert "date_order" in call("ingest", export, "--case", case, code=2).output


def test_a_date_order_that_the_file_contradicts_is_refused() -> None:
    said = Settings(sources=(SourceSettings(file="*", date_order="dmy"),))
    assert read(HEADER + row("13/2/2024 10:00:00"), settings=said).surveys[0].plan.order == "day-month-year"
    with pytest.raises(AmbiguousTime, match="says that its dates are day-month-year"):
        read(HEADER + row("2/13/2024 10:00:00"), settings=said)


def test_settings_of_one_file_come_from_all_entries_that_name_it() -> None:
    said = Settings(
        year=2020,
        sources=(
            SourceSettings(file="trace*", date_order="mdy"),
            SourceSettings(file="*.csv", timezone="Europe/London", date_order="dmy"),
        ),
    )
    assert said.for_source("logs/trace.csv") == (2020, "Europe/London")
    assert said.date_order("logs/trace.csv") == "mdy" and said.date_order("x.csv") == "dmy"
    assert said.date_order("x.log") is None


def test_local_times_of_a_tracking_export_need_their_zone(tmp_path: Path) -> None:
    export, case = SAMPLES / "tracking-export.csv", tmp_path / "case"
    asked = call("ingest", export, "--org", "contoso.example", "--case", case, code=2)
    assert "local times" in " ".join(asked.output.split()) and "--timezone" in asked.output
    call("ingest", export, "--case", case, "--timezone", "Europe/London")
    first = store.read(Case(case), "deliveries").to_pylist()
    assert {r["submitted_at"].hour for r in first} == {8}
    call("ingest", SAMPLES / "trace-v2.csv", "--case", case)  # the zone of the first file is remembered, for it alone
    again = store.read(Case(case), "deliveries").to_pylist()
    assert [r for r in again if r["message_id"].startswith("x")] == first
    with pytest.raises(UsageError, match="Atlantis"):
        read(export.read_bytes(), settings=Settings(timezone="Atlantis/Sunken"))


def test_an_hour_that_the_clock_shows_twice_is_its_first(tmp_path: Path) -> None:
    text = (SAMPLES / "tracking-export.csv").read_bytes().replace(b"13/06/2023 09:", b"29/10/2023 01:")
    got = read(text, settings=Settings(timezone="Europe/London"))
    assert {d["first_at"].strftime("%m-%dT%H") for d in got.deliveries()} == {"10-29T00"}
    winter = read(text.replace(b"29/10/2023 01:", b"29/10/2023 02:"), settings=Settings(timezone="Europe/London"))
    assert {d["first_at"].strftime("%m-%dT%H") for d in winter.deliveries()} == {"10-29T02"}


def test_lists_that_an_export_lost_are_named_with_the_remedy() -> None:
    got = read((SAMPLES / "tracking-export.csv").read_bytes(), settings=Settings(timezone="Europe/London"))
    (lost,) = got.unread
    assert lost["reason"].startswith("Recipients were lost in the export (System.String[])")
    assert "-join ';'" in lost["reason"] and "ConvertTo-Json" in lost["reason"]
    assert got.account == {"used": 6, "unread": 1, "header": 2, "event NOTIFYMAPI": 1}


@pytest.mark.parametrize("event", ["FAIL", "DELIVER"])
def test_a_lost_status_matters_where_it_tells_the_outcome(event: str) -> None:
    text = (SAMPLES / "tracking-export.csv").read_bytes().decode()
    status = '"[{LED=550 5.1.1 User unknown};{MSG=};{FQDN=mx.fabrikam.example};{IP=198.51.100.7};{LRT=6/13/2023 9:01:02 AM}]"'
    assert status in text
    text = text.replace(status, '"System.String[]"').replace('"FAIL"', f'"{event}"')
    got = read(text.encode(), settings=Settings(timezone="Europe/London"))
    reasons = [one["reason"].partition(",")[0] for one in got.unread]
    assert ("RecipientStatus was lost in the export" in reasons) == (event == "FAIL")
    last = next(d for d in got.deliveries() if d["recipient"] == "no@fabrikam.example")
    assert last["outcome"] == ("unknown" if event == "FAIL" else "delivered")


def test_a_log_and_its_export_are_one_message(tmp_path: Path) -> None:
    """The export of a log that lies beside it adds records, no deliveries."""
    export = (SAMPLES / "tracking-export.json").read_bytes()
    log = (
        b"#Fields: date-time,source,event-id,message-id,network-message-id,recipient-address,recipient-status,"
        b"sender-address,return-path,server-hostname\r\n"
        b"2023-06-13T08:00:00.000Z,STOREDRIVER,RECEIVE,<x161@contoso.example>,0badc0de-0000-4000-8000-0000000000a1,"
        b"bo@fabrikam.example;zoe@contoso.example,To;Cc,a@contoso.example,a@contoso.example,EX01\r\n"
    )
    alone, both = read(export), read(export, log)
    assert both.outcomes() == alone.outcomes()
    assert max(len(d["records"]) for d in both.deliveries()) > max(len(d["records"]) for d in alone.deliveries())


def test_a_json_array_longer_than_memory_should_hold_is_read_record_by_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "LONGEST_RECORD", 8192)
    monkeypatch.setattr(surveying, "BLOCK", 4096)
    big = tmp_path / "trace.json"
    whole = (SAMPLES / "trace-powershell.json").read_text("utf-8")
    records = whole[whole.index("{") : whole.rindex("}") + 1]
    big.write_text("[" + ",".join([records] * 20) + "]", "utf-8")
    assert big.stat().st_size > 3 * 8192
    result, _ = run(tmp_path / "case", [big])
    (one,) = result.evidence
    assert (one.unread, one.used) == (0, 20 * records.count('"Received"'))
