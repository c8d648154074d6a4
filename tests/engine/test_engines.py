"""The tables do not know who worked on them: equal bytes from one thread, two threads and a Dask cluster."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forensics import engine, pipeline, workbench
from forensics.cli import main
from forensics.errors import MachineError, UsageError
from forensics.loaders.settings import Settings
from tests.custody import store as stores


@pytest.fixture(scope="module")
def logs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of two systems, in several containers."""
    folder = tmp_path_factory.mktemp("logs")
    for pattern in ("postfix-albion/mail.log-2023060[6-9]*", "exchange-albion/MSGTRK2023060[67]*"):
        for path in sorted(data.glob(pattern)):
            shutil.copy(path, folder)
    return folder


def tables(logs: Path, case: Path, **options: object) -> dict[str, bytes]:
    """Content of every table file by its name below the case folder."""
    result = pipeline.ingest([logs], case, org=["albion.example"], year=2023, timezone="UTC", **options)  # type: ignore[arg-type]
    assert result.evidence == 8
    assert result.records == result.used + result.ignored + result.unread
    assert result.deliveries > 500
    assert not (case / ".work").exists()
    return {path.relative_to(case).as_posix(): path.read_bytes() for path in sorted(case.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def single(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return tables(logs, tmp_path_factory.mktemp("single") / "case", workers=1)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a cluster of two processes on loopback."""
    distributed = pytest.importorskip("distributed", reason="NOT RUN: Dask is not installed (missent[cluster])")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


def assert_same(got: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    assert set(got) == set(wanted)
    assert [name for name in wanted if got[name] != wanted[name]] == []


def test_two_threads(logs: Path, single: dict[str, bytes], tmp_path: Path) -> None:
    assert_same(tables(logs, tmp_path / "case", workers=2), single)


@pytest.mark.slow
def test_cluster(logs: Path, single: dict[str, bytes], scheduler: str, tmp_path: Path) -> None:
    assert_same(tables(logs, tmp_path / "case", cluster=scheduler), single)


@pytest.mark.slow
def test_block_by_block(
    logs: Path, single: dict[str, bytes], scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence that is read in many pieces, on the cluster and here, comes to the same rows."""
    from forensics.ingest import survey as surveying
    from forensics.ingest import units

    monkeypatch.setattr(surveying, "BLOCK", 1 << 15)
    monkeypatch.setattr(units, "BUNDLE", 1 << 14)
    here = tables(logs, tmp_path / "here", workers=2)
    assert_same(tables(logs, tmp_path / "there", cluster=scheduler), here)
    assert_same(here, single)


@pytest.mark.slow
def test_errors_of_workers_arrive_as_they_are(scheduler: str, tmp_path: Path) -> None:
    """What a worker cannot read is told as it is told without a cluster."""
    log = tmp_path / "mail.log"
    log.write_text("Jun  1 10:00:00 mx postfix/qmgr[1]: 4B1C2D3E4F: removed\n" * 3)
    told = []
    for options in ({"workers": 1}, {"cluster": scheduler}):
        with pytest.raises(UsageError) as caught:
            pipeline.ingest(
                [log], tmp_path / "-".join(options), org=["albion.example"], timezone="Nowhere/Town", **options
            )  # type: ignore[arg-type]
        told.append((type(caught.value), str(caught.value), caught.value.expected, caught.value.remedy))
    assert told[0] == told[1]


@pytest.fixture
def own_cluster() -> Iterator[Any]:
    """A cluster of two processes that a test may do harm to."""
    distributed = pytest.importorskip("distributed", reason="NOT RUN: Dask is not installed (missent[cluster])")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[stores.Store]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with stores.serving() as serving:
        stores.use(monkeypatch, serving.url, "key", "secret")
        yield serving


@pytest.mark.slow
def test_workers_ask_the_object_store_themselves(
    logs: Path, single: dict[str, bytes], store: stores.Store, own_cluster: Any, tmp_path: Path
) -> None:
    for path in logs.iterdir():
        store.put(f"logs/{path.name}", path.read_bytes())
    address: Any = "s3://evidence/logs/"
    assert_same(tables(address, tmp_path / "case", cluster=own_cluster.scheduler_address), single)
    assert store.methods() == {"GET", "HEAD"}
    assert workbench.verify(tmp_path / "case").ok


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names a store which is not there."""
    stores.use(monkeypatch, "http://127.0.0.1:9", "key", "secret")


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_object_is_refused(
    logs: Path, elsewhere: None, own_cluster: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Its environment names another store than this command's."""
    store: stores.Store = request.getfixturevalue("store")
    address = store.put("mail.log", next(logs.iterdir()).read_bytes())
    with pytest.raises(UsageError, match=f"does not see {address}") as caught:
        pipeline.ingest([address], tmp_path / "case", org=["albion.example"], cluster=own_cluster.scheduler_address)
    assert "AWS_" in (caught.value.expected or "")


@pytest.mark.slow
def test_a_worker_that_dies_half_way_changes_nothing(
    logs: Path, single: dict[str, bytes], own_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask gives its work to the other one, and starts it anew."""
    from forensics.ingest import units

    monkeypatch.setattr(units, "BUNDLE", 1 << 14)
    killed: list[int] = []

    def kill(step: str, done: int, total: int) -> None:
        if step == "read" and not killed:
            killed.append(own_cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    case = tmp_path / "case"
    got = tables(logs, case, cluster=own_cluster.scheduler_address, progress=kill)
    assert killed
    assert_same(got, single)
    assert all("." not in path.name for path in (case / ".runs").iterdir() if path.is_dir())  # no attempt stays


@pytest.mark.slow
def test_a_lost_scheduler_leaves_the_case_as_it_was(logs: Path, own_cluster: Any, tmp_path: Path) -> None:
    case = tmp_path / "case"
    some = sorted(logs.iterdir())
    options: dict[str, Any] = {"org": ["albion.example"], "year": 2023, "timezone": "UTC"}
    pipeline.ingest(some[:2], case, **options)
    before = {path: path.read_bytes() for path in sorted(case.rglob("*")) if path.is_file() and path.name != ".lock"}
    lost: list[bool] = []

    def lose(step: str, done: int, total: int) -> None:
        if step == "survey" and not lost:
            lost.append(True)
            own_cluster.close()

    with pytest.raises(MachineError, match="scheduler was lost"):
        pipeline.ingest(some[2:], case, cluster=own_cluster.scheduler_address, progress=lose, **options)
    assert lost
    there = {path: path.read_bytes() for path in before if path.exists()}
    assert there == before
    pipeline.ingest(some[2:], case, **options)
    assert workbench.verify(case).ok


@pytest.mark.slow
def test_what_a_lost_cluster_has_read_is_not_read_again(
    logs: Path, single: dict[str, bytes], own_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.ingest import finished, units

    monkeypatch.setattr(units, "BUNDLED", 1)
    monkeypatch.setattr(finished, "WORTH", 1)
    lost: list[bool] = []

    def lose(step: str, done: int, total: int) -> None:
        if step == "read" and done and not lost:
            lost.append(True)
            own_cluster.close()

    with pytest.raises(MachineError, match="scheduler was lost"):
        tables(logs, tmp_path / "case", cluster=own_cluster.scheduler_address, progress=lose)
    assert_same(tables(logs, tmp_path / "case"), single)
    (entry,) = map(json.loads, (tmp_path / "case" / "custody.jsonl").read_text().splitlines())
    assert entry["details"]["resumed_bytes"] > 0


@pytest.mark.slow
def test_workers_of_another_version_or_elsewhere_are_refused(
    logs: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.ingest import workers

    def refused() -> UsageError:
        with pytest.raises(UsageError) as caught:
            pipeline.ingest([logs], tmp_path / "case", org=["albion.example"], year=2023, cluster=scheduler)
        assert not (tmp_path / "case" / "manifest.json").exists()
        return caught.value

    host = socket.gethostname()
    with monkeypatch.context() as patched:
        patched.setattr(workers.madeby, "digest", lambda: "another")
        assert f"on {host} runs another version" in refused().what
    with monkeypatch.context() as patched:  # a size that the workers do not see
        patched.setattr(workers, "_sizes", lambda sources: dict.fromkeys(map(str, sources), 1))
        assert f"on {host} does not see {logs}" in refused().what


@pytest.mark.slow
def test_a_scheduler_without_workers() -> None:
    distributed = pytest.importorskip("distributed", reason="NOT RUN: Dask is not installed (missent[cluster])")
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as nobody,
        pytest.raises(UsageError, match="no worker"),
        engine.executor(cluster=nobody.scheduler_address),
    ):
        pass


def test_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    log = tmp_path / "mail.log"
    log.write_text("2023-06-01T10:00:00+00:00 mx postfix/qmgr[1]: 4B1C2D3E4F: removed\n")
    arguments = ["ingest", str(log), "--org", "albion.example", "--case", str(tmp_path / "case")]
    told = CliRunner().invoke(main, [*arguments, "--cluster", f"tcp://127.0.0.1:{port}"])
    assert told.exit_code == UsageError.exit_code
    assert f"--cluster tcp://127.0.0.1:{port}" in told.output
    assert "running Dask scheduler" in told.output
    assert "Traceback" not in told.output


def test_somebody_else_answers() -> None:
    """A server that is no scheduler and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        refuse = pytest.raises(UsageError, match=r"tcp://127\.0\.0\.1")
        with refuse, engine.executor(cluster=f"tcp://127.0.0.1:{server.getsockname()[1]}"):
            pass


def test_tls_without_certificates() -> None:
    pytest.importorskip("distributed", reason="NOT RUN: Dask is not installed (missent[cluster])")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tls://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UsageError) as caught, engine.executor(cluster=address):
            pass
    assert caught.value.expected is not None and "distributed.comm.tls" in caught.value.expected


@pytest.mark.parametrize("address", ["", "here", "10.0.0.5", "tcp://", "tcp://127.0.0.1:no", "ftp://127.0.0.1:1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError) as caught, engine.executor(cluster=address):
        pass
    assert caught.value.what.startswith(f"--cluster {address}")


@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_impossible_numbers_of_workers(workers: int) -> None:
    with pytest.raises(UsageError, match="--workers"), engine.executor(workers):
        pass


def test_queued_work_is_dropped_when_the_block_fails() -> None:
    ran = []
    gate = threading.Event()
    with pytest.raises(RuntimeError, match="stop"), engine.executor(1) as pool:
        pool.submit(gate.wait)
        later = pool.submit(ran.append, 1)
        threading.Timer(0.2, gate.set).start()
        raise RuntimeError("stop")
    assert later.cancelled()
    assert ran == []


def test_settings_travel() -> None:
    """What the work is made of can be sent to another process."""
    import pickle

    settings = Settings(2023, "Europe/London")
    assert pickle.loads(pickle.dumps(settings)) == settings
