"""What case.toml says of evidence, beside what it said when the evidence was read.

Year, zone, host, order of dates and carriers decide the tables; so an edit of `[[sources]]` counts from the next ingest
on, and no later stage may take it for what its tables were made by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from forensics.case import Case, argument
from forensics.custody import places
from forensics.custody.entries import Manifest
from forensics.errors import CaseError, VerificationFailed
from forensics.loaders.settings import Settings

if TYPE_CHECKING:
    from forensics.casefile import CaseFile, SourceSettings

KEY = "sources"


def written(inventory: Manifest | None) -> tuple[SourceSettings, ...]:
    """What case.toml said of sources when evidence was last read."""
    from forensics.casefile import SourceSettings

    try:
        return tuple(SourceSettings(**one) for one in (inventory.settings.get(KEY, ()) if inventory else ()))
    except (TypeError, ValueError) as error:
        raise VerificationFailed(f"manifest.json: the sources among its settings were altered ({error})") from None


def differing(inventory: Manifest, sources: Sequence[SourceSettings]) -> Iterator[tuple[str, str]]:
    """(name, what) of evidence of which `sources` say other things than were said when it was read."""
    before, now = Settings(sources=written(inventory)), Settings(sources=tuple(sources))
    if before == now:
        return
    for one in inventory.evidence:
        for name in one.names:
            then, today = before.said(name), now.said(name)
            yield from ((name, what) for what in then if then[what] != today[what])


def alike(case: Case, casefile: CaseFile, inventory: Manifest) -> None:
    """Raises CaseError when case.toml says other things of the evidence by now than when `ingest` read it: findings and
    reports would speak of tables that were made otherwise."""
    found = next(differing(inventory, casefile.sources), None)
    if found is None:
        return
    name, what = found
    place = next(one.locations[0] for one in inventory.evidence if name in one.names)
    log = places.given(case, place)
    again = f"missent ingest {'LOG…' if log == '-' else argument(log)} --case {argument(case.folder)}"
    raise CaseError(
        f"{case.toml}: sources: {what} of {name} changed since `missent ingest` read it",
        expected="tables of the same settings",
        remedy=f"run `{again}`, which reads again what that bears on, or undo the change",
    )


def unmatched(inventory: Manifest) -> list[str]:
    """Entries of `[[sources]]` that speak of no evidence of the case, by what they call it."""
    names = {name for one in inventory.evidence for name in one.names}
    each = [Settings(sources=(one,)) for one in written(inventory)]
    return [one.sources[0].file for one in each if not any(map(one.speaks_of, names))]
