"""Annex F: the page by which anybody can check a report with a shell and a pocket calculator.

Its commands are run by a test as they stand. In the redacted edition files are called by their numbers in Annex B.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import sums
from forensics.report.text.context import Context
from forensics.report.text.prose import say
from forensics.report.text.wording import Words

RECORDS = 12
"""Records of the one finding that the page prints."""


def page(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """The annex, on a page of its own."""
    words = context.words
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_f"), "annex_f")
    yield b.Para(say(words, "byhand.intro"), "note")
    evidence = {one.ref: one for one in facts.evidence}
    finding = example(facts)
    file = evidence[finding.records[0].evidence] if finding else next((e for e in facts.evidence if e.packing), None)
    yield from _evidence(words, file)
    if finding is None or file is None:
        if facts.findings:
            yield b.Para(say(words, "byhand.records_none"))
    else:
        yield from _records(words, finding, file)
    scored = finding or next(iter(facts.findings), None)
    if scored:
        yield from _score(words, scored)
    header = facts.header
    digests = {"tables": b.code(header.tables_digest), "state": b.code(header.case_state)}
    yield b.Para(say(words, "byhand.tables", **digests))
    yield b.Listing((r"""grep -o '"tables_digest": "[0-9a-f]*"' again/reports/incident.json""",))
    yield b.Para(say(words, "byhand.sealed"))


def example(facts: f.Facts) -> f.Finding | None:
    """The finding with the fewest records among those that lie, line by line, in one file that a shell can print."""
    printable = {one.ref for one in facts.evidence if one.packing and one.plain_lines}
    found = [
        x
        for x in facts.findings
        if x.state in ("confirmed", "suspected")
        and x.records
        and {record.evidence for record in x.records} <= printable
        and len({record.evidence for record in x.records}) == 1
    ]
    return min(found, key=lambda x: len(x.records), default=None)


def _name(one: f.Evidence) -> str:
    """The file in a command, quoted; a name that is a token or holds what cannot be seen is called by its number."""
    name = one.names[0] if one.names else one.ref
    plain = name.isprintable() and not name.startswith("file-")
    quoted = shlex.quote(name if plain else one.ref)
    return f"./{quoted}" if quoted.startswith("-") else quoted


def _evidence(words: Words, file: f.Evidence | None) -> Iterator[b.Block]:
    if file is None:
        yield b.Para(say(words, "byhand.evidence_none"))
        return
    digests = {"file": b.code(file.file_sha256), "content": b.code(file.content_sha256)}
    yield b.Para(say(words, "byhand.evidence", ref=file.ref, **digests))
    yield b.Listing((f"sha256sum {_name(file)}", f"{file.packing} {_name(file)} | sha256sum"))


def _records(words: Words, finding: f.Finding, file: f.Evidence) -> Iterator[b.Block]:
    numbers = sorted({record.number for record in finding.records})
    shown = numbers[:RECORDS]
    key = "byhand.records" if len(shown) == len(numbers) else "byhand.records_more"
    who = {"sender": b.code(finding.sender or "<>"), "recipient": b.code(finding.recipient)}
    yield b.Para(say(words, key, n=len(numbers), shown=len(shown), finding=finding.ref, ref=file.ref, **who))
    printed = ";".join(f"{number}p" for number in shown)
    yield b.Listing((f"{file.packing} {_name(file)} | sed -n '{printed}'",))


def _score(words: Words, finding: f.Finding) -> Iterator[b.Block]:
    made = sums.of(finding)
    total = f"{made.total / 1000:.3f}"
    score = f"{made.probability:.4f}"
    yield b.Para(say(words, "byhand.score", finding=finding.ref, total=b.code(total), score=b.code(score)))
    parts = " ".join(f"{part / 1000:+.3f}" for part in (made.prior, *made.parts))
    # A page may break the line of numbers wherever it likes; the others are short.
    yield b.Listing(
        (
            f"numbers='{parts}'",
            """echo $numbers | tr ' ' '\\n' | awk '{ sum += $1 } END { printf "%.3f\\n", sum }'""",
            f"""awk 'BEGIN {{ x = 10 ^ ({total}); printf "%.4f\\n", x / (1 + x) }}'""",
        )
    )
