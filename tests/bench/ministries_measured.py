"""What the detector makes of the other ministries: the target of the public record's case, counted case by case.

    python -m tests.bench.ministries_measured [--development] [--write NAME]

A case meets the target when all 15 deliveries meant for `.mil` are findings of level medium or above with the right
domain, and at most one of the 40 genuine ones to `.ml` is accused. `--write NAME` stores the figures under that name
in forensics/detector/evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.detector import findings, judging, weighing
from forensics.detector.weighing import Parameters
from tests.bench import labelled, ministries, scoring, tables
from tests.bench.labelled import Corpus
from tests.bench.scoring import Scored

STORED = Path(labelled.ROOT) / "forensics" / "detector" / "evaluation.json"
FLOOR = 0.01


def corpus(seed: int, watched: Sequence[str] = ("*.mil",)) -> Corpus:
    drawn = ministries.draw(seed)
    table = tables.deliveries(drawn.messages, f"gw.{drawn.own}", subjects=drawn.subjects)
    return labelled.corpus(
        f"ministry-{seed}", table, [drawn.own], labelled.labelled_by(tables.truth(drawn.messages)), watched=watched
    )


def to_mali(one: Corpus, using: Parameters) -> list[Scored]:
    """Every domain under `.ml` that was scored."""
    judged = judging.judge(one.evidence, using, keep=FLOOR).pairs
    rows = scoring.scored(one, findings.spread(one.connection, judged)[0])
    return [r for r in rows if r.typed.endswith(".ml")]


def case(one: Corpus, rows: Sequence[Scored]) -> dict[str, Any]:
    """Deliveries of one case: found of the 15, accused of the 40, and of the 15 those to a genuine Malian's domain."""
    everything = one.connection.execute(
        "select count(*) from pairs p join mail m using (writer_local, writer_domain, recipient_local, recipient_domain) "
        "where p.direction = 'outbound' and m.direction = 'outbound' and p.recipient_domain like '%.ml'"
    ).fetchall()[0][0]
    each = [(r.typed, *a) for r in rows for a in r.addresses]
    genuine = {typed for typed, _, _, meant, *_ in each if meant is None}
    slips = [a for a in each if a[3] is not None]
    hit = [a for a in slips if a[1] >= 0.5 and a[2] == a[3]]
    shared = [a for a in slips if a[0] in genuine]
    wrong, found = sum(a[4] for a in slips), sum(a[4] for a in hit)
    accused = sum(a[4] for a in each if a[3] is None and a[1] >= 0.5)
    return {
        "case": one.name,
        "found": found,
        "of": wrong,
        "accused": accused,
        "genuine": everything - wrong,
        "to_a_genuine_domain": sum(a[4] for a in shared),
        "of_these_found": sum(a[4] for a in hit if a[0] in genuine),
        "met": found == wrong and accused <= 1,
    }


def measure(seeds: Sequence[int], using: Parameters, watched: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Figures over all seeds, and what was missed or falsely accused."""
    cases, rows, said = [], [], []
    for seed in seeds:
        one = corpus(seed, watched)
        here = to_mali(one, using)
        cases.append(case(one, here))
        rows += here
        for r in here:
            for score, _, meant, count, *_ in r.addresses:
                if (meant is not None) != (score >= 0.5):
                    what = "missed" if meant else "false"
                    said.append(f"{one.name}: {what} {r.typed} ({score:.3f}, {count})")
        one.connection.close()
    total = {name: sum(c[name] for c in cases) for name in ("found", "of", "accused", "genuine")}
    shared = [sum(c[name] for c in cases) for name in ("of_these_found", "to_a_genuine_domain")]
    return {
        "watched": list(watched),
        "target": scoring.exact(sum(c["met"] for c in cases), len(cases)),
        "found_all": scoring.exact(sum(c["found"] == c["of"] for c in cases), len(cases)),
        "accused_at_most_one": scoring.exact(sum(c["accused"] <= 1 for c in cases), len(cases)),
        "misdirected_found": scoring.exact(total["found"], total["of"]),
        "genuine_accused": scoring.exact(total["accused"], total["genuine"]),
        "to_a_genuine_domain_found": scoring.exact(shared[0], shared[1]),
        "elsewhere_found": scoring.exact(total["found"] - shared[0], total["of"] - shared[1]),
        **scoring.summary(rows),
        "cases": cases,
    }, said


def line(one: dict[str, Any]) -> str:
    """The figures in one line."""
    shown = (
        "target", "found_all", "accused_at_most_one", "misdirected_found", "genuine_accused",
        "to_a_genuine_domain_found", "elsewhere_found",
    )  # fmt: skip
    return "; ".join(f"{n} {one[n]['hits']}/{one[n]['of']} [{one[n]['low']}, {one[n]['high']}]" for n in shown)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--development", action="store_true", help="the seeds for looking, not the frozen ones")
    parser.add_argument("--unwatched", action="store_true", help="without naming *.mil as a watched zone")
    parser.add_argument("--write", metavar="NAME", help="store under this name in evaluation.json")
    options = parser.parse_args(arguments)
    seeds = ministries.DEVELOPMENT if options.development else ministries.FROZEN
    found, said = measure(seeds, weighing.parameters(), () if options.unwatched else ("*.mil",))
    for one in found["cases"]:
        sys.stdout.write(f"{one}\n")
    sys.stdout.write(line(found) + "\n")
    if options.development:
        sys.stdout.write("\n".join(said) + "\n")
    if options.write:
        stored = json.loads(STORED.read_text("utf-8"))
        STORED.write_text(json.dumps(stored | {options.write: found}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
