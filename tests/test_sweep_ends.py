"""Sweeps in real processes, and what happens to them: faults, signals, kills, two at once."""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from halting import OPTIMIZER_FILE
from patience import HANGING_S, wait_until
from sweep_builders import (
    SAME_BYTES,
    SMALL,
    done,
    epochs,
    left_behind,
    record,
    results,
    resume,
    started,
    statuses,
    sweep,
    trainer,
)


def test_failing_jobs_neither_hide_nor_stop_the_others(tmp_path):
    """One diverges, one finds no file, two are well."""
    good = tmp_path / "good"
    good.mkdir()
    overrides = [
        "data=photos",
        f"data.root={good},{tmp_path / 'gone'}",
        "epochs=5",
        "optimizer.lr=0.1,1e30",
        "loss.lambda=1",
    ]
    from PIL import Image

    Image.effect_noise((64, 64), 50).save(good / "noise.png")
    folder = tmp_path / "sweep"
    process = done(sweep(folder, "dtype=float32", *overrides), tmp_path)
    assert process.returncode == 1
    found = [(job["status"], job["error"] or "") for job in record(folder)["jobs"]]
    assert [status for status, _ in found] == ["FINISHED", "FAILED", "FAILED", "FAILED"]
    assert found[1][1].startswith("the loss became")
    assert str(tmp_path / "gone") in found[2][1]
    for job in record(folder)["jobs"][1:]:
        assert f"{job['error']} ({folder / job['log']})" in process.stdout
        assert job["error"] in (folder / job["log"]).read_text()
    assert record(folder)["status"] == "FAILED"
    Image.effect_noise((64, 64), 50).save((tmp_path / "gone").with_suffix(".png"))
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone.png").rename(tmp_path / "gone" / "noise.png")
    assert done(resume(folder), tmp_path).returncode == 1
    assert [job["status"] for job in record(folder)["jobs"]] == ["FINISHED", "FAILED", "FINISHED", "FAILED"]


def test_fail_fast_ends_the_others(tmp_path):
    folder = tmp_path / "sweep"
    overrides = ["optimizer.lr=1e30,0.1,0.2", "loss.lambda=1", "dtype=float32", "epochs=100000", "sweep.fail_fast=true"]
    assert done(sweep(folder, *overrides), tmp_path).returncode == 1
    assert list(statuses(folder).values()) == ["FAILED", "KILLED", "PENDING"]


def test_killed_and_interrupted_then_resumed_is_as_if_undisturbed(tmp_path):
    """A worker is killed, then Ctrl-C; what is resumed ends like a sweep that nobody touched."""
    grid = ["model.hidden_size=3,4,5", "epochs=100", "checkpoint.every_seconds=0.02", OPTIMIZER_FILE]
    grid += ["hydra.launcher.n_workers=3"]
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    (tmp_path / "hold-60").touch()
    process = started(sweep(rough, *grid), tmp_path)
    wait_until(lambda: all(epochs(rough / f"hidden_size={size}") > 50 for size in (3, 4, 5)), process)
    os.kill(wait_until(lambda: trainer(rough / "hidden_size=3")), signal.SIGKILL)
    os.killpg(process.pid, signal.SIGINT)
    wait_until(lambda: (rough / ".end").exists() or process.poll() is not None)
    (tmp_path / "hold-60").unlink()
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130
    wait_until(lambda: not left_behind(process.pid))  # multiprocessing's tracker goes after its parent
    assert statuses(rough) == dict.fromkeys(["hidden_size=3", "hidden_size=4", "hidden_size=5"], "KILLED")
    assert record(rough)["status"] == "KILLED"
    assert f"go on with it: duograd resume {rough}" in output
    assert "Traceback" not in output
    reached = {name: epochs(rough / name) for name in statuses(rough)}
    assert all(0 < reached[name] < 100 for name in reached)
    again = done(resume(rough), tmp_path)
    assert again.returncode == 0
    assert re.findall(r"^\[(./.)\]", again.stdout, re.MULTILINE) == [
        "1/3",
        "3/3",
    ]  # the killed are not over
    assert done(sweep(calm, *grid), tmp_path).returncode == 0
    assert results(rough) == results(calm)
    for name in statuses(calm):
        for file in SAME_BYTES:
            assert (rough / name / file).read_bytes() == (calm / name / file).read_bytes()


def test_a_job_that_kills_every_worker_is_given_up(tmp_path):
    folder, killed = tmp_path / "sweep", set()
    process = started(sweep(folder, "seed=1,2", "epochs=100000", "checkpoint.every_seconds=1e9"), tmp_path)
    for _ in range(2):
        killed.add(victim := wait_until(lambda: (one := trainer(folder / "seed=1")) not in killed and one))
        os.kill(victim, signal.SIGKILL)
    wait_until(lambda: statuses(folder)["seed=1"] == "KILLED", process)
    process.terminate()
    output, _ = process.communicate(timeout=HANGING_S)
    assert "seed=1: its process died (killed, or out of memory) 2 times before anything was saved" in output


def test_one_process_at_a_time_on_a_sweep(tmp_path):
    folder = tmp_path / "sweep"
    process = started(sweep(folder, "model.hidden_size=3,4", "epochs=100000"), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3"), process)
    second = done(resume(folder), tmp_path)
    process.terminate()
    process.communicate(timeout=HANGING_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert second.returncode == 2
    assert second.stderr == f"duograd: {folder} is in use by another sweep: wait for it to end, or stop it\n"


def test_a_killed_sweep_leaves_no_process_and_can_be_resumed(tmp_path):
    folder = tmp_path / "sweep"
    (tmp_path / "hold-50").touch()
    process = started(sweep(folder, "model.hidden_size=3,4", "epochs=100", OPTIMIZER_FILE), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=4"), process)
    process.kill()
    process.communicate()
    wait_until(lambda: not left_behind(process.pid))
    assert record(folder)["status"] == "RUNNING"  # nobody was left to say otherwise
    (tmp_path / "hold-50").unlink()
    assert done(resume(folder), tmp_path).returncode == 0
    assert set(statuses(folder).values()) == {"FINISHED"}


@pytest.mark.slow
def test_two_sweeps_at_once_share_a_new_database(tmp_path):
    commands = [sweep(tmp_path / name, "epochs=1", "seed=1,2", tracking="mlflow") for name in ("one", "two")]
    for process in [started(command, tmp_path) for command in commands]:
        output, _ = process.communicate(timeout=HANGING_S)
        assert process.returncode == 0, output
        assert "look at it in MLflow" in output
    with closing(sqlite3.connect(tmp_path / "outputs" / "mlflow.db")) as database:
        found = database.execute("select name, status from runs order by name").fetchall()
    expected = ["seed=1", "seed=1", "seed=2", "seed=2", "sweep one", "sweep two"]
    assert found == [(name, "FINISHED") for name in expected]


def none_lost(folder: Path, jobs: int) -> None:
    overrides = ["preset=smoke", "epochs=1", f"seed=range({jobs})"]
    process = done(sweep(folder, *overrides), folder.parent)
    assert process.returncode == 0, process.stdout
    assert statuses(folder) == {f"seed={seed}": "FINISHED" for seed in range(jobs)}
    assert len({job["metrics"]["train/loss"] for job in record(folder)["jobs"]}) == jobs


def test_twelve_tiny_jobs_and_none_lost(tmp_path):
    none_lost(tmp_path / "sweep", 12)


@pytest.mark.slow
def test_a_hundred_tiny_jobs_and_none_lost(tmp_path):
    none_lost(tmp_path / "sweep", 100)


@pytest.mark.parametrize("sweeps", [True, False], ids=["sweep", "run"])
def test_a_terminal_that_is_closed_ends_it_saved(sweeps, tmp_path):
    """Live displays write to it until the end, and after it."""
    endless = ["epochs=1000000", *SMALL, "task=autoencoder", "tracking=none"]
    many = ["-m", "model.hidden_size=3,4", "hydra.sweep.dir=it"] if sweeps else ["hydra.run.dir=it"]
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", sys.executable, "-m", "duograd", *many, *endless]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.set_blocking(ours, False)

    def trains() -> int:
        with suppress(BlockingIOError):  # nothing to read; what there is must be, or the display waits
            os.read(ours, 1 << 16)
        return sum(map(epochs, [tmp_path / "it", *(tmp_path / "it").glob("*")]))

    wait_until(trains)
    os.close(ours)  # the terminal is gone
    assert process.wait(timeout=HANGING_S) == 128 + signal.SIGHUP
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "it").rglob("summary.json")]
    assert {summary["status"] for summary in summaries} == {"KILLED"}
    assert not sweeps or record(tmp_path / "it")["status"] == "KILLED"
