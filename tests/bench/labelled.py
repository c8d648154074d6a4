"""The development corpora and simulated organisations as labelled tables for fitting and evaluating the detector.

Reads the corpora folder (`MISSENT_CORPORA`, default `../shared/corpora`). Deliveries come from
`TABLES/NAME.parquet` where that file exists, else from the product's own ingest of the logs into
`TABLES/NAME-case`.
"""

from __future__ import annotations

import csv
import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forensics import domains
from forensics.detector import candidates, channel, detection, history
from forensics.detector.odds import Measured
from forensics.detector.slips import classify_far
from forensics.lookups import Lookup
from tests.bench import simulate
from tests.bench.simulate import Settings
from tests.bench.traffic import Rates

ROOT = Path(__file__).resolve().parents[2]

DEVELOPMENT: tuple[Settings, ...] = (
    Settings(1, 240, 8, 4500, ("harrowmere.co.uk",)),
    Settings(2, 280, 7, 5000, ("tavelin-group.com", "tavelin.fr"), rates=Rates(propagation=0.82)),
    Settings(3, 160, 12, 3000, ("ostrava-lodestar.eu",), subjects=False),
    Settings(4, 320, 6, 6000, ("quarrybank.org", "quarrybank.org.uk"), rates=Rates(propagation=0.3)),
    Settings(5, 120, 14, 3000, ("sendal.gov.uk",), subjects=False, rates=Rates(corecipient=0.3, known=0.5)),
    Settings(6, 260, 8, 4000, ("velmont.com",), rates=Rates(resend_unprompted=0.2, neighbour=0.15)),
    Settings(11, 240, 8, 4500, ("marlowquay.co.uk",)),
    Settings(12, 260, 7, 5000, ("dresdner-werft.de",), rates=Rates(propagation=0.82)),
    Settings(13, 200, 10, 3500, ("pellucid.org",), subjects=False),
    Settings(14, 300, 6, 5500, ("northbeam.com", "northbeam.de"), rates=Rates(propagation=0.3)),
    Settings(15, 160, 12, 3500, ("county-hall.gov.uk",), rates=Rates(corecipient=0.3, known=0.5)),
    Settings(16, 240, 8, 4500, ("ilex-labs.nl",), rates=Rates(neighbour=0.15)),
)
"""Simulated organisations to fit on; the frozen ones for testing are `simulate.FROZEN`, of other seeds."""


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
    """Hand-labelled pairs for the channel: features, labels, fold key, kind."""

    x: np.ndarray
    y: np.ndarray
    component: np.ndarray
    kinds: list[str]
    typed: list[str]


Key = tuple[str, str, str, str]
"""Writer local part and domain, address local part and domain, as the detector normalises them."""


@dataclass(frozen=True)
class Truth:
    """What is known about a log: the domain meant by each misdirected (writer, address), domains to leave out, and how
    slips came about (`tables.TRUTH`, `origin`) where that is told."""

    meant: dict[Key, str]
    unclear: frozenset[str] = frozenset()
    origins: Mapping[Key, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """One organisation's log: candidates, measurements, and the truth of every pair of domains and of every row.

    `pairs`, `rows`: `Measured.pairs` and `.rows` as frames. `only`: 1 where the pair's typed domain is only a slip for its
    meant one. `y`: 1 where the row's candidate is what the writer meant. `component`, `row_component`: fold key of each.
    `scale`: what a domain counts in the fit beside those of other corpora.
    """

    name: str
    connection: duckdb.DuckDBPyConnection
    org: tuple[str, ...]
    watched: tuple[str, ...]
    evidence: Measured
    truth: Truth
    pairs: pd.DataFrame
    frame: pd.DataFrame
    only: np.ndarray
    y: np.ndarray
    component: np.ndarray
    row_component: np.ndarray
    scale: float = 1.0

    def mere(self) -> dict[str, str]:
        """Typed domain → meant one, of all that are only slips, with a candidate or without."""
        return {typed: meant for typed, (meant, share) in shares(self.truth, self.connection).items() if share >= MERE}

    def mixed(self) -> set[str]:
        """Typed domains that are somebody's own and that some writers slipped to."""
        return {typed for typed, (_, share) in shares(self.truth, self.connection).items() if share < MERE}


MERE = 0.9
"""A typed domain is only a slip when at least this share of its pairs of writer and address are."""


def shares(truth: Truth, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, float]]:
    """Typed domain → the domain mostly meant, and which share of its pairs are slips."""
    total: dict[str, int] = dict(
        connection.execute(
            "select recipient_domain, count(*) from pairs where direction = 'outbound' group by 1"
        ).fetchall()
    )
    wrong: dict[str, dict[str, int]] = {}
    for (_, _, _, typed), meant in truth.meant.items():
        there = wrong.setdefault(typed, {})
        there[meant] = there.get(meant, 0) + 1
    return {
        typed: (max(sorted(there), key=lambda m: there[m]), sum(there.values()) / max(total.get(typed, 1), 1))
        for typed, there in sorted(wrong.items())
    }


class Components:
    """Connected components of registered domains: what may not lie on both sides of a fold."""

    def __init__(self, world: str = "") -> None:
        self.world = world
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
        return self.world + self.find(registered(name))


def registered(name: str) -> str:
    return domains.split(name).registered or name


def fold(components: Iterable[str], folds: int) -> np.ndarray:
    """Fold number of each component: a stable hash, so that it does not depend on what else is there."""
    return np.array([zlib.crc32(c.encode()) % folds for c in components], dtype=int)


def connect(source: str | pa.Table, org: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """DuckDB with the view `deliveries` over Parquet files (a glob) or a table, `direction` computed."""
    inside = list(org)

    def test(column: str) -> str:
        return "(" + " or ".join(f"{column} = '{d}' or {column} like '%.{d}'" for d in inside) + ")"

    connection = duckdb.connect()
    connection.execute("set threads = 2; set TimeZone = 'UTC'")
    given = f"read_parquet('{source}', hive_partitioning = false)"
    if isinstance(source, pa.Table):
        connection.register("given", source)
        given = "given"
    connection.execute(
        f"""create view deliveries as select *, case
            when {test("sender_domain")} and {test("recipient_domain")} then 'internal'
            when {test("sender_domain")} then 'outbound' when {test("recipient_domain")} then 'inbound'
            else 'relayed' end as direction from {given}"""
    )
    return connection


def slips(components: Components) -> Slips:
    """`slips/labelled.tsv`: cases and controls of the channel. Pairs that no single slip explains are left out."""
    x, y, names, kinds, all_typed = [], [], [], [], []
    for row in rows(corpora() / "slips" / "labelled.tsv"):
        typed, meant = domains.a_label(row["observed"]), domains.a_label(row["intended"])
        slip = classify_far(typed, meant, "")
        components.join(typed, meant)
        if slip is None:
            continue
        x.append(channel.features(typed, meant, slip))
        y.append(int(row["label"]))
        names.append(meant)
        kinds.append(slip.kind)
        all_typed.append(typed)
    return Slips(np.array(x), np.array(y), np.array([components.of(n) for n in names]), kinds, all_typed)


def corpus(
    name: str,
    source: str | pa.Table,
    org: Sequence[str],
    label: Callable[[duckdb.DuckDBPyConnection], Truth],
    components: Components | None = None,
    watched: Sequence[str] = (),
    scale: float = 1.0,
    lookups: Mapping[str, Lookup] | None = None,
) -> Corpus:
    """Measure one log and label every row."""
    connection = connect(source, org)
    history.build(connection)
    truth = label(connection)
    evidence, _ = detection.gather(connection, org, list(watched), sorted(truth.unclear), lookups or {})
    frame, pairs = evidence.rows.to_pandas(), evidence.pairs.to_pandas()
    y = np.array(
        [
            float(truth.meant.get((r.writer_local, r.writer_domain, r.recipient_local, r.recipient_domain)) == r.meant)
            for r in frame.itertuples(index=False)
        ]
    )
    told = shares(truth, connection)
    only = [told.get(r.typed, ("", 0.0)) for r in pairs.itertuples(index=False)]
    mere = np.array([float(m == meant and share >= MERE) for (m, share), meant in zip(only, pairs.meant, strict=True)])
    components = components or Components(name)
    for (_, _, _, typed), meant in sorted(truth.meant.items()):
        components.join(typed, meant)
    made = Corpus(
        name, connection, tuple(org), tuple(watched), evidence, truth, pairs, frame, mere, y, np.zeros(0), np.zeros(0),
        scale,
    )  # fmt: skip
    return keyed(made, components)


def keyed(one: Corpus, components: Components) -> Corpus:
    """The same with fold keys under these components; components grow while corpora are read."""
    return replace(
        one,
        component=np.array([components.of(typed) for typed in one.pairs.typed]),
        row_component=np.array([components.of(typed) for typed in one.frame.recipient_domain]),
    )


def _pairs_of(connection: duckdb.DuckDBPyConnection, wrong: Mapping[tuple[str, str], str]) -> dict[Key, str]:
    """Addresses meant by (message-id, recipient) → domains meant by normalised pair."""
    return {key: domains.parts(meant)[1] for key, meant in _by_pair(connection, wrong)}


def _by_pair(connection: duckdb.DuckDBPyConnection, told: Mapping[tuple[str, str], str]) -> Iterator[tuple[Key, str]]:
    """What is told of (message-id, recipient), of the normalised pair; a pair may have several."""
    table = pa.table(
        {
            "message": [m for m, _ in told],
            "recipient": [domains.key(r) for _, r in told],
            "told": list(told.values()),
        }
    )
    connection.register("labelled_rows", table)
    found = connection.execute(
        """select distinct m.writer_local, m.writer_domain, m.recipient_local, m.recipient_domain, l.told from mail m
           join deliveries d on d.delivery_id = m.delivery_id join
        labelled_rows l on l.message = d.message_id and l.recipient = lower(d.recipient)"""
    ).fetchall()
    connection.unregister("labelled_rows")
    yield from (((row[0], row[1], row[2], row[3]), row[4]) for row in found)


def source(name: str, tables: Path, logs: Sequence[Path], org: Sequence[str]) -> str:
    """Where the deliveries of one corpus are, as a glob for DuckDB."""
    given = tables / f"{name}.parquet"
    if given.exists():
        return str(given)
    case = tables / f"{name}-case"
    if not (case / "manifest.json").exists():
        from forensics import pipeline

        pipeline.ingest([str(p) for p in logs], case, org=list(org))
    return f"{case}/deliveries/*/*.parquet"


RULINGS = Path(__file__).with_name("rulings.tsv")
"""What a person ruled on findings without a label, each (log, observed, intended) once. The names in that log are other
people's: a ruling is found by the first 16 hex digits of the SHA-256 of `observed>intended`. Reviewer `project`: whoever
built the detector, from the log alone; nobody asked the senders."""


def ruled(log: str) -> dict[str, str]:
    """Digest of a pair → verdict (mistyped, genuine, undecided)."""
    return {r["pair"]: r["verdict"] for r in rows(RULINGS) if r["log"] == log}


def digest(observed: str, intended: str) -> str:
    return hashlib.sha256(f"{observed}>{intended}".encode()).hexdigest()[:16]


REPLAYS: dict[str, tuple[str, ...]] = {
    "replay-intel": ("intel.com",),
    "replay-chips": (
        "nxp.com", "oss.nxp.com", "mediatek.com", "ti.com", "st.com", "foss.st.com", "microchip.com", "renesas.com",
        "bp.renesas.com", "quicinc.com", "oss.qualcomm.com", "codeaurora.org", "arm.com", "samsung.com", "wdc.com",
    ),
    "replay-suse": ("suse.com", "suse.de", "suse.cz"),
}  # fmt: skip
"""Real send logs and the domains of their organisations."""

UNSETTLED = frozenset({"codeaurora.com"})
"""Domains that two label files tell differently: left out, and counted."""


def labels(name: str) -> dict[str, tuple[str, int]]:
    """Typed domain → (meant or near domain, 1 = mistyped) by hand."""
    found = rows(corpora() / name / "pairs.tsv")
    return {r["observed"]: (r["intended"], int(r["label"])) for r in found if r["observed"] not in UNSETTLED}


def replay(tables: Path, components: Components | None = None, name: str = "replay-intel") -> Corpus:
    """Pairs that `pairs.tsv` labels mistyped or a person ruled so; everything else counts as genuine (the corpora's
    README)."""
    org = list(REPLAYS[name])
    told = labels(name)
    mistyped = {pair for pair, verdict in ruled(name).items() if verdict == "mistyped"}
    if components is not None:
        for typed, (near, _) in told.items():
            components.join(typed, near)

    def label(connection: duckdb.DuckDBPyConnection) -> Truth:
        near = candidates.find(history.outside(connection), history.known(connection)) if mistyped else []
        wrong = {typed: meant for typed, (meant, is_slip) in told.items() if is_slip}
        wrong |= {c.typed: c.meant for c in near if digest(c.typed, c.meant) in mistyped}
        found = connection.execute(
            "select writer_local, writer_domain, recipient_local, recipient_domain from pairs where direction = 'outbound'"
        ).fetchall()
        return Truth({key: wrong[key[3]] for key in found if key[3] in wrong}, UNSETTLED)

    logs = sorted((corpora() / name).glob("mail.log*"))
    return corpus(name, source(name, tables, logs, org), org, label, components)


ALBION: dict[str, tuple[tuple[str, ...], str]] = {
    "albion": (("postfix-albion", "postfix-albion-filter"), "mail.log*"),
    "postfix-albion": (("postfix-albion",), "mail.log*"),
    "postfix-albion-filter": (("postfix-albion-filter",), "mail.log*"),
    "exchange-albion": (("exchange-albion",), "MSGTRK*"),
}
"""Logs of the albion scenario: folders and files. The first is both gateways as one case, which the fit uses; then each
gateway alone, and the scenario as Exchange's tracking logs tell it."""


def albion(tables: Path, components: Components | None = None, name: str = "albion") -> Corpus:
    """`truth.tsv` of the gateways; the list's mistyped member is told in the corpora's README."""
    folders, pattern = ALBION[name]
    told = ["postfix-albion" if folder.startswith("exchange") else folder for folder in folders]
    org = ["albion-defence.uk"]

    def label(connection: duckdb.DuckDBPyConnection) -> Truth:
        wrong = {
            (r["message_id"], r["recipient"]): r["intended"]
            for folder in told
            for r in rows(corpora() / folder / "truth.tsv")
            if r["label"] == "misdirected"
        }
        by_list = {("ops-desk", "albion-defence.uk", "jtaylor7", "navy.ml"): "navy.mil"}
        there = connection.execute(
            "select distinct writer_local, writer_domain, recipient_local, recipient_domain from pairs"
        ).fetchall()
        listed = {key: meant for key, meant in by_list.items() if key in there}
        return Truth(_pairs_of(connection, wrong) | listed, origins={key: frozenset({"list"}) for key in listed})

    logs = [p for folder in folders for p in sorted((corpora() / folder).glob(pattern))]
    return corpus(name, source(name, tables, logs, org), org, label, components, ["*.mil"])


def labelled_by(truth: pa.Table) -> Callable[[duckdb.DuckDBPyConnection], Truth]:
    """Labels of a simulation (`tables.TRUTH`)."""
    found = truth.to_pylist()

    def label(connection: duckdb.DuckDBPyConnection) -> Truth:
        slips = [r for r in found if r["label"] == "misdirected"]
        wrong = {(r["message_id"], r["recipient"]): r["intended"] for r in slips}
        unclear = {domains.parts(r["recipient"])[1] for r in found if r["label"] == "unclear"}
        origins: dict[Key, frozenset[str]] = {}
        for key, origin in _by_pair(connection, {(r["message_id"], r["recipient"]): r["origin"] for r in slips}):
            origins[key] = origins.get(key, frozenset()) | {origin}
        return Truth(_pairs_of(connection, wrong), frozenset(unclear), origins)

    return label


_GENERATOR = ("simulate", "traffic", "gateway", "slipping", "world", "mail", "names", "tables")


def simulated(settings: Settings, scale: float = 1.0, kept: Path | None = None) -> Corpus:
    """A simulated organisation. `kept`: folder where its tables lie, or are left, for the next time; their names carry a
    digest of the settings and of the generator's text, so that what is stale is never read."""
    deliveries, truth = _made(settings, kept)
    return corpus(f"simulated-{settings.seed}", deliveries, settings.own, labelled_by(truth), scale=scale)


def _made(settings: Settings, kept: Path | None) -> tuple[pa.Table, pa.Table]:
    if kept is None:
        made = simulate.simulate(settings)
        return made.deliveries, made.truth
    digest = hashlib.sha256(repr(settings).encode())
    for name in _GENERATOR:
        digest.update((ROOT / "tests" / "bench" / f"{name}.py").read_bytes())
    path = kept / f"simulated-{settings.seed}-{digest.hexdigest()[:12]}.parquet"
    beside = path.with_suffix(".truth.parquet")
    if not beside.exists():
        kept.mkdir(parents=True, exist_ok=True)
        made = simulate.simulate(settings)
        pq.write_table(made.deliveries, path)
        pq.write_table(made.truth, beside)
    return pq.read_table(path), pq.read_table(beside)
