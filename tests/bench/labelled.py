"""The development corpora as labelled tables for fitting and evaluating the detector.

Reads the corpora folder (`MISSENT_CORPORA`, default `../shared/corpora`) and deliveries tables: `TABLES/NAME.parquet` where a
folder is given, else the product's own ingest of the logs.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from forensics import domains
from forensics.detector import channel, detection, history, judging
from forensics.detector.candidates import Candidate
from forensics.detector.slips import classify

ROOT = Path(__file__).resolve().parents[2]


def corpora() -> Path:
    """The corpora folder. Raises FileNotFoundError when it is absent."""
    folder = Path(os.environ.get("MISSENT_CORPORA", ROOT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no corpora here; set MISSENT_CORPORA")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@dataclass(frozen=True)
class Slips:
    """Hand-labelled pairs for the channel: features, labels, and the pair's component."""

    x: np.ndarray
    y: np.ndarray
    component: np.ndarray
    kinds: list[str]


@dataclass(frozen=True)
class Corpus:
    """One organisation's log: candidates, measurements, and the truth of every row.

    `y`: 1 where the row's candidate is what the writer meant. `group`: (writer, address). `known`: rows whose truth a
    person or a generator stated; the others are taken as genuine. `component`: fold key of each row.
    """

    name: str
    found: list[Candidate]
    measured: pa.Table
    frame: pd.DataFrame
    group: np.ndarray
    y: np.ndarray
    component: np.ndarray


def connect(parquet: Path, org: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """DuckDB with the view `deliveries` over one Parquet file, `direction` computed."""
    inside = [d for d in org]

    def test(column: str) -> str:
        return "(" + " or ".join(f"{column} = '{d}' or {column} like '%.{d}'" for d in inside) + ")"

    connection = duckdb.connect()
    connection.execute("set threads = 2; set TimeZone = 'UTC'")
    connection.execute(
        f"""create view deliveries as select *, case
            when {test("sender_domain")} and {test("recipient_domain")} then 'internal'
            when {test("sender_domain")} then 'outbound' when {test("recipient_domain")} then 'inbound'
            else 'relayed' end as direction from '{parquet}'"""
    )
    return connection


class Components:
    """Connected components of registered domains: what may not lie on both sides of a fold."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        self.parent.setdefault(name, name)
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def join(self, a: str, b: str) -> None:
        x, y = sorted((self.find(registered(a)), self.find(registered(b))))
        self.parent[y] = x

    def of(self, name: str) -> str:
        return self.find(registered(name))


def registered(name: str) -> str:
    return domains.split(name).registered or name


def slips(components: Components) -> Slips:
    """`slips/labelled.tsv`: cases and controls of the channel. Pairs that no single slip explains are left out."""
    x, y, comp, kinds = [], [], [], []
    for row in rows(corpora() / "slips" / "labelled.tsv"):
        typed, meant = domains.a_label(row["observed"]), domains.a_label(row["intended"])
        slip = classify(typed, meant)
        if slip is None:
            continue
        components.join(typed, meant)
        x.append(channel.features(typed, meant, slip))
        y.append(int(row["label"]))
        comp.append(meant)
        kinds.append(slip.kind)
    return Slips(np.array(x), np.array(y), np.array([components.of(c) for c in comp]), kinds)


def corpus(
    name: str,
    parquet: Path,
    org: list[str],
    truth: Callable[[pd.DataFrame], np.ndarray],
    components: Components | None = None,
    watched: Iterable[str] = (),
) -> Corpus:
    """Measure one log; `truth` gives 1 for the rows whose candidate was meant, NaN for rows to leave out."""
    connection = connect(parquet, org)
    history.build(connection)
    evidence = detection.gather(connection, org, list(watched), [])
    frame = evidence.measured.to_pandas()
    y = truth(frame)
    keep = ~np.isnan(y)
    measured, frame, y = evidence.measured.filter(pa.array(keep)), frame[keep].reset_index(drop=True), y[keep]
    components = components or Components()
    for typed, meant, right in zip(frame.rd, frame.meant, y, strict=True):
        if right:
            components.join(typed, meant)
    component = np.array([components.of(typed) for typed in frame.rd])
    return Corpus(name, evidence.found, measured, frame, judging.groups(measured), y, component)


def replay_truth(frame: pd.DataFrame) -> np.ndarray:
    """Pairs labelled mistyped in `pairs.tsv`; everything else counts as genuine (the corpora's README)."""
    wrong = {
        (r["observed"], r["intended"]) for r in rows(corpora() / "replay-intel" / "pairs.tsv") if r["label"] == "1"
    }
    return np.array([float(pair in wrong) for pair in zip(frame.rd, frame.meant, strict=True)])


def albion_truth(frame: pd.DataFrame) -> np.ndarray:
    """`truth.tsv` of both gateways; the list's mistyped member is told in the corpora's README."""
    wrong: dict[tuple[str, str], str] = {("ops-desk@albion-defence.uk", "jtaylor7@navy.ml"): "jtaylor7@navy.mil"}
    for folder in ("postfix-albion", "postfix-albion-filter"):
        for r in rows(corpora() / folder / "truth.tsv"):
            if r["label"] == "misdirected":
                wrong[r["sender"], r["recipient"]] = r["intended"]
    return np.array(
        [
            float(wrong.get((f"{r.wl}@{r.wd}", f"{r.rl}@{r.rd}")) == f"{r.rl}@{r.meant}")
            for r in frame.itertuples(index=False)
        ]
    )


def replay(tables: Path, components: Components | None = None) -> Corpus:
    return corpus("replay-intel", tables / "replay-intel.parquet", ["intel.com"], replay_truth, components)


def albion(tables: Path, components: Components | None = None) -> Corpus:
    return corpus("albion", tables / "albion.parquet", ["albion-defence.uk"], albion_truth, components, ["*.mil"])
