"""Sweeps on other launchers: a cluster that the user started, one worker of which dies, and Hydra's own."""

import asyncio
import json
import os

import psutil
import pytest
from cluster_builders import machines
from distributed import Security
from distributed.comm import CommClosedError, connect
from halting import OPTIMIZER_FILE
from patience import HANGING_S, wait_until
from sweep_builders import (
    done,
    epochs,
    record,
    resume,
    started,
    statuses,
    sweep,
)

from duograd.runner.sweep.cluster import connected
from duograd.runner.sweep.launcher import LauncherOptions
from duograd.runner.sweep.worker import Warm, warm


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers."""
    with machines(tmp_path, 2) as cluster:
        yield cluster


def test_hydras_basic_launcher_stays(tmp_path):
    process = done(sweep(tmp_path / "sweep", "epochs=1", "seed=1,2", "hydra/launcher=basic"), tmp_path)
    assert process.returncode == 0, process.stderr
    assert [(tmp_path / "sweep" / job / "summary.json").exists() for job in "01"] == [True, True]
    name = json.loads((tmp_path / "sweep" / "0" / "run.json").read_text())["name"]
    assert name == "autoencoder numpy count=200 size=4 dtype=float64 epochs=1 seed=1"  # sweep.answer is no part of it


@pytest.fixture
def local(tmp_path):
    """The workers that a sweep starts on this machine."""
    with connected(LauncherOptions(n_workers=1), 1, tmp_path) as workers:
        yield workers.client


def test_a_local_sweep_is_private(local):
    """Loopback is every user's: who has no certificate of this process is refused, and nothing listens elsewhere."""
    address = local.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    [worker] = local.nthreads()
    for there in (address, worker):
        for security in (None, Security.temporary()):
            stranger = there.replace("tls:", "tcp:") if security is None else there
            with pytest.raises(CommClosedError):
                asyncio.run(talk(stranger, security))
    assert local.submit(os.getpid, pure=False).result() != os.getpid()
    assert listening(os.getpid()) == {"127.0.0.1"}


def test_a_worker_that_has_just_started_waits_for_what_makes_it_one(local):
    """Dask hands jobs to a new worker before its plugins; on a busy machine seconds before."""
    early = local.submit(lambda: type(warm()).__name__, pure=False)
    assert not early.done()
    local.register_plugin(Warm({}))
    assert early.result(HANGING_S) == "Warm"


async def talk(address: str, security: Security | None) -> object:
    """What a stranger would say to a scheduler or a worker."""
    arguments = security.get_connection_args("client") if security else {}
    comm = await connect(address, timeout=HANGING_S, **arguments)
    try:
        await comm.write({"op": "identity", "reply": True})
        return await comm.read()
    finally:
        comm.abort()


def listening(process: int) -> set[str]:
    """The addresses on which a process and its children listen."""
    family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    return {c.laddr.ip for one in family for c in one.net_connections("tcp") if c.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize(
    ("victims", "message"),
    [("workers", "no worker is left at tcp://127.0.0.1:"), ("scheduler", "the scheduler went away: start it again")],
)
def test_a_cluster_that_is_gone_is_said_in_one_line(victims, message, cluster, tmp_path):
    folder = tmp_path / "sweep"
    # a scheduler that is gone is looked for as long as one that does not answer yet: here for 20 s
    where = [f"hydra.launcher.scheduler={cluster.address}", "hydra.launcher.worker_timeout=2"]
    process = started(sweep(folder, "model.hidden_size=3,4,5", "epochs=1000000", *where), tmp_path)
    longest_first = [folder / "hidden_size=5", folder / "hidden_size=4"]
    wait_until(lambda: all(map(epochs, longest_first)), process)
    for victim in cluster.workers if victims == "workers" else [cluster.scheduler]:
        victim.kill()
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 2, output
    assert output.splitlines()[-1].startswith(f"duograd: {message}")
    assert "Traceback" not in output
    assert statuses(folder) == {"hidden_size=3": "PENDING", "hidden_size=4": "KILLED", "hidden_size=5": "KILLED"}


def test_jobs_that_outlive_a_killed_sweep_end_before_it_goes_on_without_a_cluster(cluster, tmp_path):
    folder = tmp_path / "sweep"
    grid = ["model.hidden_size=3,4", "epochs=100", "checkpoint.every_seconds=0.02", OPTIMIZER_FILE]
    (tmp_path / "hold-50").touch()
    process = started(sweep(folder, *grid, *cluster.overrides), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3") and epochs(folder / "hidden_size=4"), process)
    process.kill()
    process.communicate()
    again = started(resume(folder, "--scheduler", "none"), tmp_path)
    assert again.stdout.readline() == "jobs of an earlier session are still training: ending them first\n"
    (tmp_path / "hold-50").unlink()
    output, _ = again.communicate(timeout=HANGING_S)
    assert again.returncode == 0, output
    assert set(statuses(folder).values()) == {"FINISHED"}
    assert record(folder)["launcher"]["scheduler"] is None
    for size in (3, 4):
        rows = (folder / f"hidden_size={size}" / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(row)["epoch"] for row in rows] == list(range(1, 101))
