"""What the page says: a book, a reviewer and an address line in, the template's values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from forensics import domains
from forensics.report.facts.slipmarks import segments
from forensics.report.formats.html import shown, spans
from forensics.report.text import pieces, wording
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import Words
from forensics.review.web import choosing, drawing, standing
from forensics.review.web.book import Book, Pair, Row, moment
from forensics.review.web.choosing import Chosen, Filters
from forensics.review.web.standing import Bench
from forensics.review.web.visits import Visit
from forensics.schema import EXPOSURES, LEVELS

TEMPLATES = Path(__file__).parent / "templates"
QUEUE = 40
"""Pairs on one page of the queue."""
LIST = 50
"""Findings of a pair on one page: the list that can be ruled on as it is shown."""
PIECE = 200
"""Lines of a long list that are laid out together."""
LINE = 120
"""Characters of an address in it."""
COMPANY = 60
"""Other recipients of a message that are listed."""

REASONS = {
    "confirmed": "The evidence shown supports it.",
    "dismissed": "A genuine correspondent.",
    "undecided": "Not to be decided from the evidence shown.",
    "ask": "The sender is to be asked what they meant.",
}
"""Offered to be accepted or written over; shown before, so that it is the reviewer's own choice."""

STATE_WORDS = {
    "open": "open",
    "confirmed": "confirmed",
    "dismissed": "dismissed",
    "undecided": "undecided",
    "ask": "ask the sender",
    "part": "in part",
    "second": "ruled by another, not by you",
    "differs": "reviewers disagree",
    "new": "new since your last visit",
}


@dataclass(frozen=True)
class Sitting:
    """One reviewer at one desk. `visit`: their last one before this."""

    case: str
    reviewer: str
    read_only: bool
    visit: Visit | None
    note: str = ""


@dataclass(frozen=True)
class Draft:
    """A ruling that was not recorded. `fault`: why not; `gone`: whether its pair is no longer there."""

    kind: str
    reason: str
    day: str
    fault: str
    gone: bool
    scope: str


@dataclass(frozen=True)
class Asked:
    """What the address line asks for: filters, pair, finding, page of the pair's list, and whether records are quoted;
    and a ruling that was not recorded."""

    filters: Filters
    pair: str = ""
    finding: str = ""
    page: int = 0
    records: bool = False
    done: str = ""
    draft: Draft | None = None


def asked(given: Mapping[str, str]) -> Asked:
    number = given.get("list", "")
    return Asked(
        choosing.filters(given),
        given.get("at", "")[:64],
        given.get("finding", "")[:64],
        int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0,
        given.get("records") == "1",
        given.get("done", "")[:12],
    )


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = _words()
    made.filters.update(
        score=lambda value: pieces.score(words, value),
        number=words.number,
        exposure=lambda value: words.get(f"exposure.{value}", value),
        became=_became,
        kind=lambda value: words.get(f"slip.kind.{value}", value or ""),
        origin=lambda value: words.get(f"origin.{value}", value or ""),
        state=lambda value: STATE_WORDS.get(value, value),
        moment=moment,
        u=domains.u_label,
        spans=spans,
        whole=whole,
        signed=lambda weight: f"{'+' if weight >= 0 else '−'}{abs(weight):.2f}",
    )
    made.globals.update(bar=drawing.bar, share=drawing.share, letters=letters)
    return made


@cache
def _words() -> Words:
    """The report's words: what a reviewer reads here is what the report will say."""
    return wording.load()


def letters(typed: str, meant: str) -> list[tuple[str, str, str]]:
    """(kind, typed, meant) of each piece of the two names, in reading order."""
    typed, meant = domains.u_label(typed), domains.u_label(meant)
    return [(one.kind, one.typed, one.meant) for one in segments(typed, meant)] or [("replaced", typed, meant)]


def page(
    book: Book, bench: Bench, sitting: Sitting, want: Asked, chosen: Chosen, quoted: Callable[[Row], list[Any]]
) -> str:
    """The desk as HTML. `quoted` gives a finding's records: (evidence, number, offset, length, text or None)."""
    pair = _pair(book, chosen, want)
    new = new_ones(book, sitting)
    values = {
        "book": book,
        "bench": bench,
        "sitting": sitting,
        "want": want,
        "chosen": chosen,
        "totals": Counter({**bench.totals, "new": len(new)}),
        "pair": pair,
        "queue": _queue(chosen, pair),
        "levels": LEVELS,
        "exposures": EXPOSURES,
        "states": (*standing.STATES, *choosing.EXTRA_STATES),
        "reasons": REASONS,
        "last": standing.last(bench),
        "new": new,
    }
    if pair is not None:
        values |= _detail(book, bench, want, chosen, pair, quoted)
    return environment().get_template("desk.html").render(values)


def plain(title: str, text: str, sitting: Sitting | None = None, *, name: bool = False) -> str:
    """A page that says one thing; with `name`, one that asks who rules."""
    return environment().get_template("plain.html").render(title=title, text=text, name=name, sitting=sitting)


def beside(kind: str, values: Mapping[str, Any]) -> str:
    """What stands beside the pair, of `beside.KINDS`."""
    return environment().get_template("beside.html").render(kind=kind, **values)


def listed(rows: Sequence[Row]) -> str:
    """Findings in short, for the question what a ruling is on."""
    return environment().get_template("list.html").render(parts=_parts(rows), pairs=(), ids="")


def listed_pairs(chosen: Chosen) -> str:
    """The findings that the filters leave of all pairs, and their ids as the form sends them."""
    every = [(pair, chosen.rows[pair.id], _parts(chosen.rows[pair.id])) for pair in chosen.pairs]
    ids = " ".join(row["delivery_id"] for _, rows, _ in every for row in rows)
    return environment().get_template("list.html").render(parts=(), pairs=every, ids=ids)


def _became(row: Row) -> str:
    return pieces.said(_words(), row["exposure"], row["content_sent"])


def _parts(rows: Sequence[Row]) -> list[Markup]:
    """One line for each finding, in pieces that a browser lays out when they come into view: a line each as an element
    of its own takes a second with 10,000."""
    lines = [
        f"{n:>{len(str(len(rows)))}}. {moment(row['at'])} · {visible(cut(row['sender'] or '(empty sender)', LINE))} → "
        f"{visible(cut(row['recipient'] or '', LINE))} · {_became(row)}"
        for n, row in enumerate(rows, 1)
    ]
    return [escape("\n".join(lines[at : at + PIECE])) for at in range(0, len(lines), PIECE)]


def whole(text: str) -> Markup:
    """A text of several lines, hidden characters written out."""
    return escape("\n".join(map(visible, text.split("\n"))))


def new_ones(book: Book, sitting: Sitting) -> frozenset[str]:
    """Findings that were not there at the last visit; none at the first."""
    return frozenset() if sitting.visit is None else frozenset(book.findings) - sitting.visit.findings


def _pair(book: Book, chosen: Chosen, want: Asked) -> Pair | None:
    """The pair asked for, else the first of the queue."""
    if want.pair in book.by_id:
        return book.by_id[want.pair]
    return chosen.pairs[0] if chosen.pairs else None


def _queue(chosen: Chosen, pair: Pair | None) -> dict[str, Any]:
    place = max(chosen.place(pair.id), 0) if pair else 0
    start = place // QUEUE * QUEUE
    return {
        "pairs": chosen.pairs[start : start + QUEUE],
        "start": start,
        "before": chosen.pairs[start - QUEUE].id if start else "",
        "after": chosen.pairs[start + QUEUE].id if start + QUEUE < len(chosen.pairs) else "",
    }


def _detail(
    book: Book, bench: Bench, want: Asked, chosen: Chosen, pair: Pair, quoted: Callable[[Row], list[Any]]
) -> dict[str, Any]:
    rows = chosen.rows.get(pair.id, pair.findings)
    page = min(want.page, (len(rows) - 1) // LIST)
    part = rows[page * LIST : (page + 1) * LIST]
    picked = next((row for row in pair.findings if row["delivery_id"] == want.finding), None)
    subject = picked or pair.strongest
    together = [one for one in book.company.get(subject["message"], ()) if one["delivery_id"] != subject["delivery_id"]]
    ids = [row["delivery_id"] for row in part]
    return {
        "rows": rows,
        "part": part,
        "page": page,
        "pages": (len(rows) - 1) // LIST + 1,
        "picked": picked,
        "subject": subject,
        "readings": readings(pair, subject),
        "answers": answers(pair),
        "why": drawing.strongest_first(subject["reasons"]),
        "largest": drawing.largest([*subject["reasons"], {"weight": subject["prior"]}]),
        "times": drawing.timeline(book, pair),
        "span": drawing.span(book),
        "company": together[:COMPANY],
        "company_total": len(together),
        "quotes": quoted(subject) if want.records else None,
        "pair_states": bench.states(pair),
        "rulings": _rulings(bench, pair),
        "hidden": sum(bench.by_finding[row["delivery_id"]].hidden for row in pair.findings),
        "differs": sum(bench.by_finding[row["delivery_id"]].differs for row in pair.findings),
        "own": _own(bench, pair),
        "previous": chosen.beside(pair.id, -1),
        "next": chosen.beside(pair.id, 1),
        "finding_before": _beside(ids, picked, -1),
        "finding_after": _beside(ids, picked, 1),
        "place": chosen.place(pair.id) + 1,
    }


def _beside(ids: list[str], picked: Row | None, step: int) -> str:
    if picked is None or picked["delivery_id"] not in ids:
        return ids[0] if ids and step > 0 else ""
    at = ids.index(picked["delivery_id"]) + step
    return ids[at] if 0 <= at < len(ids) else ""


def readings(pair: Pair, row: Row) -> list[tuple[str, str, float]]:
    """(kind, domain, probability) of what the writer may have meant; they exclude each other."""
    rivals = [(one["domain"], float(one["score"])) for one in row["alternatives"] or ()]
    score = float(row["score"])
    meant = max(score - sum(value for _, value in rivals), 0.0)
    slips = [("slip", pair.intended, meant), *(("slip", name, value) for name, value in rivals)]
    return [*slips, ("none", pair.observed, 1 - score)]


def answers(pair: Pair) -> list[tuple[str, str, float]]:
    """(kind, domain, probability) of what the typed domain is; they exclude each other and sum to 1."""
    out = [
        (kind, row["meant"], float(row[kind]))
        for row in pair.lookalikes
        for kind in ("slip", "mixed", "second")
        if float(row[kind]) >= 0.0005
    ]
    if pair.lookalikes:
        out.append(("own", pair.observed, float(pair.lookalikes[0]["own"])))
    return sorted(out, key=lambda one: -one[2])


def _rulings(bench: Bench, pair: Pair) -> list[tuple[Any, int, bool]]:
    """(ruling, findings of the pair it holds for, whether it counts) of those that may be seen, newest first."""
    held: Counter[Any] = Counter()
    counts = set()
    for row in pair.findings:
        one = bench.by_finding[row["delivery_id"]]
        for verdict in (one.mine, *one.others):
            if verdict is not None:
                held[verdict] += 1
        if one.mine is not None and one.counts is not None:
            counts.add(one.counts.sequence)
    return [(v, n, v.sequence in counts) for v, n in sorted(held.items(), key=lambda item: -item[0].sequence)]


def _own(bench: Bench, pair: Pair) -> int:
    """Findings with a ruling of their own, which a ruling on the pair leaves as it is."""
    stands = (bench.by_finding[row["delivery_id"]] for row in pair.findings)
    return sum(bool(one.mine and one.mine.deliveries) for one in stands)
