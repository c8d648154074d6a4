"""Rules of a case as files: `missent block`, `missent watch-list`, and what the desk shows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import casefile as case_files
from forensics.arguments import checked
from forensics.blocking import rules as finding
from forensics.blocking import writing
from forensics.blocking.rules import Block
from forensics.case import Case
from forensics.errors import UsageError, naming
from forensics.report.text.visible import visible

if TYPE_CHECKING:
    from forensics.review.web.beside import Refusals

BLOCK_FORMATS = ("postfix", "exchange", "online", "list")
"""Written when no format is named."""
BLOCK_DAYS = 90
"""After these rules say that they are to be taken out."""


@dataclass(frozen=True)
class Blocked:
    """What `block` wrote. `rules`: kind, value, meant, and the deliveries of the case that each would have refused;
    `left`: what got no rule, and why; `expires`: the day on which the rules are meant to be taken out."""

    files: tuple[Path, ...]
    rules: tuple[Mapping[str, Any], ...]
    left: tuple[Mapping[str, Any], ...]
    expires: date


@checked
def watch_list(
    names: Sequence[str], *, limit: int | None = None, case_dir: str | Path | None = None
) -> list[dict[str, Any]]:
    """Lookalikes of the given domains that one slip reaches, most probable first. Raises UsageError for no domain.

    With a case, `*.mil` stands for every domain below it that the organisation wrote to; rows stand by probability
    times deliveries, and names in genuine use by the organisation are left out.
    """
    from forensics.detector import watchlist

    if case_dir is None:
        return watchlist.watch_list(names, limit=limit)
    from forensics import views
    from forensics.custody import staging

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    with views.connect(case, casefile.organisation.domains) as connection:
        traffic = finding.genuine(connection)
    own = [*traffic, *casefile.domains.known_good, *casefile.organisation.domains]
    # A name above one in use is in use: many servers read a rule on it with the names below.
    used = {".".join(labels[n:]) for labels in (name.split(".") for name in own) for n in range(len(labels) - 1)}
    return watchlist.watch_list(names, limit=limit, traffic=traffic, used=used)


@checked
def block(
    case_dir: str | Path,
    *,
    formats: Sequence[str] = BLOCK_FORMATS,
    out: str | Path = "block",
    days: int = BLOCK_DAYS,
    as_of: datetime | None = None,
) -> Blocked:
    """Write rules that stop further mail to the typed domains of confirmed pairs; nothing else gets a rule.

    `formats`: of `forensics.blocking.FORMATS`; `rpz`, which cuts all use of a name, only when it is asked for. `days`
    after `as_of` (default: now) the rules say that they are to be taken out. Raises UsageError for an unknown format or
    an `out` that is not empty; writes nothing where no pair is confirmed.
    """
    return _ruled(case_dir, finding.made, formats, out, days, as_of)


@checked
def watch_rules(
    names: Sequence[str],
    case_dir: str | Path,
    *,
    limit: int | None = None,
    formats: Sequence[str] = BLOCK_FORMATS,
    out: str | Path = "watch",
    days: int = BLOCK_DAYS,
    as_of: datetime | None = None,
) -> Blocked:
    """Write a watch list in the formats of block rules, tried on the case like them: what is in genuine use gets none.

    Raises UsageError as `watch_list` and `block` do.
    """
    rows = watch_list(names, limit=limit, case_dir=case_dir)

    def make(connection: Any) -> Block:
        return finding.watched(connection, rows)

    return _ruled(case_dir, make, formats, out, days, as_of, watch=True)


def _ruled(
    case_dir: str | Path,
    make: Callable[[Any], Block],
    formats: Sequence[str],
    out: str | Path,
    days: int,
    as_of: datetime | None,
    *,
    watch: bool = False,
) -> Blocked:
    from forensics import views
    from forensics.custody import manifest, staging

    what = "watch-list" if watch else "block"
    wanted = [name.strip() for one in formats for name in one.split(",")]
    if unknown := sorted(set(wanted) - set(writing.FORMATS)):
        raise UsageError(f"{what}: {', '.join(unknown)}: no such format", expected=", ".join(writing.FORMATS))
    if days < 1:
        raise UsageError(f"{what}: {days} days", expected="at least one day")
    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    manifest.intact(case, manifest.read(case), ("deliveries", "findings"))
    place = Path(out)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{what}: {place} is there already", remedy="name an empty or a new folder with --out")
    with views.connect(case, casefile.organisation.domains) as connection:
        found = make(connection)
    made = (as_of or datetime.now(UTC)).date()
    until = made + timedelta(days=days)
    written: list[Path] = []
    if found.rules:
        name = visible(case.folder.resolve().name)
        with naming(place):
            place.mkdir(parents=True, exist_ok=True)
            for file, content in writing.files(found, wanted, name, made, until, watch=watch).items():
                (place / file).write_bytes(content)
                written.append(place / file)
    rules = tuple({"kind": r.kind, "value": r.value, "meant": list(r.meant), **asdict(r.exact)} for r in found.rules)
    return Blocked(tuple(written), rules, tuple(asdict(one) for one in found.left), until)


def refusals(case: Case) -> Callable[[str], Refusals]:
    """The block rules of a case by typed domain, as `block` would write them today."""
    from forensics import views
    from forensics.review.web.beside import Refusals

    casefile = case_files.read(case)
    with views.connect(case, casefile.organisation.domains) as connection:
        found = finding.made(connection)
    name, today = visible(case.folder.resolve().name), datetime.now(UTC).date()

    def of(typed: str) -> Refusals:
        own = found.of(typed)
        rules = writing.files(own, BLOCK_FORMATS, name, today, today + timedelta(days=BLOCK_DAYS)) if own.rules else {}
        files = {file: content.decode("utf-8") for file, content in rules.items()}
        return Refusals(files, tuple(one.said for one in own.left))

    return of
