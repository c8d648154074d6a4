"""A case before its first evidence: made if it is not there, and told what the options say."""

from __future__ import annotations

from collections.abc import Sequence

from forensics import casefile as case_files
from forensics import domains
from forensics.case import Case, refuse
from forensics.casefile import CaseFile
from forensics.report import asking


def prepare(case: Case, *, org: Sequence[str] = (), watch: Sequence[str] = (), known_good: Sequence[str] = ()) -> None:
    """Make the case if it is not there; remember what the options say in its case.toml."""
    refuse(case, org=org, watch=watch, known_good=known_good)
    if not case.toml.exists():
        asked = asking.template()
        case_files.create(case, domains.clean(org), watched=watch, known_good=known_good, questionnaire=asked)
        return
    held = case_files.read(case)
    given = CaseFile(
        organisation=case_files.Organisation(domains=tuple(org)),
        domains=case_files.Domains(known_good=tuple(known_good), watched=tuple(watch)),
    )
    for table, key, old, wanted in (
        ("organisation", "domains", held.organisation.domains, given.organisation.domains),
        ("domains", "watched", held.domains.watched, given.domains.watched),
        ("domains", "known_good", held.domains.known_good, given.domains.known_good),
    ):
        if missing := [value for value in wanted if value not in old]:
            case_files.remember(case, table, key, missing)
