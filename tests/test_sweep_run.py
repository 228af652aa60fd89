"""Sweeps in real processes: what they leave, and what happens to them."""

import json
import os
import pty
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sweep_builders import (
    SMALL,
    done,
    epochs,
    left_behind,
    record,
    resume,
    started,
    statuses,
    sweep,
    trainer,
    wait_until,
)

from duograd.runner.compose import compose
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

GRID = ["model.hidden_size=3,4", "loss.lambda=0,1e-3"]
NAMES = [f"hidden_size={h},lambda={l}" for h in (3, 4) for l in ("0", "0.001")]
SAME_BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl")


def results(folder: Path) -> dict[str, tuple]:
    """The final table: of each job its status, metrics and best value."""
    return {job["name"]: (job["status"], job["metrics"], job["best"]) for job in record(folder)["jobs"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tracked sweep, for the tests that only look."""
    folder = tmp_path_factory.mktemp("sweep") / "grid"
    process = done(sweep(folder, "epochs=2", *GRID, tracking="mlflow", answer=True), folder.parent)
    assert process.returncode == 0, process.stdout + process.stderr
    return folder, process


def test_a_sweep_leaves_what_the_contract_promises(finished):
    folder, process = finished
    content = record(folder)
    assert (content["name"], content["status"], content["task"]) == ("grid", "FINISHED", "autoencoder")
    assert content["swept"] == {"model.hidden_size": [3, 4], "loss.lambda": [0, 0.001]}
    assert content["command"].startswith("duograd -m task=autoencoder ")
    assert "epochs=2" in content["overrides"]
    job = content["jobs"][1]
    assert (job["number"], job["name"], job["status"], job["error"]) == (1, NAMES[1], "FINISHED", None)
    assert job["overrides"] == ["model.hidden_size=3", "loss.lambda=0.001"]
    assert (job["epochs"], job["parameters"], job["best"]["metric"]) == (2, 2 * 3 * 16 + 3 + 16, "train/loss")
    assert job["metrics"]["train/loss"] < job["best"]["value"]
    assert [job["folder"] for job in content["jobs"]] == NAMES
    assert all((folder / job["log"]).exists() for job in content["jobs"])
    assert not process.stderr
    assert "\x1b" not in process.stdout


def test_the_command_that_adds_seeds_can_be_pasted(finished):
    folder, process = finished
    [command] = [line for line in process.stdout.splitlines() if line.startswith("train more seeds: ")]
    name, *arguments = shlex.split(command.removeprefix("train more seeds: "))
    assert name == "duograd"
    typed = done([sys.executable, "-m", "duograd", *arguments, "sweep.dry_run=true"], folder.parent)
    assert "20 jobs, 16 to run" in typed.stdout, typed.stderr
    assert "0.001" in typed.stdout


def test_a_job_of_a_sweep_saves_arrays_and_frames_and_draws_nothing(finished):
    folder, _ = finished
    job = folder / NAMES[0]
    for name in ("config.yaml", "run.json", "run.log", "summary.json", *SAME_BYTES):
        assert (job / name).stat().st_size > 0
    assert (job / "frames" / "hidden_weights" / "000002.png").exists()
    assert not (job / "figures").exists()
    assert not (job / "mirror.log").exists()


def test_a_sweep_is_a_parent_and_its_children(finished):
    folder, _ = finished
    with closing(sqlite3.connect(folder.parent / "outputs" / "mlflow.db")) as database:
        runs = dict(database.execute("select run_uuid, name from runs where status = 'FINISHED'").fetchall())
        tags = database.execute("select run_uuid, key, value from tags").fetchall()
        losses = database.execute("select count(*) from metrics where key = 'train/loss'").fetchone()
        best = database.execute("select run_uuid, value from latest_metrics where key = 'best_train_loss'").fetchall()
        counts = dict(database.execute("select key, value from latest_metrics where key like 'jobs%'").fetchall())
    content = record(folder)
    parent = content["parent_run_id"]
    assert runs == {parent: "sweep grid"} | {job["run_id"]: job["name"].replace(",", " ") for job in content["jobs"]}
    children = {run for run, key, value in tags if (key, value) == ("mlflow.parentRunId", parent)}
    assert children == {job["run_id"] for job in content["jobs"]}
    first = {key: value for run, key, value in tags if run == content["jobs"][0]["run_id"]}
    assert (first["model.hidden_size"], first["loss.lambda"]) == ("3", "0")
    of_parent = {key: value for run, key, value in tags if run == parent}
    assert (of_parent["sweep"], of_parent["command"]) == (str(folder), content["command"])
    assert losses == (8,)
    assert counts == {"jobs": 4, "jobs_finished": 4}
    values = dict(best)
    assert values.keys() == {parent, *children}
    leader = next(job for job in content["jobs"] if job["name"].replace(",", " ") == of_parent["best_job"])
    assert leader["number"] == content["best_job"]
    assert values[parent] == leader["best"]["value"]  # the penalties differ, and with them the losses: led by mse
    assert leader["metrics"]["train/mse"] == min(job["metrics"]["train/mse"] for job in content["jobs"])
    note = of_parent["mlflow.note.content"]
    assert note.startswith("4 runs, all finished. Best is ")
    assert "answer.html" in note
    assert note.endswith(f"Folder: {folder}")


def test_a_sweep_can_be_mirrored_elsewhere_later_with_its_parent(finished, tmp_path):
    folder, _ = finished
    other = f"sqlite:///{tmp_path / 'other.db'}"
    synced = done([sys.executable, "-m", "duograd", "sync", str(folder), "--uri", other], tmp_path)
    assert (synced.returncode, len(synced.stdout.splitlines())) == (0, len(record(folder)["jobs"])), synced.stderr
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        names = dict(database.execute("select run_uuid, name from runs"))
        parents = {value for (value,) in database.execute("select value from tags where key='mlflow.parentRunId'")}
    [parent] = parents
    assert names[parent] == "sweep grid"
    assert len(names) == len(record(folder)["jobs"]) + 1


def test_a_sweep_comes_to_the_same_bytes_as_single_runs(finished, tmp_path):
    folder, _ = finished
    overrides = [
        "data.count=200",
        "data.size=4",
        "dtype=float64",
        "epochs=2",
        "model.hidden_size=4",
        "loss.lambda=1e-3",
    ]
    command = [sys.executable, "-m", "duograd", *overrides, "tracking=none", "hydra.run.dir=alone"]
    assert done(command, tmp_path).returncode == 0
    for name in SAME_BYTES:
        assert (tmp_path / "alone" / name).read_bytes() == (folder / NAMES[3] / name).read_bytes()


def test_a_sweep_ends_with_its_answer(finished):
    folder, process = finished
    for name in ("ranking.csv", "answer.md", "answer.html"):
        assert (folder / name).stat().st_size > 0
    assert f"answer: {folder / 'answer.html'}" in process.stdout
    assert f"compare in MLflow (duograd ui): {folder / 'mlflow.html'}" in process.stdout
    assert record(folder)["parent_run_id"] in (folder / "mlflow.html").read_text()
    artifacts = folder.parent / "outputs" / "mlartifacts" / "autoencoder" / record(folder)["parent_run_id"]
    assert (artifacts / "artifacts" / "answer.html").read_bytes() == (folder / "answer.html").read_bytes()


def test_adding_values_runs_the_new_ones_only(finished):
    folder, _ = finished
    before = {name: (folder / name / "summary.json").stat().st_mtime_ns for name in NAMES}
    again = sweep(folder, "epochs=2", "model.hidden_size=3,4,5", "loss.lambda=0,1e-3", tracking="mlflow")
    refused = done(again, folder.parent)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"duograd: {folder} already holds a sweep: go on with it (duograd resume")
    added = done([*again, "sweep.resume=true"], folder.parent)
    assert added.returncode == 0, added.stdout + added.stderr
    assert "sweep of 6 jobs, 4 of them finished already" in added.stdout
    assert statuses(folder) == dict.fromkeys(
        [*NAMES, "hidden_size=5,lambda=0", "hidden_size=5,lambda=0.001"], "FINISHED"
    )
    assert {name: (folder / name / "summary.json").stat().st_mtime_ns for name in NAMES} == before
    with closing(sqlite3.connect(folder.parent / "outputs" / "mlflow.db")) as database:
        assert database.execute("select count(*) from runs").fetchone() == (7,)  # the parent is the same
    changed = done([*sweep(folder, "epochs=3", *GRID), "sweep.resume=true"], folder.parent)
    assert changed.returncode == 2
    assert f"job {NAMES[0]} was begun differently: epochs was 2, is 3 now" in changed.stderr


@pytest.mark.slow
def test_all_its_jobs_train_longer_to_the_bytes_of_longer_ones(finished, tmp_path):
    folder, _ = finished
    fewer = done(resume(folder, "epochs=1"), tmp_path)
    assert fewer.returncode == 2
    assert "epochs=1 is less than the 2 that it trains already" in fewer.stderr
    longer = done(resume(folder, "epochs=3"), tmp_path)
    assert longer.returncode == 0, longer.stdout + longer.stderr
    assert set(statuses(folder).values()) == {"FINISHED"}
    assert [job["epochs"] for job in record(folder)["jobs"]] == [3] * len(record(folder)["jobs"])
    assert "epochs=3" in record(folder)["command"].split()
    config = compose(
        ["task=autoencoder", *SMALL, "tracking=none", "epochs=3", "model.hidden_size=3", "loss.lambda=1e-3"]
    )
    assert run(config, RunFolder(tmp_path / "run"), []) == 0
    for name in SAME_BYTES:
        assert (folder / NAMES[1] / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    again = done(resume(folder, "epochs=3"), tmp_path)
    assert f"{len(record(folder)['jobs'])} of them finished already" in again.stdout


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
    grid = ["model.hidden_size=3,4,5", "epochs=3000", "checkpoint.every_seconds=0.1", "optimizer=adam"]
    grid += ["hydra.launcher.n_workers=3"]
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    process = started(sweep(rough, *grid), tmp_path)
    wait_until(lambda: all(epochs(rough / f"hidden_size={size}") > 50 for size in (3, 4, 5)))
    os.kill(wait_until(lambda: trainer(rough / "hidden_size=3")), signal.SIGKILL)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=15)  # within seconds
    assert process.returncode == 130
    wait_until(lambda: not left_behind(process.pid), seconds=10)  # multiprocessing's tracker goes after its parent
    assert statuses(rough) == dict.fromkeys(["hidden_size=3", "hidden_size=4", "hidden_size=5"], "KILLED")
    assert record(rough)["status"] == "KILLED"
    assert f"go on with it: duograd resume {rough}" in output
    assert "Traceback" not in output
    reached = {name: epochs(rough / name) for name in statuses(rough)}
    assert all(0 < reached[name] < 3000 for name in reached)
    assert done(resume(rough), tmp_path).returncode == 0
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
    wait_until(lambda: statuses(folder)["seed=1"] == "KILLED")
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert "seed=1: its process died (killed, or out of memory) 2 times before anything was saved" in output


def test_one_process_at_a_time_on_a_sweep(tmp_path):
    folder = tmp_path / "sweep"
    process = started(sweep(folder, "model.hidden_size=3,4", "epochs=100000"), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=3"))
    second = done(resume(folder), tmp_path)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert second.returncode == 2
    assert second.stderr == f"duograd: {folder} is in use by another sweep: wait for it to end, or stop it\n"


def test_a_killed_sweep_leaves_no_process_and_can_be_resumed(tmp_path):
    folder = tmp_path / "sweep"
    process = started(sweep(folder, "model.hidden_size=3,4", "epochs=3000"), tmp_path)
    wait_until(lambda: epochs(folder / "hidden_size=4"))
    process.kill()
    process.communicate()
    wait_until(lambda: not left_behind(process.pid), seconds=20)
    assert record(folder)["status"] == "RUNNING"  # nobody was left to say otherwise
    assert done(resume(folder), tmp_path).returncode == 0
    assert set(statuses(folder).values()) == {"FINISHED"}


def test_two_sweeps_at_once_share_a_new_database(tmp_path):
    commands = [sweep(tmp_path / name, "epochs=1", "seed=1,2", tracking="mlflow") for name in ("one", "two")]
    for process in [started(command, tmp_path) for command in commands]:
        output, _ = process.communicate(timeout=120)
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
    assert process.wait(timeout=60) == 128 + signal.SIGHUP
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "it").rglob("summary.json")]
    assert {summary["status"] for summary in summaries} == {"KILLED"}
    assert not sweeps or record(tmp_path / "it")["status"] == "KILLED"
