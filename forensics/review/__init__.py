"""People's verdicts on what the detector found: recorded in the browser, by command or by a spreadsheet, never
overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.case import Case
from forensics.custody import log
from forensics.errors import UsageError
from forensics.review.sheets import export_csv, import_csv
from forensics.review.verdicts import NewVerdict, orphaned, read, record, record_all
from forensics.rulings import Verdict

if TYPE_CHECKING:
    from forensics.review.web.beside import Rules


@dataclass(frozen=True)
class Reviewed:
    """What one review came to; `lines` say it in words."""

    recorded: tuple[Verdict, ...]
    remembered: tuple[str, ...]
    """Domains added to the known-good ones of case.toml."""
    lines: tuple[str, ...]


def review(
    case: Case,
    *,
    reviewer: str | None = None,
    export_to: Path | None = None,
    import_from: Path | None = None,
    remember: bool = False,
    web: bool = False,
    port: int = 0,
    browser: bool = True,
    read_only: bool = False,
    show: str | None = None,
    rule: str | None = None,
    on: Sequence[str] = (),
    reason: str | None = None,
    rules: Rules | None = None,
    by: log.By = log.NOBODY,
) -> Reviewed:
    """`missent review`: one of the desk in the browser (`web`), a list to rule on written or read back, one pair set
    out (`show`), a ruling (`rule` `on` pairs or findings with its `reason`), or all pairs as they stand.

    `remember` adds the observed domains of incidents that are dismissed now to `known_good` of case.toml. `port`,
    `browser`, `read_only` and `rules` are of the desk (`web.serve`). Raises UsageError for two of them at once, and as
    `record_all`, `import_csv` and `listing.shown` do.
    """
    from forensics.review import listing

    ways = {"--web": web, "--export": export_to, "--import": import_from, "--show": show, "--rule": rule}
    if len(given := [name for name, value in ways.items() if value]) > 1:
        raise UsageError(f"{' and '.join(given)} at once", expected="one of them")
    if not web and (port or read_only):
        raise UsageError("--port, --read-only: are of the desk in the browser", expected="--web beside them")
    if not web and not browser:
        raise UsageError("--no-browser: is of the desk in the browser", expected="--web beside it")
    if not (web or import_from or rule) and (remember or reviewer):
        raise UsageError("--reviewer, --remember: are of rulings", expected="--web, --import or --rule beside them")
    if not rule and (on or reason):
        raise UsageError("--on, --reason: are of a ruling", expected="--rule VERDICT beside them")
    made: Sequence[Verdict]
    if web:
        from forensics.review.web import serve

        made = serve(case, reviewer, port=port, browser=browser, read_only=read_only, rules=rules, by=by)
        if read_only:
            return Reviewed((), (), ())
    elif export_to is not None:
        rows = export_csv(case, export_to)
        return Reviewed((), (), (f"{rows:,} incidents and findings written to {export_to}; `--import` reads it back",))
    elif import_from is not None:
        made = import_csv(case, import_from, reviewer=reviewer, by=by)
    elif rule:
        if not on:
            raise UsageError("--rule: on nothing", expected="--on DOMAIN or --on DELIVERY beside it")
        wanted = listing.rulings(case, on, rule, reason or "")
        made = record_all(case, [(one, reviewer or "") for one in wanted], by=by)
    else:
        return Reviewed((), (), tuple(listing.shown(case, show) if show else listing.listed(case)))
    return _done(case, made, _dismissed(made) if remember else (), by)


def _dismissed(made: Sequence[Verdict]) -> list[str]:
    return [one.observed_domain for one in made if one.verdict == "dismissed" and not one.deliveries]


def _done(case: Case, made: Sequence[Verdict], domains: Sequence[str], by: log.By) -> Reviewed:
    remembered = remember_known_good(case, domains, by)
    counts = {ruling: sum(one.verdict == ruling for one in made) for ruling in ("confirmed", "dismissed", "undecided")}
    lines = [
        f"{len(made):,} {'verdict' if len(made) == 1 else 'verdicts'} recorded: "
        + ", ".join(f"{count:,} {name}" for name, count in counts.items())
    ]
    if remembered:
        lines.append(f"known good from now on: {', '.join(remembered)}; `missent detect` leaves them out")
    if lost := orphaned(case):
        pairs = sorted({f"{one.observed_domain} → {one.intended_domain}" for one in lost})
        lines.append(f"{len(lost):,} verdicts speak of findings that are no longer there: {', '.join(pairs)}")
    return Reviewed(tuple(made), remembered, tuple(lines))


def remember_known_good(case: Case, domains: Sequence[str], by: log.By = log.NOBODY) -> tuple[str, ...]:
    """Add domains to `known_good` of case.toml and say so in the custody log; returns the new ones."""
    from forensics import casefile as cases
    from forensics.custody import manifest, staging

    if not domains:
        return ()
    with staging.change(case, "remember") as staged:
        now = staged.next
        new = tuple(domain for domain in dict.fromkeys(domains) if cases.remember_known_good(now, domain))
        if new:
            manifest.touch(now, "remember", {"known_good": list(new)}, by=by)
    return new


__all__ = [
    "NewVerdict",
    "Reviewed",
    "Verdict",
    "export_csv",
    "import_csv",
    "orphaned",
    "read",
    "record",
    "record_all",
    "review",
]
