"""How long the review desk takes: to its first paint, and from a key to the next picture.

    python -m tests.bench.desk [--findings 10000] [--pairs 400] [--times 30]

Makes a case of so many findings (one pair has a third of them), serves it as `missent review --web` does and presses
keys in a headless Chromium. Milliseconds, least, median and greatest: a key is answered when the picture that it asked
for has been drawn, which the page itself notes (the key event's own time stamp; two animation frames after the change).
`ahead` are keys pressed a reading's time apart, so that the page was asked for before; `fast` are pressed at once.
`server` and `page` are processor milliseconds for each key, on average: what stays the same on a machine that others use
too. Prints a table; exits with 1 where a median is above what the desk promises on a quiet machine (1,000 for the first
paint, 100 for a key).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from forensics import schema
from forensics.case import Case
from forensics.custody import manifest, statement
from tests.browser import chromium
from tests.browser.test_desk import key, reached, served
from tests.custody.made import GATEWAY, build, delivery, finding, incident, lines_of, write

PAINT, KEY = 1000, 100
"""Milliseconds that the first paint and a key may take."""
_START = datetime(2023, 3, 1, 8, tzinfo=UTC)
_WATCH = """(() => {
  window.took = null;
  let at = null;
  const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    if (at !== null) { window.took = performance.now() - at; at = null; }
  }));
  addEventListener("keydown", (event) => { at = event.timeStamp; window.took = null; }, true);
  new MutationObserver((changes) => {
    if (changes.some((one) => one.type === "attributes" ? one.target.open
        : [...one.addedNodes].some((node) => node.id === "desk" || node.id === "beside"))) drawn();
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["open"]});
})()"""


def made(folder: Path, findings: int, pairs: int) -> Case:
    """A case of findings without a ruling: the first pair has a third of them, the others share the rest."""
    case = build(folder).case
    cited = lines_of(GATEWAY, hashlib.sha256(GATEWAY).hexdigest())[:8]
    names = [(f"navy{n}.ml", f"navy{n}.mil") for n in range(pairs)]
    sent, found, own = [], [], dict.fromkeys(range(pairs), 0)
    for n in range(findings):
        at = 0 if n % 3 == 0 or pairs == 1 else 1 + n // 3 % (pairs - 1)
        typed, meant = names[at]
        own[at] += 1
        name = hashlib.sha256(str(n).encode()).hexdigest()[:32]
        local = f"recipient{n % 211}"
        sent.append(
            delivery(
                delivery_id=name, queue_id=f"4Q{n:07}", host="gw", submitted_at=_START + timedelta(minutes=17 * n),
                sender=f"sender{n % 97}@example.org", sender_domain="example.org", recipient=f"{local}@{typed}",
                recipient_domain=typed, message_id=f"m{n}@example.org", subject=f"Schedule {n}", records=cited,
                relay_name=f"mx.{typed}", response="250 2.0.0 Ok",
            )
        )  # fmt: skip
        row = finding(name) | {"observed_domain": typed, "intended_domain": meant, "incident_id": f"i{at}"}
        row |= {"intended_address": f"{local}@{meant}", "score": 0.9 + (n % 1000) / 10_001}
        parts = ("address-known", "usage", "suffix", "newcomer", "slip", "returned")
        row["reasons"] = [
            {"name": part, "weight": 1.2 - k / 4, "text": f"{typed} was typed for {meant}: {part}.", "source": "ours"}
            for k, part in enumerate(parts)
        ]
        found.append(row)
    listed = [
        incident(
            incident_id=f"i{at}", observed_domain=typed, intended_domain=meant, messages=own[at], exposed=own[at],
            recipients=min(own[at], 211), senders=min(own[at], 97),
        )
        for at, (typed, meant) in enumerate(names) if own[at]
    ]  # fmt: skip
    write(sent, next(case.deliveries.rglob("*.parquet")), schema.DELIVERIES)
    write(found, case.findings, schema.FINDINGS)
    write(listed, case.incidents, schema.INCIDENTS)
    told = {**statement.recorded(case), "values": statement.values(case)}
    case.detection.write_text(json.dumps({"case_toml": told}))
    manifest.record(case, "detect", command=[], started=_START)
    return case


class Watched:
    """A page that notes how long each key took, and what the server and the page worked for it."""

    def __init__(self, page: chromium.Page, server: int) -> None:
        self.page, self._server = page, server
        self.took: dict[str, list[float]] = {}
        self.worked: dict[str, list[tuple[float, float]]] = {}
        page.call("Performance.enable", timeDomain="threadTicks")

    def work(self) -> tuple[float, float]:
        """Processor milliseconds of the server and of the page until now."""
        times = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        metrics = self.page.call("Performance.getMetrics")["metrics"]
        page = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        return 1000 * (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"), 1000 * page

    def series(self, said: str, name: str, times: int, pause: float = 0.0) -> None:
        """One key many times; `said` is the line of the table that it counts for."""
        before = self.work()
        for _ in range(times):
            time.sleep(pause)
            self.press(said, name)
        after = self.work()
        self.worked[said] = [((after[0] - before[0]) / times, (after[1] - before[1]) / times)]

    def press(self, said: str, name: str, condition: str = "true") -> None:
        """One key, until its answer is drawn."""
        self.page.run("window.took = null")
        key(self.page, name)
        reached(self.page, f"window.took !== null && ({condition})")
        self.took.setdefault(said, []).append(float(self.page.run("window.took")))


def measured(case: Case, times: int) -> Watched:
    """What was done, and how long it took."""
    with (
        chromium.page() as page,
        tempfile.TemporaryDirectory() as state,
        served(case.folder, state=Path(state)) as desk,
    ):
        page.size(1300, 900)
        page.visit(desk.link)
        reached(page, "document.activeElement.name == 'reviewer'")
        time.sleep(2)  # a name takes as long to type
        page.run(_WATCH)
        watched = Watched(page, desk.process.pid)
        page.type("R. Examiner")
        watched.press("from the name to the desk", "Enter")
        for _ in range(3):
            page.visit(desk.address)
            paint = page.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            watched.took.setdefault("first paint", []).append(float(paint))
        page.run(_WATCH)
        for said, names, pause in (
            ("j, ahead", "j", 0.6),
            ("j, fast", "j", 0.0),
            ("k", "k", 0.1),
        ):
            watched.series(said, names, times, pause)
        page.visit(desk.address + "?at=i0")
        page.run(_WATCH)
        for said, name, pause in (("J, ahead", "J", 0.6), ("J, fast", "J", 0.0), ("K", "K", 0.0)):
            watched.series(said, name, times, pause)
        watched.series("page of a long list", ">", times)
        for _ in range(times):
            watched.press("c, the panel", "c", "document.querySelector('#rule').open")
            key(page, "Escape")
            reached(page, "!document.querySelector('#rule').open")
        page.visit(desk.address + "?at=i0")
        page.run(_WATCH)
        key(page, "p")
        reached(page, "document.querySelector('#beside h2') && !document.querySelector('[aria-busy]')")
        for said, name in (("j, page one beside", "j"), ("k, page one beside", "k")):
            watched.series(said, name, times)
        key(page, "p")
        for n in range(times):
            page.visit(desk.address + f"?at=i{1 + n}")
            page.run(_WATCH)
            key(page, "c")
            reached(page, "document.querySelector('#rule').open && document.querySelector('.on .lines')")
            before = watched.work()
            watched.press("a ruling, to the next pair", "Enter", "!document.querySelector('dialog[open]')")
            after = watched.work()
            own = watched.worked.setdefault("a ruling, to the next pair", [])
            own.append((after[0] - before[0], after[1] - before[1]))
        return watched


def main(given: Sequence[str]) -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--findings", type=int, default=10_000)
    asked.add_argument("--pairs", type=int, default=400)
    asked.add_argument("--times", type=int, default=20)
    wanted: Any = asked.parse_args(given)
    if chromium.found() is None:
        print("no Chromium is installed (or set CHROMIUM to one): nothing was measured", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        took = measured(made(Path(folder), wanted.findings, wanted.pairs), wanted.times)
    late = 0
    busy = f"{os.getloadavg()[0]:.1f} processes want {os.cpu_count()} processors"
    print(f"{wanted.findings:,} findings, {wanted.pairs:,} pairs; milliseconds; {busy}")
    print(f"{'':32}{'least':>8}{'median':>8}{'most':>8}{'may be':>8}{'server':>8}{'page':>8}")
    for said, values in took.took.items():
        may = PAINT if said in ("first paint", "from the name to the desk") else KEY
        late += statistics.median(values) > may
        shown = "".join(f"{value:8.0f}" for value in (min(values), statistics.median(values), max(values), may))
        work = took.worked.get(said, ())
        spent = "".join(f"{statistics.mean(one):8.0f}" for one in zip(*work, strict=True))
        print(f"{said:32}{shown}{spent}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
