"""What anything logged to MLflow becomes in a report: names, types, steps, seeds and folds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duograd.runner.errors import UserError
from duograd.runner.report.logged import logged_comparison
from duograd.runner.report.report import write_report
from duograd.runner.report.summary import notes
from duograd.runner.report.usual import usual_name, usual_settings
from duograd.runner.tracking.logged import LoggedRun


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("val_acc", "val/accuracy"),
        ("valid-Accuracy", "val/accuracy"),
        ("loss/train", "train/loss"),
        ("test.top5_acc", "test/top5_accuracy"),
        ("eval_loss", "val/loss"),
        ("train/loss", "train/loss"),
        ("rmse", "rmse"),
        ("val", "val"),
        ("best/val_acc", "best_val_accuracy"),
        ("final_test_accuracy", "final_test_accuracy"),
    ],
)
def test_metrics_get_their_usual_names(name: str, usual: str) -> None:
    assert usual_name(name, [name]) == usual
    assert usual_name("val_acc", ["val_acc", "val/accuracy"]) == "val_acc"


def test_parameters_get_types_and_seeds_and_folds_their_place() -> None:
    logged = {"lr": "1e-3", "model/random_state": "3", "cv_fold": "2", "depth": "18", "name": "a b", "reseed": "1"}
    assert usual_settings(logged) == {
        "lr": 1e-3,
        "seed": 3,
        "data.fold": 2,
        "depth": 18,
        "name": "a b",
        "reseed": 1,
    }
    assert usual_settings({"seed": "1", "np_seed": "2"}) == {"seed": "1, 2"}


FAR = {"auc": [(100, 0.5), (200, 1.0)], "huge": [(10**9, 1.0)]}


def run(number: int, value: float, status: str = "FINISHED", **parameters: str) -> LoggedRun:
    metrics = {"auc": [(1, value / 2), (3, value)]}
    return LoggedRun(str(number), "1", f"run {number}", status, 2.0, parameters, metrics)


def test_a_page_of_runs_that_something_else_logged(tmp_path: Path) -> None:
    runs = [run(d + s, 0.5 + d / 1000 + s / 100, depth=str(d), seed=str(s)) for d in (0, 100) for s in range(3)]
    runs.append(run(6, 0.1, "FAILED", depth="50", seed="0"))
    comparison = logged_comparison("theirs", runs, rises=True)
    assert [rank.group.label for rank in comparison.ranks] == ["depth=100", "depth=0", "depth=50"]
    assert logged_comparison("theirs", runs).ranks[0].group.label == "depth=0"  # less is better, which is said
    np.testing.assert_array_equal(comparison.records[0].history["auc"], [0.25, np.nan, 0.5])
    answer = write_report(tmp_path, comparison)
    page = (tmp_path / "answer.md").read_text()
    assert "+0.1000 | \\[0.1000, 0.1000\\] | 3 |" in page
    assert "auc by step" in page
    assert "counts as better" not in page
    assert {"curves_auc", "best_auc"} == {path.stem for path in answer.pictures}
    far = logged_comparison("theirs", [LoggedRun("1", "1", "a", "FINISHED", None, {}, FAR)])
    np.testing.assert_array_equal(far.records[0].history["auc"], [0.5, 1.0])


def ours(number: int, lr: float, seed: int, backend: str = "numpy", **fields: Any) -> LoggedRun:
    """A job of a sweep as duograd mirrors it: of a group that the sweep varied, two parameters."""
    typed = {"backend": backend} if backend == "torch" else {"optimizer.lr": str(lr)}
    known = {"optimizer.lr": str(lr), "backend.name": backend, "data.seed": "0", "seed": str(seed), "data.fold": "null"}
    value = lr + seed / 100
    metrics = {
        "val/accuracy": [(1, value / 2), (2, value)],
        "final_test_accuracy": [(0, value / 4)],
        "best_val_accuracy": [(0, value)],
    }
    fields = {"parent": "0", "ours": True} | fields
    return replace(LoggedRun(str(number), "1", f"job {number}", "FINISHED", 2.0, typed | known, metrics), **fields)


def test_our_own_experiment_is_ranked_by_job(tmp_path: Path) -> None:
    metrics = {"final_test_accuracy": [(0, 1.0)], "jobs": [(0, 4.0)]}
    sweep = LoggedRun("0", "1", "sweep s", "FINISHED", 9.0, {}, metrics, ours=True, sweep=True)
    backends = ("numpy", "numpy", "torch", "torch")
    jobs = [ours(1 + k, (0.1, 0.1, 0.2, 0.2)[k], k % 2, backend) for k, backend in enumerate(backends)]
    killed = ours(5, 0.3, 0, status="KILLED", error="no room on the disk")
    found = logged_comparison("s", [sweep, *jobs, killed], metric="final_test_accuracy")
    labels = [rank.group.label for rank in found.ranks]
    assert labels == ["lr=0.2 backend=torch", "lr=0.1 backend=numpy", "lr=0.3 backend=numpy"]  # the highest first
    assert [axis.values for axis in found.axes] == [(0.1, 0.2, 0.3), ("numpy", "torch")]
    np.testing.assert_array_equal(found.records[0].history["val/accuracy"], [0.05, 0.1])
    assert found.records[0].metrics == {"test/accuracy": 0.025}
    answer = write_report(tmp_path, found)
    assert not answer.left_out
    assert {"final_test_accuracy", "curves_accuracy"} == {path.stem for path in answer.pictures}
    page = (tmp_path / "answer.md").read_text()
    assert "5 runs, 4 finished" in page
    assert "Not ranked, as the runs below them are: sweep s." in page
    assert "| final\\_test\\_accuracy (mean" in page
    assert "no room on the disk" in page
    assert "different samples" not in page


def test_a_parent_of_others_is_ranked_only_where_they_lack_the_metric() -> None:
    parent, child = run(0, 1.0, lr="1"), replace(run(1, 2.0, lr="2"), parent="0")
    assert [record.name for record in logged_comparison("theirs", [parent, child]).records] == ["run 1"]
    other = replace(child, metrics={"late/auc": [(0, 1.0)]})
    assert len(logged_comparison("theirs", [parent, other], metric="auc").records) == 2


def test_a_run_without_parameters_has_its_place_in_the_pictures(tmp_path: Path) -> None:
    runs = [run(k, k / 10, lr=str(k % 2), depth=str(k // 2)) for k in range(4)]
    answer = write_report(tmp_path, logged_comparison("theirs", [*runs, run(4, 0.9)], rises=True))
    assert not answer.left_out
    assert {"curves_auc", "best_auc"} == {path.stem for path in answer.pictures}


def test_which_way_is_up_and_how_to_turn_it() -> None:
    runs = [replace(run(k, 1.0, lr=str(k)), metrics={"best_val_acc": [(0, float(k))]}) for k in range(2)]
    assert logged_comparison("theirs", runs).ranks[0].group.label == "lr=1"
    assert "--higher says otherwise" in notes(logged_comparison("theirs", [run(0, 1.0, lr="1")]))[0]


def test_faults_are_one_line() -> None:
    runs = [run(k, 1.0, lr=str(k)) for k in range(2)]
    for options, message in (
        ({"metric": "acu"}, "--metric acu: no run has logged it: did you mean 'auc'"),
        ({"ignored": ["ln"]}, "--ignore ln: no run has that parameter: known: lr"),
    ):
        with pytest.raises(UserError, match=message):
            logged_comparison("theirs", runs, **options)
    with pytest.raises(UserError, match="has logged a metric: there is nothing to compare"):
        logged_comparison("theirs", [LoggedRun("1", "1", "a", "FINISHED", None, {}, {})])
