"""Sweeps on a batch queue: a real SLURM of one node, which is started for these tests where it is installed."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from patience import HANGING_S, wait_until
from sweep_builders import done, epochs, record, started, statuses, sweep

from duograd.runner.errors import UserError
from duograd.runner.sweep.batch import job_options
from duograd.runner.sweep.batch_systems import SYSTEMS
from duograd.runner.sweep.launcher import LauncherOptions, elsewhere, refuse_unasked
from duograd.runner.sweep.options import sweep_options
from hydra_plugins.duograd_dask import DaskLauncherConf

SCRIPTS = Path(__file__).parents[2] / "shared" / "slurm"
ON_SLURM = ["hydra.launcher.cluster=slurm", "hydra.launcher.interface=lo", "hydra.launcher.memory=500MB"]
missing = next((name for name in ("slurmctld", "slurmd", "munged") if not shutil.which(name)), None)
needs_slurm = pytest.mark.skipif(
    missing is not None or not SCRIPTS.is_dir() or os.geteuid() != 0,
    reason=f"no {missing} here" if missing else "no scripts that start a one-node SLURM, or not root",
)


@pytest.fixture(scope="module")
def slurm():
    """A cluster of one node; commands of SLURM's find it by the environment."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)  # munge's socket is everybody's
        subprocess.run([SCRIPTS / "start", folder], check=True, stdout=subprocess.DEVNULL)
        patch.setenv("SLURM_CONF", str(Path(folder) / "slurm.conf"))
        yield
        subprocess.run([SCRIPTS / "stop", folder], check=False, stdout=subprocess.DEVNULL)


def queued(*columns: str) -> list[str]:
    """The jobs that SLURM has now."""
    output = subprocess.run(["squeue", "-h", "-o", " ".join(columns or ("%i",))], capture_output=True, text=True)
    return output.stdout.split("\n")[:-1]


@pytest.mark.slow
@needs_slurm
def test_a_worker_is_cancelled_and_the_driver_is_killed_but_nothing_is_lost(slurm, tmp_path):
    """MLflow on; one job at a time. What is cancelled goes on in the next job; `sweep.resume=auto` is one line."""
    folder = tmp_path / "sweep"
    grid = ["seed=1,2", "epochs=1500", "checkpoint.every_seconds=0.1", "sweep.resume=auto", *ON_SLURM]
    command = sweep(folder, *grid, "hydra.launcher.n_workers=1", tracking="mlflow")
    process = started(command, tmp_path)
    wait_until(lambda: epochs(folder / "seed=1") > 50, process)
    assert (folder / "queue" / ".key.pem").stat().st_mode & 0o77 == 0  # no other user's
    [first] = queued()
    subprocess.run(["scancel", first], check=True)
    wait_until(lambda: queued() not in ([], [first]))
    process.kill()
    process.communicate()
    again = done(command, tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(statuses(folder).values()) == {"FINISHED"}
    assert "waiting for the queue (slurm job" in again.stdout
    assert "workers reach this sweep at tls://127.0.0.1:" in again.stdout
    assert not list((folder / "queue").glob(".*.pem"))
    wait_until(lambda: queued() == [])
    seen = done([*command[:3], "watch", str(folder)], tmp_path)
    assert seen.returncode == 0
    assert "2 runs, all finished" in seen.stdout


@needs_slurm
def test_a_queue_that_is_not_there_is_said_in_slurms_words(slurm, tmp_path):
    process = done(sweep(tmp_path / "sweep", "seed=1,2", *ON_SLURM, "hydra.launcher.queue=nowhere"), tmp_path)
    assert process.returncode == 2
    assert process.stderr.startswith("duograd: sbatch refuses to start a worker: sbatch: error: ")
    assert "Invalid partition name" in process.stderr
    assert not (tmp_path / "sweep").exists()


@pytest.mark.slow
@needs_slurm
def test_time_limits_searches_and_a_driver_that_is_requeued(slurm, tmp_path):
    """Jobs of a minute, of which the last half is left free: each saves itself in time, and goes on in the next."""
    folder = tmp_path / "study"
    study = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "model.hidden_size=3,4", "epochs=4000"]
    study += ["hydra.launcher.walltime=00:01:00", "hydra.launcher.n_workers=1", *ON_SLURM, "sweep.resume=auto"]
    command = sweep(folder, *study, "data.count=20000", "data.size=8", tracking="mlflow")
    log = tmp_path / "driver.log"
    submit = ["sbatch", "--requeue", "-o", str(log), "--open-mode=append", "--wrap", shlex.join(command)]
    job = subprocess.run(submit, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split()[-1]
    wait_until(lambda: log.exists() and "sent again" in log.read_text())
    assert "its worker is gone after epoch" in log.read_text()
    subprocess.run(["scontrol", "requeue", job], check=True)
    wait_until(lambda: record(folder)["status"] == "FINISHED" and not queued())
    assert set(statuses(folder).values()) == {"FINISHED"}


@needs_slurm
def test_ctrl_c_sends_workers_home(slurm, tmp_path):
    folder = tmp_path / "sweep"
    process = started(sweep(folder, "seed=1,2", "epochs=1000000", *ON_SLURM), tmp_path)
    wait_until(lambda: epochs(folder / "seed=1"), process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130
    assert f"go on with it: duograd resume {folder}" in output
    wait_until(lambda: queued() == [])


def test_hydra_and_we_know_the_same_options_by_the_same_defaults():
    known = asdict(DaskLauncherConf())
    assert known.pop("_target_").endswith(".DaskLauncher")
    assert LauncherOptions().model_dump() == known


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queue": "main"}, "hydra.launcher.queue is for a batch queue: add hydra.launcher.cluster=slurm"),
        ({"cluster": "lsf"}, "hydra.launcher.cluster=lsf: expected one of slurm, pbs, sge, or null for none"),
        ({"cluster": "slurm", "queue": "main\ntouch owned"}, r"hydra.launcher.queue='main\ntouch owned': expected"),
        ({"cluster": "slurm", "walltime": "1h"}, "hydra.launcher.walltime=1h: expected HH:MM:SS or D-HH:MM:SS"),
        ({"cluster": "slurm", "qsub": ["-V"]}, "hydra.launcher.qsub is no command of slurm: use hydra.launcher.sbatch"),
        ({"cluster": "pbs", "cores": 3, "processes": 2}, "hydra.launcher.cores=3 cannot be divided among"),
        (
            {"cluster": "pbs", "scheduler": "h:1"},
            "hydra.launcher.cluster=pbs does not go with",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(options, message):
    with pytest.raises(UserError) as refusal:
        sweep_options({}, options)
    assert str(refusal.value).startswith(message)


def test_a_sweep_of_a_queue_goes_on_elsewhere():
    before = sweep_options({}, {"cluster": "slurm", "queue": "main", "n_workers": 3})[1].model_dump()
    for changes in ({"cluster": None}, {"cluster": None, "scheduler": "h:1"}):
        _, options = sweep_options({}, elsewhere(before, changes))
        assert (options.cluster, options.queue) == (None, None)
        assert options.n_workers == (None if options.scheduler else 3)
    _, same = sweep_options({}, elsewhere(before, {"n_workers": 5}))
    assert (same.cluster, same.queue, same.n_workers) == ("slurm", "main", 5)


def test_what_runs_code_and_only_a_folder_names_is_refused(tmp_path):
    _, options = sweep_options({}, {"cluster": "slurm", "job_script_prologue": ["touch owned"]})
    with pytest.raises(UserError, match=r"names job_script_prologue=\['touch owned'\] .* add --trust"):
        refuse_unasked(tmp_path, options, {})
    refuse_unasked(tmp_path, sweep_options({}, {"cluster": "slurm"})[1], {})
    _, options = sweep_options({}, {"scheduler": "tcp://h:1"})
    with pytest.raises(
        UserError, match=r"names scheduler=tcp://h:1: .* add --scheduler tcp://h:1, or --scheduler none"
    ):
        refuse_unasked(tmp_path, options, {})
    refuse_unasked(tmp_path, options, {"scheduler": "tcp://h:1"})


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("slurm", ["#SBATCH -p long", "#SBATCH -A us", "#SBATCH --cpus-per-task=4", "#SBATCH -t 26:00:00"]),
        ("pbs", ["#PBS -q long", "#PBS -A us", "#PBS -l select=1:ncpus=4:mem=1908MB", "#PBS -l walltime=26:00:00"]),
        ("sge", ["#$ -q long", "#$ -P us", "#$ -l h_rt=26:00:00"]),
    ],
)
def test_what_each_batch_system_is_asked_for(name, lines):
    """By the script that dask-jobqueue makes of our options; PBS and SGE were never run."""
    jobqueue = pytest.importorskip("dask_jobqueue")
    asked = {"queue": "long", "account": "us", "cores": 4, "processes": 2, "walltime": "1-02:00:00"}
    _, options = sweep_options({}, {"cluster": name, **asked, SYSTEMS[name].submit: ["--mine"]})
    job = getattr(jobqueue, SYSTEMS[name].cluster).job_cls("tcp://h:1", name="w", **job_options(SYSTEMS[name], options))
    script = job.job_script().splitlines()
    assert [line for line in lines if line not in script] == []
    assert "export OMP_NUM_THREADS=2" in script
    assert "export DUOGRAD_LEAVE_AT=$(($(date +%s) + 93570))" in script
    assert any(line.endswith(" --mine") and line.startswith("#") for line in script)
    assert "--nworkers 2" in script[-1]
