"""What anything logged to MLflow becomes in a report: names, types, steps, seeds and folds."""

from pathlib import Path

import numpy as np
import pytest

from duograd.runner.errors import UserError
from duograd.runner.report.logged import logged_comparison, settings, usual_name
from duograd.runner.report.report import write_report
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
    ],
)
def test_metrics_get_their_usual_names(name: str, usual: str) -> None:
    assert usual_name(name, [name]) == usual
    assert usual_name("val_acc", ["val_acc", "val/accuracy"]) == "val_acc"


def test_parameters_get_types_and_seeds_and_folds_their_place() -> None:
    logged = {"lr": "1e-3", "model/random_state": "3", "cv_fold": "2", "depth": "18", "name": "a b", "reseed": "1"}
    assert settings(logged) == {
        "lr": 1e-3,
        "seed": 3,
        "data.fold": 2,
        "depth": 18,
        "name": "a b",
        "reseed": 1,
    }
    assert settings({"seed": "1", "np_seed": "2"}) == {"seed": "1, 2"}


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
