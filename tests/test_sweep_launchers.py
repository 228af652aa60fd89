"""Sweeps on other launchers: a cluster that the user started, one worker of which dies, and Hydra's own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_builders import (
    done,
    epochs,
    resume,
    started,
    statuses,
    sweep,
    trainer,
    wait_until,
)


def dask(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, each started by hand, as on machines of their own."""
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file)]
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *common, cwd=tmp_path)
    workers = [dask("worker", "--nthreads", "1", "--no-dashboard", "--no-nanny", *common, cwd=tmp_path) for _ in "12"]
    try:
        wait_until(file.exists)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_a_cluster_that_the_user_started_loses_a_worker(cluster, tmp_path):
    folder = tmp_path / "sweep"
    long = ["model.hidden_size=3,4,5", "epochs=1500", f"hydra.launcher.scheduler={cluster}"]
    process = started(sweep(folder, *long), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3") > 5 and epochs(folder / "hidden_size=4") > 5)
    os.kill(wait_until(lambda: trainer(folder / "hidden_size=3")), signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert statuses(folder) == {"hidden_size=3": "KILLED", "hidden_size=4": "FINISHED", "hidden_size=5": "FINISHED"}
    assert "hidden_size=3: its process died" in output
    again = done(resume(folder), tmp_path)  # on the worker that is left
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(statuses(folder).values()) == {"FINISHED"}


def test_hydras_basic_launcher_stays(tmp_path):
    process = done(sweep(tmp_path / "sweep", "epochs=1", "seed=1,2", "hydra/launcher=basic"), tmp_path)
    assert process.returncode == 0, process.stderr
    assert [(tmp_path / "sweep" / job / "summary.json").exists() for job in "01"] == [True, True]
