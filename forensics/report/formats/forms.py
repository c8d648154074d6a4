"""Forms to print and sign: the examiner's declaration, the chain of custody with signatures, the quoted log lines.

They name people and quote the logs, so they exist in the full edition alone. What the examiner declares follows
ISO/IEC 27042 (qualification, own work, limits) in general words; no court's own statement is made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.text import passages, pieces
from forensics.report.text.context import Context, Quoted
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import Words

HAND_OVERS = 4
"""Empty places to sign on each sheet."""
MOST = 2_000
"""Records that the extract quotes."""
LONGEST = 4_000
"""Characters of a record that are quoted."""


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """File name → form."""
    words = context.words
    made = {
        "declaration.txt": _declaration(facts, words),
        "chain-of-custody.txt": _custody(facts, words),
        "extract.txt": _extract(facts, words, context.quotes),
    }
    return {name: ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace") for name, lines in made.items()}


def _head(facts: f.Facts, words: Words, form: str) -> Iterator[str]:
    h = facts.header
    if h.handling:
        yield visible(h.handling)
        yield ""
    title = words(f"forms.{form}.title")
    yield from (title, "=" * len(title), "")
    reference = visible(h.reference or words("answer.missing"))
    yield words(
        "forms.case",
        reference=reference,
        organisation=visible(h.organisation) or words("forms.no_organisation"),
        digest=h.case_state[:16],
    )
    yield from ("", words(f"forms.{form}.note"), "")


def _heading(text: str) -> tuple[str, ...]:
    return ("", text, "-" * len(text))


def _declaration(facts: f.Facts, words: Words) -> Iterator[str]:
    yield from _head(facts, words, "declaration")
    answers = {key: _answer(facts, words, f"report.{key}") for key in ("author", "qualification")}
    yield words("forms.declaration.who", **answers)
    yield from _heading(words("forms.declaration.examined"))
    for one in facts.evidence:
        yield words(
            "forms.declaration.evidence",
            ref=one.ref,
            names=visible("; ".join(one.names)),
            size=one.file_bytes,
            file=one.file_sha256,
            content=one.content_sha256,
        )
    m, seen, groups = facts.method, facts.coverage, facts.groups
    digests = {"settings": m.settings_digest[:16], "suffixes": m.suffix_list_digest[:16]}
    yield from ("", words("forms.declaration.method", version=m.version, **digests))
    yield from _heading(words("forms.declaration.limits"))
    yield words("forms.declaration.unread", unread=seen.unread, records=seen.records, skipped=len(seen.skipped))
    damaged = [one.ref for one in facts.evidence if one.damage]
    if damaged:
        yield words("forms.declaration.damaged", n=len(damaged), files=words.join(damaged))
    yield words("forms.declaration.signs", n=sum(one.records for one in seen.losses))
    silent = sum(len(one.silent_days) for one in seen.gateways)
    yield words("forms.declaration.silent", uncovered=passages.uncovered_days(facts), silent=silent)
    states = {key: getattr(groups, key).deliveries.value for key in f.STATES}
    yield words("forms.declaration.unseen", **states)
    yield from _heading(words("forms.declaration.declare"))
    for key in ("own", "facts", "range", "changed", "interest", "tell"):
        yield words("forms.tick", text=words(f"forms.declaration.{key}"))
    yield from ("", "", words("forms.declaration.sign"))


def _answer(facts: f.Facts, words: Words, key: str) -> str:
    item = facts.questionnaire[key]
    return visible(item.answer) if item.answer else words("forms.missing", question=words(f"item.{key}.question"))


def _custody(facts: f.Facts, words: Words) -> Iterator[str]:
    yield from _head(facts, words, "custody")
    kept = facts.custody
    for key, said in (("acquisition", kept.acquisition), ("clock", kept.clock)):
        yield words(f"forms.custody.{key}", said=_said(said, words))
    yield from _heading(words("forms.custody.recorded"))
    for one in kept.handed_over:
        why = "; ".join(part for part in (one.place, one.why) if part)
        values = {"at": one.at, "what": one.what, "given": one.given_by, "taken": one.taken_by, "why": why}
        yield words("forms.custody.handed", **{name: visible(str(value)) for name, value in values.items()})
    if not kept.handed_over:
        yield words("forms.custody.none")
    for evidence in facts.evidence:
        yield from _sheet(evidence, words)


def _said(said: f.Said | None, words: Words) -> str:
    if said is None:
        return words("forms.custody.not_stated")
    by, on = said.by or words("forms.custody.nobody"), said.on or words("forms.custody.undated")
    return words("forms.custody.said", statement=visible(said.statement), by=visible(by), on=on)


def _sheet(one: f.Evidence, words: Words) -> Iterator[str]:
    """One piece of evidence; a form feed before it begins a page where a printer knows that."""
    title = words("forms.custody.item", ref=one.ref)
    yield from ("", "\f" + title, "=" * len(title))
    yield words("forms.custody.names", names=visible("; ".join(one.names)))
    yield words("forms.custody.size", file=one.file_bytes, content=one.content_bytes)
    yield words("forms.custody.digest", file=one.file_sha256, content=one.content_sha256)
    yield words("forms.custody.check")
    yield from _heading(words("forms.custody.rows"))
    for _ in range(HAND_OVERS):
        yield from (words("forms.custody.row"), "")


def _extract(facts: f.Facts, words: Words, quotes: dict[tuple[str, int], Quoted] | None) -> Iterator[str]:
    yield from _head(facts, words, "extract")
    head = tallies.headline(facts.findings)
    total = sum(len(finding.records) for finding in head)
    done = 0
    for finding in head:
        yield ""
        yield words(
            "forms.extract.finding",
            ref=finding.ref,
            at=f"{finding.submitted_at:%Y-%m-%d %H:%M:%S}",
            outcome=pieces.became(words, finding),
            state=words(f"state.{finding.state}"),
        )
        for record in finding.records:
            if done == MOST:
                break
            done += 1
            yield from _record(record, (quotes or {}).get((record.evidence, record.number)), words)
    if done < total:
        yield from ("", words("forms.extract.cut", shown=done, n=total))


def _record(record: f.Record, quoted: Quoted | None, words: Words) -> Iterator[str]:
    if quoted is None:
        yield f"  {record.evidence}: {record.number}: {words('forms.extract.missing')}"
        return
    digest = hashlib.sha256(quoted.content).hexdigest()
    place = {"evidence": record.evidence, "number": str(record.number), "offset": str(quoted.offset)}
    yield "  " + words("forms.extract.record", **place, length=str(len(quoted.content)), digest=digest)
    yield "    " + visible(cut(quoted.text.rstrip("\r\n"), LONGEST))
