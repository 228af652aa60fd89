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
from sweep_builders import done, epochs, left_behind, record, resume, started, wait_until

SMALL = ["data.count=64", "data.size=4", "task=autoencoder"]
SPACE = [
    "model.hidden_size=int(interval(3,9))",
    "optimizer.lr=tag(log,interval(1e-4,0.1))",
    "optimizer=choice(adam,sgd)",
]


def search(folder: Path, *overrides: str, tracking: str = "none") -> list[str]:
    where = [f"hydra.sweep.dir={folder}", f"tracking={tracking}", *SMALL]
    return [sys.executable, "-m", "runner", "-m", "hydra/sweeper=optuna", *where, *overrides]


def trials(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "search.json").read_text())["trials"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search") / "study"
    options = ["hydra.sweeper.n_trials=6", "hydra.sweeper.startup_trials=3", "epochs=3"]
    process = done(search(folder, *options, *SPACE, tracking="mlflow"), folder.parent)
    assert process.returncode == 0, process.stdout + process.stderr
    return folder, process


def test_a_search_leaves_its_trials_jobs_and_answer(finished):
    folder, process = finished
    assert not process.stderr
    assert process.stdout.startswith("search of 6 trials; everything goes to ")
    sweep, found = record(folder), json.loads((folder / "search.json").read_text())
    assert (sweep["status"], len(sweep["jobs"])) == ("FINISHED", 6)
    assert list(sweep["swept"]) == ["model.hidden_size", "optimizer.lr", "optimizer"]
    assert found["typed"] == SPACE
    assert found["metric"] == "train/loss"
    for trial in found["trials"]:
        job = sweep["jobs"][trial["job"]]
        assert (trial["state"], trial["value"]) == ("COMPLETE", job["best"]["value"])
        assert (folder / job["folder"] / "summary.json").exists()
    assert set(found["importances"]) == {"model.hidden_size", "optimizer.lr", "optimizer"}
    answer = (folder / "answer.md").read_text()
    assert "6 trials by tpe: 6 complete." in answer
    assert "| parameter | importance |" in answer
    for name in ("search_history", "importances", "best_train_loss"):
        assert (folder / "figures" / f"{name}.png").exists()


def test_trials_are_children_of_the_search(finished):
    folder, _ = finished
    with closing(sqlite3.connect(folder.parent / "outputs" / "mlflow.db")) as database:
        runs = database.execute("select count(*) from runs where status = 'FINISHED'").fetchone()
        swept = database.execute("select count(*) from tags where key = 'optimizer.lr'").fetchone()
    assert (*runs, *swept) == (7, 6)


def test_more_trials_can_be_asked_for_but_nothing_else(finished):
    folder, _ = finished
    again = search(folder, *SPACE, "hydra.sweeper.n_trials=8", "epochs=3", "sweep.resume=true", tracking="mlflow")
    changed = done([*again, "epochs=4"], folder.parent)
    assert changed.returncode == 2
    assert "was begun differently: was epochs=3, is epochs=4 now; resume with the same space" in changed.stderr
    more = done(again, folder.parent)
    assert more.returncode == 0, more.stdout + more.stderr
    assert "search of 8 trials, 6 of them over already" in more.stdout
    assert [trial["number"] for trial in trials(folder)] == list(range(8))
    assert Counter(trial["state"] for trial in trials(folder)) == {"COMPLETE": 8}


def test_the_hopeless_end_early_and_divergence_is_an_answer(tmp_path):
    """Rates from useless to absurd: some trials are pruned, some diverge, and the search has not failed."""
    options = [
        "hydra.sweeper.n_trials=9",
        "hydra.sweeper.pruner=asha",
        "hydra.sweeper.warmup_epochs=50",
        "epochs=20000",
    ]
    space = ["optimizer=rmsprop", "optimizer.lr=1e-3,1e-9,1e-8,1e-7,1e30", "hydra.sweeper.sampler=random"]
    folder = tmp_path / "study"
    process = done(search(folder, *options, *space, tracking="mlflow"), tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    jobs = {job["name"]: job for job in record(folder)["jobs"]}
    pruned = [job for job in jobs.values() if job["status"] == "PRUNED"]
    assert pruned
    assert all(50 <= job["epochs"] < 20000 for job in pruned)
    assert jobs["lr=1e+30"]["status"] == "FAILED"
    assert record(folder)["status"] == "FINISHED"
    told = {jobs_of["number"]: jobs_of["status"] for jobs_of in jobs.values()}
    states = {"FINISHED": "COMPLETE", "PRUNED": "PRUNED", "FAILED": "PRUNED"}
    assert all(trial["state"] == states[told[trial["job"]]] for trial in trials(folder))
    assert len(trials(folder)) == 9
    assert len(jobs) < 9  # equal trials took the value of one job
    with closing(sqlite3.connect(tmp_path / "outputs" / "mlflow.db")) as database:
        tagged = database.execute("select count(*) from tags where key = 'stopped_by' and value = 'pruned'").fetchone()
    assert tagged == (len(pruned),)


def test_after_a_kill_no_trial_is_lost_and_none_repeated(tmp_path):
    folder = tmp_path / "study"
    process = started(search(folder, *SPACE, "hydra.sweeper.n_trials=5", "epochs=2000"), tmp_path)
    wait_until(lambda: (folder / "sweep.json").exists() and len(record(folder)["jobs"]) > 3)
    out = [job for job in record(folder)["jobs"] if job["status"] == "RUNNING"]
    wait_until(lambda: all(epochs(folder / job["folder"]) for job in out))
    process.kill()
    process.communicate()
    wait_until(lambda: not left_behind(process.pid), seconds=20)
    over = {job["folder"] for job in record(folder)["jobs"] if job["status"] == "FINISHED"}
    before = {name: (folder / name / "summary.json").stat().st_mtime_ns for name in over}
    with (folder / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code":4,"worker')  # torn in the middle of a write
    again = done(resume(folder), tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert Counter(trial["state"] for trial in trials(folder)) == {"COMPLETE": 5}
    assert len({trial["job"] for trial in trials(folder)}) == len(record(folder)["jobs"]) == 5
    assert {name: (folder / name / "summary.json").stat().st_mtime_ns for name in over} == before


def test_ctrl_c_leaves_a_search_that_can_be_gone_on_with(tmp_path):
    folder = tmp_path / "study"
    process = started(search(folder, "seed=1,2,3", "hydra.sweeper.n_trials=3", "epochs=1000000"), tmp_path)
    wait_until(lambda: (folder / "sweep.json").exists() and any(map(epochs, folder.glob("seed=*"))))
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"go on with it: duograd resume {folder}" in output
    assert "Traceback" not in output
    assert {trial["state"] for trial in trials(folder)} == {"RUNNING"}
