"""Searches in real processes: what they leave, that the hopeless are ended, and going on after a kill."""

import json
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from patience import HANGING_S, wait_until
from sweep_builders import done, epochs, left_behind, record, resume, started

SMALL = ["task=autoencoder", "data.count=64", "data.size=4"]
SIZES = "model.hidden_size=int(interval(3,9))"
RATES = "optimizer.lr=1e-3,1e-9,1e-8,1e-7,1e30"  # from good over useless to absurd
SLOW = ["optimizer=rmsprop", "batch_size=8", "epochs=400"]  # enough for a look at it on the way
PRUNED = ["hydra.sweeper.n_trials=10", "hydra.sweeper.sampler=random", "hydra.sweeper.pruner=median"]
PRUNED += ["hydra.sweeper.startup_trials=2", "hydra.sweeper.warmup_epochs=10"]


def search(folder: Path, *overrides: str, tracking: str = "none") -> list[str]:
    where = [f"hydra.sweep.dir={folder}", f"tracking={tracking}", *SMALL]
    return [sys.executable, "-m", "duograd", "-m", "hydra/sweeper=optuna", *where, *overrides]


def trials(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "search.json").read_text())["trials"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tracked search with a pruner, in which some trials are hopeless and some diverge."""
    folder = tmp_path_factory.mktemp("search") / "study"
    process = done(search(folder, *SLOW, *PRUNED, SIZES, RATES, tracking="mlflow"), folder.parent)
    assert process.returncode == 0, process.stdout + process.stderr
    return folder, process


def test_a_search_leaves_its_trials_jobs_and_answer(finished):
    folder, process = finished
    assert not process.stderr
    assert f"search of 10 trials; everything goes to {folder}" in process.stdout.splitlines()
    sweep, found = record(folder), json.loads((folder / "search.json").read_text())
    assert sweep["status"] == "FINISHED"
    assert list(sweep["swept"]) == ["model.hidden_size", "optimizer.lr"]
    assert (found["typed"], found["metric"], len(found["trials"])) == ([SIZES, RATES], "train/loss", 10)
    assert set(found["importances"]) == {"model.hidden_size", "optimizer.lr"}
    answer = (folder / "answer.md").read_text()
    assert "10 trials by random, pruned by median (ends what is worse than the median): " in answer
    assert "| parameter | importance |" in answer
    for name in ("search_history", "importances", "best_train_loss"):
        assert (folder / "figures" / f"{name}.png").exists()


def test_the_hopeless_end_early_and_divergence_is_an_answer(finished):
    folder, _ = finished
    jobs = record(folder)["jobs"]
    pruned = [job for job in jobs if job["status"] == "PRUNED"]
    assert pruned
    assert all(10 <= job["epochs"] < 400 for job in pruned)
    assert all("lr=1e-0" in job["name"] for job in pruned)
    diverged = [job for job in jobs if "lr=1e+30" in job["name"]]
    assert diverged
    assert all((job["status"], job["diverged"]) == ("FAILED", True) for job in diverged)
    states = {"FINISHED": "COMPLETE", "PRUNED": "PRUNED", "FAILED": "PRUNED"}
    for trial in trials(folder):
        job = jobs[trial["job"]]
        assert trial["state"] == states[job["status"]]
        assert trial["value"] == (job["best"] or {}).get("value")


def test_trials_are_children_of_the_search_and_the_pruned_are_tagged(finished):
    folder, _ = finished
    jobs = record(folder)["jobs"]
    with closing(sqlite3.connect(folder.parent / "outputs" / "mlflow.db")) as database:
        swept = database.execute("select count(*) from tags where key = 'optimizer.lr'").fetchone()
        tagged = database.execute("select count(*) from tags where key = 'stopped_by' and value = 'pruned'").fetchone()
    assert (*swept, *tagged) == (len(jobs), sum(job["status"] == "PRUNED" for job in jobs))


def test_a_search_is_gone_on_with_as_it_was_begun(finished):
    folder, _ = finished
    again = search(folder, *SLOW, *PRUNED, SIZES, RATES, "sweep.resume=true", tracking="mlflow")
    changed = done([*again, "epochs=401"], folder.parent)
    assert changed.returncode == 2
    assert "was begun differently: was epochs=400, is epochs=401 now; resume with the same space" in changed.stderr


def test_after_a_kill_no_trial_is_lost_and_none_repeated(tmp_path):
    folder = tmp_path / "study"
    options = ["hydra.sweeper.n_trials=5", "epochs=1500", "checkpoint.every_seconds=0.1"]
    process = started(search(folder, SIZES, "loss.lambda=tag(log,interval(1e-6,1))", *options), tmp_path)
    wait_until(lambda: (folder / "sweep.json").exists() and len(record(folder)["jobs"]) > 3, process)
    process.kill()
    process.communicate()
    wait_until(lambda: not left_behind(process.pid))
    jobs = record(folder)["jobs"]
    over = {job["folder"] for job in jobs if (folder / job["folder"] / "summary.json").exists()}
    before = {name: (folder / name / "summary.json").stat().st_mtime_ns for name in over}
    with (folder / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code":4,"worker')  # torn in the middle of a write
    again = done(resume(folder), tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert Counter(trial["state"] for trial in trials(folder)) == {"COMPLETE": 5}
    assert sorted(trial["job"] for trial in trials(folder)) == list(range(5))
    assert [job["folder"] for job in record(folder)["jobs"]][: len(jobs)] == [job["folder"] for job in jobs]
    assert {name: (folder / name / "summary.json").stat().st_mtime_ns for name in over} == before


def test_ctrl_c_leaves_a_search_that_can_be_gone_on_with(tmp_path):
    folder = tmp_path / "study"
    process = started(search(folder, "seed=1,2,3", "hydra.sweeper.n_trials=3", "epochs=1000000"), tmp_path)
    wait_until(lambda: (folder / "sweep.json").exists() and any(map(epochs, folder.glob("seed=*"))), process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130
    assert f"go on with it: duograd resume {folder}" in output
    assert "Traceback" not in output
    assert {trial["state"] for trial in trials(folder)} == {"RUNNING"}
    assert record(folder)["status"] == "KILLED"
