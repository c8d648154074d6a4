"""What results look like in a terminal: text for people, or one JSON object with `--json`.

Every value that came from a log passes `visible`, so that nothing in it can move the cursor or change colours.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from forensics import named, results
from forensics.accounts import percent
from forensics.case import argument
from forensics.cells import guard
from forensics.progress import span, words
from forensics.report.text.visible import cut, inked, visible
from forensics.unread import days, few

if TYPE_CHECKING:
    from forensics import proof, workbench
    from forensics.custody.bags import Bagged
    from forensics.custody.checks import Verification
    from forensics.custody.doing import Doing
    from forensics.custody.handovers import HandOver

EXAMPLE = 160
"""Characters that are printed of an unread record."""
Result = TypeVar("Result", contravariant=True)


class _Shown(Protocol[Result]):
    def __call__(self, result: Result, /, *, as_json: bool = False) -> None: ...


def _either(told: Callable[[Result], None]) -> _Shown[Result]:
    """A result in words or, with `as_json`, as one object."""

    def shown(result: Result, /, *, as_json: bool = False) -> None:
        _json(result) if as_json else told(result)

    return shown


@_either
def run(result: results.Run) -> None:
    ingested(result.ingested)
    print()
    _detected(result.detected, noted=result.ingested.unseen_domains)
    print()
    _line("Check", f"missent verify {argument(result.ingested.case)}")
    reported(result.reported)


def withdrawn(names: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        _json({"withdrawn": list(names)})
    else:
        _line("Withdrawn", visible(", ".join(names)))


def worksheet(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """What was taken from a worksheet."""
    if as_json:
        _json({"recorded": list(rows)})
    else:
        _line("Recorded", f"{count(len(rows), 'row')}, {sum(row['opened'] == 'yes' for row in rows)} of them opened")


@_either
def ingested(result: results.Ingested) -> None:
    again = f", {result.already} of them already in the case" if result.already else ""
    _line("Evidence", f"{count(result.evidence, 'file')}{again}")
    for before, after in result.moved[: results.MOST_NAMES]:
        _line("Moved", visible(f"{before} lies at {after} now: found there by its digest"))
    if len(result.moved) > results.MOST_NAMES:
        rest = len(result.moved) - results.MOST_NAMES
        _line("Moved", f"{rest:,} more; the custody log names them (`moved`)")
    if result.read_again:
        names = visible(few(result.read_again))
        _line("Read again", f"{names}: new evidence bears on it, or what was kept of it is gone")
    if result.resumed:
        _line("Resumed", f"{result.resumed:,} bytes had been read by an ingest that was cut short")
    parts = [f"{result.used:,} used", f"{result.ignored:,} known and irrelevant"]
    if result.duplicates:
        parts[-1] += f" (of which {result.duplicates:,} lie in two files)"
    parts.append(f"{result.unread:,} unread")
    _line("Records", f"{result.records:,} = " + " + ".join(parts))
    sent = _period(result.first_delivery, result.last_delivery)
    logged = _period(result.first, result.last)
    told = ", ".join(part for part in (f"{result.deliveries:,}", sent) if part)
    _line("Deliveries", told + (f"; records from {logged}" if logged and logged != sent else ""))
    _unread(result)
    for note in results.noted(result.notes):
        _line("Noted", visible(note))
    if result.losses:
        _line("Noted", _losses(result.losses))
    _unseen(result.unseen_domains, result.not_read.all)
    for file in result.unmatched:
        _line("Noted", f"{visible(file)}: [[sources]] of case.toml speaks of it, but no evidence here has that name")
    for line in results.not_read(result.skipped):
        _line("Not read", visible(line))


def _unread(result: results.Ingested) -> None:
    """The reasons for unread records, each with its first record and what to do."""
    found = result.not_read
    if not found.records:
        return
    share = percent(found.records, found.of)
    _line("Unread", f"{found.records:,} of {found.of:,} records that may bear on deliveries ({share})")
    for reason in found.reasons:
        print(f"{reason.records:>12,}  {visible(reason.reason)}")
        where = f"{visible(reason.file)}, record {reason.number:,} at byte {reason.offset:,}"
        print(f"{'':12}  {where}: {visible(cut(reason.text.rstrip(), EXAMPLE))}")
        print(f"{'':12}  to do: {reason.remedy}")
    told = sum(reason.records for reason in found.reasons)
    rest = f"{found.records - told:,} more for other reasons; " if told < found.records else ""
    print(f"{'':12}  {rest}`missent sql --case {argument(result.case)} 'from unread'` lists them all")


def _losses(found: Sequence[Mapping[str, Any]]) -> str:
    """`the logs themselves show that something is missing (dropped: 2 signs of it), 4 March 2024; the report …`"""
    kinds: Counter[str] = Counter()
    for one in found:
        kinds[one["kind"]] += one["records"]
    ordered = sorted(kinds.items(), key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"{visible(kind)}: {count(n, 'sign')} of it" for kind, n in ordered)
    times = [one[end] for one in found for end in ("first", "last") if one[end]]
    span = f", {_period(min(times), max(times))}" if times else ""
    return f"the logs themselves show that something is missing ({named}){span}; the report says when"


def _unseen(unseen: Sequence[str], nothing_read: bool) -> None:
    if unseen:
        named = visible(", ".join(unseen))
        why = "nothing was read" if nothing_read else "no sender or recipient in the evidence is of that domain"
        _line("Noted", f"--org {named} is not kept in case.toml: {why}")


@_either
def detected(result: results.Detected) -> None:
    _detected(result)


def _detected(result: results.Detected, noted: Sequence[str] = ()) -> None:
    _line("Domains", ", ".join(visible(domain) for domain in result.organisation) or "none of the organisation's known")
    for key, covered in result.covering.items():
        for domain in covered:
            _line("Noted", f"{visible(domain)} is a public suffix: {_COVERS[key]} ({key} in case.toml)")
    _unseen([domain for domain in result.unseen_domains if domain not in noted], result.not_read.all)
    print(f"VERDICT    {visible(result.verdict)}")
    for incident in result.incidents[:12]:
        arrow = f"{visible(incident['observed_domain'])}  for  {visible(incident['intended_domain'])}"
        period = _period(incident["first_seen"], incident["last_seen"])
        messages = count(incident["messages"], "message")
        print(f"  {arrow:<56} {messages:>12}   {period}   score {results.score(incident['score'])}")
    if len(result.incidents) > 12:
        every = f"missent sql --case {argument(result.case)} 'from incidents'"
        print(f"  … and {len(result.incidents) - 12} more; `{every}` lists all")
    if result.kept_for_review:
        _line(
            "Review",
            f"{count(result.kept_for_review, 'delivery', 'deliveries')} kept apart, in no number above"
            + (f", {result.not_measured:,} of them of level medium or above" if result.not_measured else ""),
        )
    _beside(result)


_COVERS = {
    "organisation": "mail to anybody's domain below it counts as internal",
    "known_good": "no domain below it is accused, whatever the logs show; name single domains instead",
    "watched": "what is typed below it counts as meant, and is not accused, though anybody may have a name there",
    "shared_relays": "acceptance by any server below it does not count as exposure",
}


def _beside(result: results.Detected) -> None:
    """What a person should look at, and no number counts."""
    for n, one, many in (
        (result.contested, "looks like a slip and writes back", "look like slips and write back"),
        (result.impersonating, "resembles a partner and writes as its people", "resemble partners and write as those"),
        (result.no_such_domain, "does not exist and is probably mistyped", "do not exist and are probably mistyped"),
    ):
        if n:
            _line("Look at", f"{count(n, 'domain')} that {one if n == 1 else many}; in no number above")


@_either
def reported(result: results.Reported) -> None:
    if result.required:
        unknown = f', of which {result.unknown} "unknown"' if result.unknown else ""
        asks = f"; `missent ask --case {argument(result.case)}` asks for the rest"
        rest = "" if result.answered == result.required else asks
        _line("Answers", f"{result.answered} of {result.required} required items answered{unknown}{rest}")
    for note in result.notes:
        _line("Noted", visible(note))
    # The page that people open stands last, where the eye is.
    for path in sorted(result.files, key=lambda path: path.suffix == ".html"):
        _line("Report", str(path))


@_either
def verified(result: Verification) -> None:
    for check in result.checks:
        mark = {True: "ok    ", False: "FAILED", None: "none  "}[check.ok]
        print(f"{mark}  {check.name}: {visible(check.text)}")
    if result.ok is None:
        print(f"CANNOT TELL {visible(result.told)}")
    elif not result.ok:
        print("NOT VERIFIED: see the lines marked FAILED")
    else:
        print(f"{'AS SEALED ' if result.kind == 'report' else 'VERIFIED  '} {visible(result.told)}")


@_either
def attested(result: proof.Attested) -> None:
    _line("Entry", f"{result.entry} of the custody log, {result.digest}")
    if result.kind == "query":
        _line(
            "Request", f"{visible(str(result.file))}: send it to a time-stamping authority; `--reply` takes its answer"
        )
    elif result.kind == "stamp":
        how = "verified" if result.verified else "present, not verified: no --ca was given"
        _line("Stamp", visible(f"{result.at}, by {result.by}: {how}"))
    else:
        _line("Signature", visible(f"{result.file}, by the key {result.by}"))


@_either
def exported(result: Bagged) -> None:
    what = "evidence not in it" if not result.evidence else count(result.evidence, "evidence file")
    _line("Bag", f"{visible(str(result.folder))}: {result.edition}, {count(result.files, 'file')}, {what}")
    _line("SHA-256", f"{result.digest} (of tagmanifest-sha256.txt, and so of all: hand it over apart from the bag)")
    for note in result.notes:
        _line("Noted", visible(note))
    _line("Check", f"missent verify {argument(result.folder)}, or check.sh in it, which needs sha256sum alone")


def questions(result: workbench.Questions, out: Path | None, *, as_json: bool) -> None:
    """The script of `missent lookups`, to a file or to the output; what cannot be asked, beside it."""
    if out is not None:
        named.write("--out", out, result.script.encode())
    if as_json:
        return _json(result)
    if out is not None:
        print(f"{count(len(result.names), 'name')} to ask for: {out}")
    else:
        sys.stdout.write(result.script)
    for name in result.not_askable:
        print(f"cannot be asked for: {visible(name)}", file=sys.stderr)


def table(result: workbench.Answer, form: str) -> None:
    """Rows of `missent sql`. Programs get values as they are; at a terminal none of them can move the cursor."""
    at_terminal = sys.stdout.isatty()
    if form == "json":
        json.dump(
            [dict(zip(result.columns, row, strict=True)) for row in result.rows],
            sys.stdout,
            default=_plain,
            ensure_ascii=at_terminal or not _unicode(),
        )
        print()
    elif form == "csv":
        shown = _seen if at_terminal else cell
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(shown, result.columns))
        writer.writerows([shown(value) for value in row] for row in result.rows)
    else:
        from forensics import tabular

        names = [visible(name) for name in result.columns]
        rows = [["" if value is None else visible(str(_plain(value))) for value in row] for row in result.rows]
        size = shutil.get_terminal_size()
        if form == "record":
            lines = [*tabular.records(names, rows)]
        else:
            lines = [*tabular.lines(names, rows, size.columns if at_terminal else None)]
        lines.append(f"({count(len(rows), 'row')})")
        _paged(lines) if at_terminal and len(lines) >= size.lines else print("\n".join(lines))


def _seen(value: Any) -> str:
    return visible(cell(value))


def _paged(lines: Sequence[str]) -> None:
    import click

    click.echo_via_pager("\n".join(lines) + "\n")


def cell(value: Any) -> str:
    """A CSV cell that no spreadsheet runs: what begins like a formula gets a leading apostrophe."""
    text = "" if value is None else str(_plain(value))
    return text if isinstance(value, int | float) else guard(text)


@_either
def health(result: workbench.Health) -> None:
    versions = ", ".join(f"{name} {number}" for name, number in result.versions.items())
    room = f", {result.memory / 2**30:,.1f} GiB of memory" if result.memory is not None else ""
    _line("Python", f"{result.python}, {result.system}, {count(result.processors, 'processor')}{room}")
    _line("Versions", versions)
    state = "ready" if result.compiled else "not there; the first log waits for it, or `missent doctor --compile`"
    _line("Compiled", f"code in {visible(result.folder)}: {state}" if result.folder else "code is made by each command")
    if result.fault:
        _line("Noted", f"it cannot be kept{' there' if result.folder else ''}: {visible(result.fault)}")
    for kept in result.kept:
        if not kept.folder:
            continue
        whose = f"owner {visible(kept.owner)}, {kept.size / 1e6:,.0f} MB" if kept.owner else "not there"
        _line("Kept", f"{kept.what}: {visible(kept.folder)}, {whose}")
    for part in result.parts:
        there = {"": "not there", "yes": "there"}.get(part.there, part.there)
        _line("Optional", f"{part.name}: {there}; for {part.needed_for}")
    for promise in result.promises:
        holds = {True: "holds", False: "DOES NOT HOLD", None: "cannot be told"}[promise.holds]
        _line("Promise", f"{promise.name}: {holds}; {visible(promise.text)}")


@_either
def status(found: workbench.Status) -> None:
    _line("Case", visible(str(found.case)))
    if found.doing:
        _doing(found.doing)
    _line("Evidence", f"{count(found.evidence, 'file')}, {found.records:,} records, {found.unread:,} of them unread")
    _line("Deliveries", f"{found.deliveries:,}")
    if found.detected:
        _line("Findings", f"{found.findings:,} in {count(found.incidents, 'pair')}; {found.ruled:,} ruled on")
    else:
        _line("Findings", "nothing was weighed yet")
    _line("Reports", f"{found.reports:,}")
    if found.entries:
        _line("Custody", f"{count(found.entries, 'entry', 'entries')}; the last: {found.last_action}, {found.last_at}")
    if found.changed is not None:
        named = visible(", ".join(found.changed)) or "remarks alone"
        takes = "the next ingest" if "sources" in found.changed else "the next one"
        _line("Noted", f"case.toml was edited after the last command ({named}); {takes} takes it in")
    _line("Next", visible(found.following))


def _doing(found: Doing) -> None:
    """Who is at work and how far; of a command that was killed, or is on another machine, no more than is seen."""
    who = f"{found.action} by {found.user} on {found.host}, process {found.process}, since {found.since}"
    label = "Ended" if found.running is False else "In use"
    _line(label, visible(who) + (", before it came to its end" if found.running is False else ""))
    if found.at:
        far, file = words(found.at), f"; {found.at.file}" if found.at.file else ""
        _line("Progress", visible(found.at.what + (f": {far}" if far else "") + file))
        _line("", visible(f"as it said at {found.told}, after {span(found.at.elapsed)} of this step"))
    if found.running is None:
        _line("", "whether it still runs there is not seen from here")
    if found.running is False:
        _line("", "nothing of it is kept, all else stands; run that command again")


def fault(said: Mapping[str, Any]) -> None:
    """An error as one object."""
    _json(said)


@_either
def formats(known: workbench.Formats) -> None:
    print("Read:")
    for row in known.read:
        print(f"  {row['loader']:<10} {row['name']:<18} {row['what']}")
    print(
        "\nContainers: plain, gzip, bzip2, xz, zstd, tar, zip, and - for standard input.\n"
        "Content decides, never a file's name.\n\nRecognised and refused, with what to ask for instead:"
    )
    names: dict[str, list[str]] = {}
    for row in known.refused:
        names.setdefault(row["instead"], []).append(row["name"])
    for instead, alike in names.items():
        print("\n".join(f"  {name}" for name in alike))
        print(textwrap.indent("\n".join(textwrap.wrap(instead, 106, break_on_hyphens=False)), " " * 6))


def demo(done: Sequence[results.Run], *, as_json: bool) -> None:
    if as_json:
        return _json(list(done))
    for number, result in enumerate(done):
        if number:
            print()
        print(f"── {result.ingested.case.name} " + "─" * 60)
        run(result, as_json=False)


@_either
def reviewed(result: Any) -> None:
    for line in result.lines:
        print(visible(line))


@_either
def explained(result: workbench.Explanation) -> None:
    print("\n".join(visible(line) for line in result.weighed.text.split("\n")))
    cited = {(r["evidence"], r["number"]) for a in result.weighed.addresses for d in a.deliveries for r in d["records"]}
    if result.quotes:
        some = len(result.quotes) < len(cited)
        which = "Some of the records (`missent explain` of a delivery quotes its own)" if some else "The records"
        print(f"\n{which}, as they stand in the evidence:")
    for evidence, number, text in result.quotes:
        print(f"  {evidence[:12]} record {number}: {visible(cut(text, 1000))}")


@_either
def blocked(result: workbench.Blocked) -> None:
    from forensics import blocking

    for rule in result.rules:
        would = f"would have refused {rule['confirmed'] + rule['open'] + rule['genuine']:,}"
        parts = f"{rule['confirmed']:,} confirmed, {rule['open']:,} open, {rule['genuine']:,} held genuine"
        _line("Rule", f"{visible(rule['value'])} (meant: {visible(', '.join(rule['meant']))}) {would}: {parts}")
    for one in result.left:
        _line("No rule", blocking.Left(**one).said)
    if not result.rules:
        _line("Rules", "none was written: no pair is confirmed that could get one")
    else:
        _line("Expires", f"{result.expires:%Y-%m-%d}; every file says so, and how to undo it")
    for path in result.files:
        _line("Written", str(path))


def watch_list(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        return _json(list(rows))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    columns = list(rows[0]) if rows else ["lookalike", "domain", "slip", "probability"]
    writer.writerow(columns)
    writer.writerows([cell(row[name]) for name in columns] for row in rows)


@_either
def handed_over(one: HandOver) -> None:
    _line("Recorded", f"entry {one.entry} of the custody log")
    _hand_over(one)


def _hand_over(one: HandOver) -> None:
    behind = "; ".join(part for part in (one.place, one.why) if part)
    told = f"{one.at}  {one.what}: from {one.given_by} to {one.taken_by}{f' ({behind})' if behind else ''}"
    _line("Hand-over", visible(told))


def custody(shown: proof.Shown, *, as_json: bool) -> None:
    from forensics.custody import log

    if as_json:
        return _json({**vars(shown), "statements": shown.statements.model_dump()})
    for label, said in (("Acquired", shown.statements.acquisition), ("Clocks", shown.statements.clock)):
        who = f" (stated by {said.by})" if said.by else " (case.toml does not say who states it)"
        _line(label, visible(said.statement + who) if said.statement else "not stated in case.toml")
    for one in shown.handed_over:
        _hand_over(one)
    for gap in shown.gaps:
        _line("GAP", visible(gap))
    for entry in shown.entries:
        noted = f": {entry['note']}" if entry.get("note") else ""
        _line(f"Entry {entry['sequence']}", visible(f"{entry['at']}  {entry.get('action')}  {log.who(entry)}{noted}"))
    for fault in shown.faults:
        _line("FAULT", visible(fault))


def created(path: Path) -> None:
    _line("Case", f"{path}: read it, fill it in, then `missent run LOG… --case {argument(path.parent)}`")


def asked(result: Any) -> None:
    _line("Answers", f"{result.answered} of {result.required} required items answered")


def count(number: int, one: str, many: str | None = None) -> str:
    """
    >>> count(1, "file"), count(2, "delivery", "deliveries")
    ('1 file', '2 deliveries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _unicode() -> bool:
    """Whether standard output can be given every character: a program that reads JSON knows no other escapes."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")


def _line(label: str, text: str) -> None:
    print(f"{label:<10} {inked(text)}")  # folders are named by people, too, and a line is one line


def _period(first: datetime | None, last: datetime | None) -> str:
    return days(first, last) if first and last else ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value)


def _json(value: Any) -> None:
    def plain(item: Any) -> Any:
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            return {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
        return _plain(item)

    json.dump(value, sys.stdout, default=plain, ensure_ascii=sys.stdout.isatty() or not _unicode(), indent=1)
    print()
