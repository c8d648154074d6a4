"""Whose mail it is, and what people say of other domains: options of the commands, remembered in case.toml.

A domain of the organisation is believed only where the deliveries have it: with a wrong one every direction turns
round, and nothing is weighed. One that differs from the case's is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forensics.arguments import checked
from forensics.case import Case, refuse
from forensics.errors import OrganisationDiffers, UsageError

if TYPE_CHECKING:
    from forensics.custody.manifest import Manifest


@checked
def create_or_update(
    case: Case,
    *,
    org: Sequence[str] = (),
    org_add: bool = False,
    org_replace: bool = False,
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
) -> None:
    """Make the case if it is not there; remember what the options say in its case.toml.

    Raises OrganisationDiffers when the case has domains and `org` others, unless `org_add` or `org_replace` says what
    becomes of them.
    """
    from forensics import casefile as case_files
    from forensics import domains
    from forensics.report import asking

    refuse(case, org=org, watch=watch, known_good=known_good)
    agree(case, org, add=org_add, replace=org_replace)
    if not case.toml.exists():
        questions = asking.template()
        case_files.create(case, domains.clean(org), watched=watch, known_good=known_good, questionnaire=questions)
        return
    existing = case_files.read(case)
    given = case_files.CaseFile(
        organisation=case_files.Organisation(domains=tuple(org)),
        domains=case_files.Domains(known_good=tuple(known_good), watched=tuple(watch)),
    )
    if org_replace:
        case_files.remember(case, "organisation", "domains", given.organisation.domains, instead=True)
    # A domain covers its subdomains: one that lies below another says nothing new.
    below = [one for one in given.organisation.domains if domains.within(one, existing.organisation.domains)]
    for table, key, old, wanted in (
        ("organisation", "domains", (*existing.organisation.domains, *below), given.organisation.domains),
        ("domains", "watched", existing.domains.watched, given.domains.watched),
        ("domains", "known_good", existing.domains.known_good, given.domains.known_good),
    ):
        if missing := [value for value in wanted if value not in old]:
            case_files.remember(case, table, key, missing)


def agree(case: Case, org: Sequence[str], *, add: bool = False, replace: bool = False) -> None:
    """Refuse, before any work, domains of the organisation that the case does not have, unless it is said whether they
    are added to its own or take their place. Raises OrganisationDiffers, UsageError."""
    from forensics import casefile as case_files
    from forensics import domains

    if add and replace:
        raise UsageError("--org-add and --org-replace", expected="one of them")
    if (add or replace) and not org:
        raise UsageError(
            f"--org-{'add' if add else 'replace'}: no domain is named", expected="--org DOMAIN beside it (repeatable)"
        )
    if add or replace or not org or not case.toml.exists():
        return
    known = case_files.read(case).organisation.domains
    other = [one for one in domains.clean(org) if not domains.within(one, known)]
    if known and other and case.manifest.exists():
        from forensics.custody import manifest

        other = [one for one in other if one not in manifest.read(case).unseen_domains]
    if known and other:
        raise OrganisationDiffers(
            f"--org {', '.join(other)}: the case is about {', '.join(known)}",
            remedy="--org-add if both are the organisation's, --org-replace if only what --org names is; "
            "or another case, with --case",
        )


def unseen_settings(before: Manifest | None, org: Sequence[str], unseen: Sequence[str]) -> dict[str, list[str]]:
    """What the manifest keeps of domains that were named as the organisation's and stand in no delivery: they are no
    part of the case, but to name the same ones again is nothing new."""
    earlier = before.unseen_domains if before else ()
    kept = unseen if org else earlier
    return {"unseen_domains": sorted(kept)} if kept or earlier else {}


def remember(
    case: Case, *, org: Sequence[str], replace: bool, watch: Sequence[str], known_good: Sequence[str]
) -> tuple[str, ...]:
    """What the options say, in case.toml; returns the domains of `org` that are not kept there, because no sender or
    recipient of the deliveries has them. Raises UsageError when none of those has that are to take others' place."""
    from forensics import store

    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    if org:
        with store.connect(case, directed=False) as connection:
            seen, unseen = store.mentioned(connection, org)
    if replace and not seen:
        raise UsageError(
            f"--org-replace: no sender or recipient in the evidence is of {', '.join(unseen)}",
            expected="a domain of the organisation as it stands in its logs",
        )
    create_or_update(case, org=seen, org_add=bool(seen) and not replace, org_replace=replace, watch=watch,
                     known_good=known_good)  # fmt: skip
    return unseen
