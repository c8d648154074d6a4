"""The desk's answers: pages out of the case as it stands, rulings into it.

Every ruling carries the ids and the state that its page showed, and is refused with 409 and a fresh page when findings
or verdicts are others by then; the case is held for as long as one ruling takes, and by nobody in between.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from forensics.case import Case
from forensics.custody import log, manifest, quote
from forensics.custody.chain import Clock, now
from forensics.errors import CaseChanged, CaseInUse, MissentError, UsageError, system_error
from forensics.review.verdicts import NewVerdict, record_all
from forensics.review.web import choosing, standing, views, visits
from forensics.review.web.beside import KINDS, Beside, Rules
from forensics.review.web.book import Book, Pair, Row, Shelf
from forensics.review.web.choosing import Chosen
from forensics.review.web.standing import Bench
from forensics.review.web.views import TEMPLATES, Asked, Draft, Sitting
from forensics.rulings import Verdict

PATIENCE = 3.0
"""Seconds that a ruling waits while another command holds the case."""
FIELDS = 64
"""Fields of a form that are read."""


class Desk:
    """One reviewer's desk; its methods are called by several threads. `made` are the rulings recorded here."""

    def __init__(
        self,
        case: Case,
        *,
        read_only: bool,
        rules: Rules | None = None,
        by: log.By = log.NOBODY,
        clock: Clock = now,
    ) -> None:
        self.case, self.by, self.clock = case, by, clock
        self.made: list[Verdict] = []
        self._shelf = Shelf(case)
        self._beside = Beside(case, rules)
        self._lock = threading.RLock()
        self._seated = False
        self._sitting = Sitting(case.folder.absolute().name, "", read_only, None)
        self._bench: tuple[Book, str, Bench] | None = None
        self._chosen: tuple[Bench, object, Chosen] | None = None

    @property
    def named(self) -> bool:
        return self._seated

    def warm(self) -> None:
        """Read the case while the reviewer's name is typed; what is wrong with it is said by the page that needs it."""
        with contextlib.suppress(MissentError, OSError), self._lock:
            self._shelf.book()

    def sit_down(self, reviewer: str) -> None:
        """Name the reviewer, once. Raises UsageError."""
        who = " ".join(reviewer.split())
        with self._lock:
            if self._seated or not (who or self._sitting.read_only):
                raise UsageError("this desk has its reviewer" if self._seated else "nobody is named")
            key = standing.name(who) if not self._sitting.read_only else ""
            before = visits.before(self.case, key)
            book = self._shelf.book()
            note = visits.keep(self.case, key, len(book.verdicts), book.findings)
            name = "" if self._sitting.read_only else who
            self._sitting = replace(self._sitting, reviewer=name, visit=before, note=note)
            self._seated = True

    def page(self, want: Asked) -> str:
        """The page that an address asks for. Evidence may take long to be read again: others are answered meanwhile."""
        with self._lock:
            book, bench, chosen = self._look(want)
            sitting = self._sitting
        return views.page(book, bench, sitting, want, chosen, self._quoted)

    def has(self, pair: str) -> bool:
        """Whether a pair is among the findings now."""
        with self._lock:
            return pair in self._shelf.book().by_id

    def beside(self, kind: str, pair: str) -> str:
        """What stands beside a pair: page one of the report, letters, block rules. Others are answered meanwhile.

        It says what counts, whoever ruled: a second reviewer gets it where it tells them of no ruling but their own.
        """
        with self._lock:
            book, bench = self._stand()
            one = book.by_id.get(pair)
            told = bench.by_pair[pair] if kind == "rules" and one else bench.totals
            hidden = told["second"]
        values = {"pair": one} if hidden else self._beside.values(kind, one)
        return views.beside(kind, values | {"hidden": hidden})

    def listed(self, pair: str, given: Mapping[str, str]) -> str:
        """What a ruling of some extent is on. Raises UsageError for a pair that is gone."""
        want = replace(views.asked(given), pair=pair)
        with self._lock:
            book, _, chosen = self._look(want)
            if given.get("scope") == "queue":
                return views.listed_pairs(chosen)
            one = _pair(book, pair)
            rows = one.findings
            if given.get("scope") == "list":
                rows = chosen.rows.get(pair, ())[want.page * views.LIST :][: views.LIST]
            elif given.get("scope") == "finding":
                rows = tuple(row for row in rows if row["delivery_id"] == want.finding)
            return views.listed(rows)

    def rule(self, form: Mapping[str, str]) -> str:
        """Record one ruling; returns the address to go on at. Raises CaseChanged, CaseInUse, UsageError."""
        want = views.asked(dict(parse_qsl(form.get("query", "").lstrip("?"))))
        with self._lock:
            book, bench, _ = self._look(want)
            if form.get("state") != book.state:
                raise CaseChanged("findings or verdicts have changed since this page was shown")
            pair = _pair(book, form.get("incident", ""))
            self._record(_rulings(form, pair, book, bench), book.state)
            _, bench, chosen = self._look(want)
            return self._onwards(want, pair, form, bench, chosen)

    def undo(self, form: Mapping[str, str]) -> str:
        """Withdraw the reviewer's latest ruling; returns the address to go on at. Raises as `rule` does."""
        want = views.asked(dict(parse_qsl(form.get("query", "").lstrip("?"))))
        reason, number = form.get("reason", "").strip(), form.get("sequence", "")
        with self._lock:
            book, bench, _ = self._look(want)
            if form.get("state") != book.state:
                raise CaseChanged("findings or verdicts have changed since this page was shown")
            if not reason:
                raise UsageError("a withdrawal needs a reason")
            rulings = standing.withdrawal(bench, int(number) if number.isascii() and number.isdigit() else 0, reason)
            self._record(rulings, book.state)
            pairs = {one.pair: one.id for one in book.pairs}
            at = pairs.get((rulings[0].observed_domain, rulings[0].intended_domain), "")
            return "/" + want.filters.query(at=at, done=self.made[-1].sequence)

    def _record(self, rulings: Any, state: str) -> None:
        given = [(ruling, self._sitting.reviewer) for ruling in rulings]
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.made += record_all(self.case, given, by=self.by, shown=state, clock=self.clock)
                return
            except CaseInUse:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _onwards(self, want: Asked, pair: Pair, form: Mapping[str, str], bench: Bench, chosen: Chosen) -> str:
        """To the next open finding of the pair after a ruling on one, else to the next pair with an open one."""
        done = self.made[-1].sequence
        query = want.filters.query
        if form.get("scope") == "finding":
            ids = [row["delivery_id"] for row in chosen.rows.get(pair.id, ())]
            at = ids.index(form["finding"]) + 1 if form.get("finding") in ids else 0
            for delivery in (*ids[at:], *ids[:at]):
                if bench.by_finding[delivery].state == "open":
                    page = ids.index(delivery) // views.LIST
                    return "/" + query(at=pair.id, finding=delivery, list=page, done=done)
        if form.get("verdict") == "note":
            return "/" + query(at=pair.id, done=done)
        return "/" + query(at=chosen.next_open(pair.id, bench), done=done)

    def _stand(self) -> tuple[Book, Bench]:
        book = self._shelf.book()
        who = self._sitting.reviewer
        if self._bench is None or self._bench[0] is not book or self._bench[1] != who:
            earlier = (self._bench[0], self._bench[2]) if self._bench else None
            self._bench = (book, who, standing.bench(book, who, earlier))
        return book, self._bench[2]

    def _look(self, want: Asked) -> tuple[Book, Bench, Chosen]:
        book, bench = self._stand()
        if self._chosen is None or self._chosen[0] is not bench or self._chosen[1] != want.filters:
            new = views.new_ones(book, self._sitting)
            self._chosen = (bench, want.filters, choosing.choose(book, bench, want.filters, new))
        return book, bench, self._chosen[2]

    def _quoted(self, row: Row) -> list[dict[str, Any]]:
        """The records of a finding, read from the evidence now."""
        inventory = manifest.read(self.case)
        known = inventory.evidence_by_id()
        addresses = [(r["evidence"], r["number"], r["offset"], r["length"]) for r in row["records"] or ()]
        found = quote.quote(self.case, inventory, addresses)
        return [
            {
                "evidence": one[0],
                "names": ", ".join(known[one[0]].names) if one[0] in known else "evidence that the case does not know",
                "number": one[1],
                "offset": one[2],
                "length": one[3],
                "text": found[one].decode("utf-8", "backslashreplace") if one in found else None,
            }
            for one in addresses
        ]


def _pair(book: Book, name: str) -> Pair:
    pair = book.by_id.get(name)
    if pair is None:
        raise CaseChanged("this pair is no longer among the findings")
    return pair


_NAMED = {"incident": "", "list": "shown", "finding": "finding", "queue": "queue"}
"""What a ruling is on → the field that names its findings; `queue`: of several pairs."""


def _rulings(form: Mapping[str, str], pair: Pair, book: Book, bench: Bench) -> list[NewVerdict]:
    """What the form says, a ruling for each pair. Raises UsageError, CaseChanged for findings that are not there."""
    scope = form.get("scope", "")
    if scope not in _NAMED:
        raise UsageError(
            "nothing says what the ruling is on", expected="a finding, the list shown, the pair, the queue"
        )
    deliveries = tuple(form.get(_NAMED[scope], "").split()) if _NAMED[scope] else ()
    if scope != "incident" and not deliveries:
        raise UsageError("no finding is named")
    if scope != "queue":
        return [_ruling(form, pair, deliveries, bench)]
    wanted = set(deliveries)
    own = [(one, tuple(d for row in one.findings if (d := row["delivery_id"]) in wanted)) for one in book.pairs]
    if sum(len(found) for _, found in own) != len(wanted):
        raise CaseChanged("findings are named that are no longer there")
    return [_ruling(form, one, found, bench) for one, found in own if found]


def _ruling(form: Mapping[str, str], pair: Pair, deliveries: tuple[str, ...], bench: Bench) -> NewVerdict:
    kind = form.get("verdict", "")
    if not {row["delivery_id"] for row in pair.findings}.issuperset(deliveries):
        raise CaseChanged("findings are named that this pair has not")
    if kind == "note":
        return _noted(pair, deliveries, form.get("reason", ""), bench)
    verdict = "undecided" if kind == "ask" else kind
    if kind == "ask" and not form.get("ask"):
        raise UsageError("no day is named by which the sender is to be asked")
    day = form.get("ask", "") if kind == "ask" else ""
    return NewVerdict(*pair.pair, verdict, form.get("reason", ""), deliveries, day)


def _noted(pair: Pair, deliveries: tuple[str, ...], reason: str, bench: Bench) -> NewVerdict:
    """A note leaves the ruling as it is; undecided where there is none. Raises UsageError where there are several."""
    names = deliveries or [row["delivery_id"] for row in pair.findings]
    held = {(one.verdict, one.ask) if one else None for one in (bench.by_finding[d].mine for d in names)}
    if len(held) > 1:
        raise UsageError("a note on findings that were ruled on differently", expected="findings of one ruling")
    verdict, day = held.pop() or ("undecided", "")
    return NewVerdict(*pair.pair, verdict, reason, deliveries, day)


def application(desk: Desk) -> Starlette:
    """The desk as an ASGI application; `guard.Guard` belongs around it."""

    def index(request: Request) -> Response:
        if not desk.named:
            return HTMLResponse(views.plain("Who rules?", f"Case: {desk.case.folder.absolute().name}", name=True))
        return HTMLResponse(desk.page(views.asked(request.query_params)))

    def beside(request: Request) -> Response:
        if request.path_params["kind"] not in KINDS:
            return PlainTextResponse("Not Found", 404)
        return HTMLResponse(desk.beside(request.path_params["kind"], request.query_params.get("at", "")))

    def listed(request: Request) -> Response:
        return HTMLResponse(desk.listed(request.path_params["pair"], request.query_params))

    async def reviewer(request: Request) -> Response:
        form = await _form(request)
        await run_in_threadpool(desk.sit_down, form.get("reviewer", ""))
        return RedirectResponse("/", 303)

    async def change(request: Request) -> Response:
        form = await _form(request)
        if not desk.named:
            return RedirectResponse("/", 303)
        act = desk.rule if request.url.path == "/rule" else desk.undo
        try:
            return RedirectResponse(await run_in_threadpool(act, form), 303)
        except (CaseChanged, CaseInUse) as error:
            return await run_in_threadpool(_again, desk, form, error, 409)
        except UsageError as error:
            return await run_in_threadpool(_again, desk, form, error, 400)

    return Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/list/{pair}", listed, methods=["GET"]),
            Route("/beside/{kind}", beside, methods=["GET"]),
            Route("/reviewer", reviewer, methods=["POST"]),
            Route("/rule", change, methods=["POST"]),
            Route("/undo", change, methods=["POST"]),
            Route("/desk.css", lambda _: _file("desk.css", "text/css"), methods=["GET"]),
            Route("/desk.js", lambda _: _file("desk.js", "text/javascript"), methods=["GET"]),
        ],
        exception_handlers={MissentError: _told, OSError: _refused, ClientDisconnect: _left},
    )


def _again(desk: Desk, form: Mapping[str, str], error: MissentError, status: int) -> Response:
    """A fresh page, with what was not recorded still there to be recorded."""
    want = views.asked(dict(parse_qsl(form.get("query", "").lstrip("?"))))
    gone = not desk.has(form.get("incident", ""))
    kind = form.get("verdict", "") if "verdict" in form else ""
    why = f"{error.what[:1].upper()}{error.what[1:]}. This is the case as it stands now."
    draft = Draft(kind, form.get("reason", ""), form.get("ask", ""), why, gone, form.get("scope", ""))
    shown = replace(want, pair=form.get("incident", ""), finding=form.get("finding", ""), draft=draft)
    return HTMLResponse(desk.page(shown), status)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, each once. Raises UsageError for anything else."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise UsageError(f"{kind or 'no type'}: not what a form sends")
    try:
        given = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise UsageError("the form cannot be read") from None
    fields = dict(given)
    if len(fields) != len(given):
        raise UsageError("a field of the form is given twice")
    return fields


def _file(name: str, kind: str) -> Response:
    return Response((TEMPLATES / name).read_bytes(), media_type=kind)


def _told(_: Request, error: Exception) -> Response:
    """A fault that a person can do something about, in its own words."""
    status = 400 if isinstance(error, UsageError) else 500
    return HTMLResponse(views.plain("That did not work", str(error)), status)


def _refused(request: Request, error: Exception) -> Response:
    return _told(request, system_error(error) if isinstance(error, OSError) else error)


def _left(_: Request, __: Exception) -> Response:
    return PlainTextResponse("The request is too large.", 413)


__all__ = ["Desk", "application"]
