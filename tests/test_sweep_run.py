"""Sweeps in real processes: what they leave, and what happens to them."""

import shlex
import sqlite3
import sys
from contextlib import closing

import pytest
from sweep_builders import (
    SAME_BYTES,
    SMALL,
    done,
    record,
    resume,
    statuses,
    sweep,
)

from duograd.runner.compose import compose
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

GRID = ["model.hidden_size=3,4", "loss.lambda=0,1e-3"]
NAMES = [f"hidden_size={h},lambda={l}" for h in (3, 4) for l in ("0", "0.001")]


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
