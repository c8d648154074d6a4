"""Review at the terminal: one incident at a time with its findings and reasons, one key for each ruling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from forensics.case import Case
from forensics.custody import log
from forensics.custody.chain import Clock, now
from forensics.errors import UsageError
from forensics.report.facts.slipmarks import segments
from forensics.report.text import pieces, wording
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words
from forensics.review.sheets import incidents
from forensics.review.verdicts import NewVerdict, Verdict, current, on, record

KEYS = {
    "c": "confirm",
    "d": "dismiss",
    "k": "dismiss and remember as known good",
    "u": "undecided",
    "f": "finding by finding",
    "s": "skip",
    "q": "quit",
}
RULINGS = {"c": "confirmed", "d": "dismissed", "k": "dismissed", "u": "undecided"}
REASONS = {
    "confirmed": "the evidence shown supports it",
    "dismissed": "a genuine correspondent",
    "undecided": "needs to be asked about",
}
"""Offered when Enter is pressed; shown before, so that it is the reviewer's own choice."""
SHOWN = 15
WHY = 6


def at_terminal(
    case: Case, reviewer: str | None, by: log.By = log.NOBODY
) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """`interactive` at the real terminal. Raises UsageError when there is none."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "review asks at a terminal, and this is none",
            remedy="run it in a terminal, or use --export CSV, fill in the list, and --import CSV",
        )
    return interactive(case, reviewer, key=read_key, ask=input, console=Console(), by=by)


def interactive(
    case: Case,
    reviewer: str | None,
    *,
    key: Callable[[], str],
    ask: Callable[[str], str],
    console: Console,
    by: log.By = log.NOBODY,
    clock: Clock = now,
) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """Show every incident without a verdict (all, when each has one) and record what the reviewer decides, at once.

    `key` gives one pressed key, `ask` a line of text for a prompt. Returns the verdicts recorded and the domains to be
    remembered as known good. What was recorded before `q` or an interruption stays recorded.
    """
    found = list(incidents(case))
    if not found:
        console.print("There is nothing to review: no incident was found.")
        return (), ()
    verdicts = current(case)
    still = [one for one in found if on(verdicts, _pair(one)) is None]
    name = (reviewer or "").strip() or ask("Your name, as the report shall print it: ").strip()
    if not name:
        raise UsageError("nobody is named as reviewer", remedy="give --reviewer NAME")
    desk = _Desk(case, name, key, ask, console, by, clock)
    try:
        for number, incident in enumerate(still or found, 1):
            if not desk.incident(incident, f"{number} of {len(still or found)}", verdicts):
                break
    except (KeyboardInterrupt, EOFError):
        console.print("\nStopped; what was recorded stays recorded.")
    return tuple(desk.made), tuple(desk.known_good)


class _Desk:
    """One sitting."""

    def __init__(
        self,
        case: Case,
        name: str,
        key: Callable[[], str],
        ask: Callable[[str], str],
        console: Console,
        by: log.By,
        clock: Clock,
    ) -> None:
        self._case, self._name, self._key, self._ask, self._console = case, name, key, ask, console
        self._by, self._clock = by, clock
        self.made: list[Verdict] = []
        self.known_good: list[str] = []

    def incident(self, incident: Mapping[str, Any], place: str, verdicts: Sequence[Verdict]) -> bool:
        """False when the reviewer quits."""
        self._console.print(panel(incident, place, on(verdicts, _pair(incident))))
        choice = self._choose(KEYS)
        if choice == "f":
            return self._findings(incident)
        if choice in RULINGS:
            self._record(incident, choice, ())
        return choice != "q"

    def _findings(self, incident: Mapping[str, Any]) -> bool:
        keys = {letter: words for letter, words in KEYS.items() if letter in "cdusq"}
        for row in incident["findings"]:
            self._console.print(finding_panel(row))
            choice = self._choose(keys)
            if choice == "q":
                return False
            if choice in RULINGS:
                self._record(incident, choice, (row["delivery_id"],))
        return True

    def _choose(self, keys: Mapping[str, str]) -> str:
        line = Text("  ")
        for letter, words in keys.items():
            line.append(f" {letter} ", style="reverse")
            line.append(f" {words}".replace(" ", "\u00a0") + "  ")  # a key and its words stay on one line
        self._console.print(line)
        while True:
            pressed = self._key().lower()
            if pressed in keys:
                return pressed
            if pressed in ("", "\x03", "\x04"):
                raise EOFError
            self._console.print(Text(f"  {visible(pressed)} is none of these keys.", style="dim"))

    def _record(self, incident: Mapping[str, Any], choice: str, deliveries: tuple[str, ...]) -> None:
        verdict = RULINGS[choice]
        reason = self._ask(f"  Reason (Enter: “{REASONS[verdict]}”): ").strip() or REASONS[verdict]
        pair = _pair(incident)
        ruling = NewVerdict(*pair, verdict, reason, deliveries)
        made = record(self._case, ruling, self._name, by=self._by, clock=self._clock)
        self.made.append(made)
        if choice == "k":
            self.known_good.append(pair[0])
        self._console.print(Text(f"  Recorded: {verdict}.", style="bold"))


def _pair(incident: Mapping[str, Any]) -> tuple[str, str]:
    return incident["observed_domain"], incident["intended_domain"]


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def slip(typed: str, meant: str) -> Text:
    """`navy.ml` → `navy.mil` with what differs marked."""
    text = Text()
    for piece in segments(typed, meant):
        text.append(visible(piece.typed), style="" if piece.kind == "same" else "bold reverse")
    if not text:
        text.append(visible(typed))
    text.append(" → ")
    marked = Text()
    for piece in segments(typed, meant):
        marked.append(visible(piece.meant), style="" if piece.kind == "same" else "bold underline")
    text.append_text(marked if marked else Text(visible(meant)))
    return text


def panel(incident: Mapping[str, Any], place: str, before: Verdict | None) -> Panel:
    """One incident: the pair, its numbers, the strongest finding's reasons, its deliveries."""
    rows = incident["findings"]
    best = max(rows, key=lambda row: row["score"])
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    who = f"{_count(incident['messages'], 'message')} from {_count(incident['senders'], 'sender')}"
    who += f" to {_count(incident['recipients'], 'address', 'addresses')}"
    outcome = f"{incident['exposed']:,} accepted there, {incident['not_exposed']:,} not"
    kind = _words().get(f"slip.kind.{incident['slip']}", incident["slip"] or "")
    grid.add_row(Text(f"{visible(kind)} · {who} · {outcome}"))
    grid.add_row(Text(f"probability {_score(best)} (prior and weights: detection.json)"))
    for why in best["reasons"][:WHY]:
        grid.add_row(Text(f"• {visible(why)}"))
    if others := [f"{visible(one['domain'])} {one['score']:.3f}" for one in best.get("alternatives") or ()]:
        grid.add_row(Text("also considered: " + ", ".join(others)))
    if before:
        ruled = f"{before.verdict} by {visible(before.reviewer)} on {before.at:%Y-%m-%d}: {visible(before.reason)}"
        grid.add_row(Text(ruled, style="italic"))
    grid.add_row(_deliveries(rows))
    title = Text.assemble(Text(f"{place}  "), slip(*_pair(incident)))
    return Panel(grid, title=title, title_align="left")


@cache
def _words() -> Words:
    """The report's words: what a reviewer reads here is what the report will say."""
    return wording.load()


def _exposure(row: Mapping[str, Any]) -> str:
    """`accepted`, `refused` …: what the logs show, which is never that it was read."""
    return _words().get(f"exposure.{row['exposure']}", row["exposure"] or "")


def _score(row: Mapping[str, Any]) -> str:
    return pieces.score(_words(), row["score"])


def _deliveries(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("submitted", "from", "to", "outcome", "origin", "score"):
        table.add_column(head, justify="right" if head == "score" else "left")
    for row in rows[:SHOWN]:
        cells = (row["submitted_at"], row["sender"], row["recipient"], _exposure(row), row["origin"])
        table.add_row(*(Text(visible(cell or "")) for cell in cells), Text(_score(row)))
    if len(rows) > SHOWN:
        table.add_row(Text(f"… and {len(rows) - SHOWN:,} more"))
    return table


def finding_panel(row: Mapping[str, Any]) -> Panel:
    """One finding with everything that is known of it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column()
    for label, value in (
        ("submitted", row["submitted_at"]),
        ("from", row["sender"]),
        ("to", row["recipient"]),
        ("meant", row.get("intended_address") or row["intended_domain"]),
        ("subject", row["subject"] or "not logged"),
        ("outcome", _exposure(row)),
        ("origin", row["origin"]),
        ("probability", f"{_score(row)} ({row['level'] or ''})"),
    ):
        grid.add_row(Text(label, style="dim"), Text(visible(value or "")))
    for why in row["reasons"]:
        grid.add_row(Text("because", style="dim"), Text(visible(why)))
    return Panel(grid, title=Text(row["delivery_id"]), title_align="left")


def read_key() -> str:
    """One key of the terminal, without Enter and without echo."""
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        return sys.stdin.read(1)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
