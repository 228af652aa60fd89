"""A sweep whose jobs train as one, in real processes; and workers that see a GPU each."""

import json
import os
import signal
import stat

import numpy as np
import pytest
import torch
from builders import tiny
from patience import HANGING_S, wait_until
from safetensors.numpy import load_file
from sweep_builders import epochs, record, started, statuses, sweep, trainer
from test_stack import alone

from duograd.runner.errors import UserError
from duograd.runner.sweep.cluster import connected, local_workers
from duograd.runner.sweep.gpus import devices, refuse_absent, shares
from duograd.runner.sweep.launcher import LauncherOptions
from duograd.runner.sweep.options import sweep_options
from duograd.runner.sweep.pool import Pool

GRID = ["backend=torch", "model.hidden_size=5", "loss.lambda=0.001,0.01", "seed=1,2", "epochs=1500"]
STACK = ["hydra.launcher.stack=8", "hydra.launcher.n_workers=1", "checkpoint.every_seconds=0.1"]


def test_a_stack_whose_worker_is_killed_ends_as_its_jobs_would_alone(tmp_path):
    folder = tmp_path / "sweep"
    process = started(sweep(folder, *GRID, *STACK), tmp_path)
    first = folder / "lambda=0.001,seed=1"
    wait_until(lambda: epochs(first) > 5 and (first / "checkpoint.safetensors").exists(), process)
    os.kill(wait_until(lambda: trainer(first), process), signal.SIGKILL)
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 0, output
    assert "4 jobs train in 1 stack\n" in output
    assert output.count("its worker is gone after epoch") == 4  # each by its own checkpoint
    assert set(statuses(folder).values()) == {"FINISHED"}
    assert {json.loads((folder / name / "run.json").read_text())["stack"] for name in statuses(folder)} == {4}
    for job in record(folder)["jobs"]:
        values = ["data.count=200", "data.size=4", *GRID[:2], GRID[-1], *job["overrides"]]
        end, run = alone(tiny(*values)), folder / job["folder"]
        assert job["metrics"] == pytest.approx(end.metrics, rel=1e-10)
        for name, value in load_file(run / "checkpoint.safetensors").items():
            if not name.startswith("best/"):
                np.testing.assert_allclose(value, end.state[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine whose driver knows two of them."""
    driver = tmp_path / "bin" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text("#!/bin/sh\necho GPU-a\necho GPU-b\n")
    driver.chmod(driver.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{driver.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_each_worker_sees_its_own_gpus(two_gpus, tmp_path):
    options = LauncherOptions(gpus_per_job=1)
    assert local_workers(options, 9) == 2
    with connected(options, 9, tmp_path) as workers:
        Pool(workers)
        seen = workers.client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
    assert sorted(seen.values()) == ["GPU-a", "GPU-b"]


def test_gpus_are_shared_out_whole(two_gpus, monkeypatch):
    assert devices() == ["GPU-a", "GPU-b"]
    assert shares(2) == ["GPU-a,GPU-b"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 1,0")
    assert shares(1) == ["3", "1", "0"]
    assert shares(1, workers=2) == ["3", "1"]
    with pytest.raises(UserError, match=r"gpus_per_job=2 and hydra\.launcher\.n_workers=2: 3 are visible here"):
        shares(2, workers=2)


@pytest.mark.parametrize("visible", ["", "-1", None])
def test_a_machine_without_a_gpu_says_so(visible, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible) if visible is not None else monkeypatch.delenv(
        "CUDA_VISIBLE_DEVICES", raising=False
    )
    with pytest.raises(UserError) as refusal:
        local_workers(LauncherOptions(gpus_per_job=1), 4)
    where = "by nvidia-smi" if visible is None else f"CUDA_VISIBLE_DEVICES={visible}"
    assert str(refusal.value) == f"hydra.launcher.gpus_per_job=1: no GPU is visible here ({where}); leave it out"


def test_jobs_for_a_gpu_that_is_not_here_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = tiny("backend=torch", "device=cuda")
    refuse_absent([config], LauncherOptions(scheduler="h:1"))
    refuse_absent([tiny()], LauncherOptions())
    with pytest.raises(UserError, match="device=cuda: torch sees no CUDA device here; use device=cpu"):
        refuse_absent([tiny(), config], LauncherOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "h:1"}, "is for workers that start here: start those of your cluster with CUDA_VISIBLE_DEVICES"),
        ({"cluster": "pbs"}, "is not known to pbs: name what your site calls a GPU, such as qsub=['-l ngpus=1']"),
        ({"cluster": "slurm", "cores": 2, "processes": 2}, "needs hydra.launcher.processes=1"),
    ],
)
def test_gpus_that_cannot_be_given_to_each_job_are_refused(options, message):
    with pytest.raises(UserError) as refusal:
        sweep_options({}, {"gpus_per_job": 1, **options})
    assert str(refusal.value).startswith(f"hydra.launcher.gpus_per_job=1 {message}")


def test_slurm_is_asked_for_them():
    slurm = {"cluster": "slurm", "gpus_per_job": 2}
    assert LauncherOptions(**slurm, sbatch=["--qos=low"]).directives() == ["--qos=low", "--gres=gpu:2"]
    assert LauncherOptions(**slurm, sbatch=["--gres=gpu:a100:2"]).directives() == ["--gres=gpu:a100:2"]
