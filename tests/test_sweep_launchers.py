"""Sweeps on other launchers: a cluster that the user started, one worker of which dies, and Hydra's own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from distributed import Client, Security
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
    trainer,
)

from duograd.runner.sweep.cluster import connected
from duograd.runner.sweep.launcher import LauncherOptions


def dask(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def machines(tmp_path):
    """A scheduler and two workers, each started by hand, as on machines of their own."""
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file)]
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *common, cwd=tmp_path)
    workers = [dask("worker", "--nthreads", "1", "--no-dashboard", "--no-nanny", *common, cwd=tmp_path) for _ in "12"]
    try:
        address = json.loads(wait_until(lambda: file.exists() and file.read_text()))["address"]
        with Client(address, timeout=HANGING_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=HANGING_S)
        yield address, [scheduler, *workers]
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(machines):
    """Its address."""
    return machines[0]


def test_a_cluster_that_the_user_started_loses_a_worker(cluster, tmp_path):
    folder = tmp_path / "sweep"
    long = ["model.hidden_size=3,4,5", "epochs=100", OPTIMIZER_FILE, f"hydra.launcher.scheduler={cluster}"]
    (tmp_path / "hold-50").touch()
    process = started(sweep(folder, *long), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3") > 5 and epochs(folder / "hidden_size=4") > 5)
    os.kill(wait_until(lambda: trainer(folder / "hidden_size=3")), signal.SIGKILL)
    (tmp_path / "hold-50").unlink()
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 0, output
    assert "hidden_size=3: its worker is gone after epoch" in output
    assert set(statuses(folder).values()) == {"FINISHED"}  # on the worker that is left


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
    [(slice(1, 3), "no worker is left at tcp://127.0.0.1:"), (slice(0, 1), "the scheduler went away: start it again")],
)
def test_a_cluster_that_is_gone_is_said_in_one_line(victims, message, machines, tmp_path):
    address, processes = machines
    folder = tmp_path / "sweep"
    where = [f"hydra.launcher.scheduler={address}", "hydra.launcher.worker_timeout=2"]
    process = started(sweep(folder, "model.hidden_size=3,4,5", "epochs=1000000", *where), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=4") and epochs(folder / "hidden_size=5"))  # the longest first
    for victim in processes[victims]:
        victim.kill()
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 2, output
    assert output.splitlines()[-1].startswith(f"duograd: {message}")
    assert "Traceback" not in output
    assert statuses(folder) == {"hidden_size=3": "PENDING", "hidden_size=4": "KILLED", "hidden_size=5": "KILLED"}


def test_jobs_that_outlive_a_killed_sweep_end_before_it_goes_on_without_a_cluster(machines, tmp_path):
    address, _ = machines
    folder = tmp_path / "sweep"
    grid = ["model.hidden_size=3,4", "epochs=100", "checkpoint.every_seconds=0.02", OPTIMIZER_FILE]
    (tmp_path / "hold-50").touch()
    process = started(sweep(folder, *grid, f"hydra.launcher.scheduler={address}"), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3") and epochs(folder / "hidden_size=4"))
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
