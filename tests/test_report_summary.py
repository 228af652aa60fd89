"""What a report says: what runs were ranked by and why, whether two halves agree, and how it fits a terminal."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_builders import ACTIVITY, run_folder, sweep_folder
from rich.console import Console
from safetensors.numpy import save_file

from duograd.runner.report import terminal
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import read_run
from duograd.runner.report.report import Report
from duograd.runner.report.select import sweep_runs
from duograd.runner.report.summary import notes, summarise
from duograd.runner.report.tables import ranking_table, short_ranking

FALLING = {"train/loss": [3.0, 2.0], "train/mse": [1.0, 0.5]}
ACCURACIES = {"val/loss": [3.0, 2.0, 2.5], "val/accuracy": [0.1, 0.2, 0.3], "test/accuracy": [0.4, 0.5, 0.6]}


def compared(tmp_path: Path, *runs: dict[str, Any]) -> Comparison:
    return Comparison("x", [read_run(run_folder(tmp_path / f"run{k}", **run)) for k, run in enumerate(runs)])


def names(comparison: Comparison) -> list[tuple[int | None, str]]:
    return [(rank.place, rank.group.records[0].folder.name) for rank in comparison.ranks]


def test_penalties_are_not_ranked_against_each_other(tmp_path: Path) -> None:
    """The loss with a penalty is always the larger one; what it says of the samples is not."""
    better = {"train/loss": [9.0, 8.0], "train/mse": [1.0, 0.1]}
    comparison = compared(
        tmp_path,
        {"changes": {"loss.lambda": 0}, "metrics": FALLING},
        {"changes": {"loss.lambda": 1e-3}, "metrics": better},
    )
    assert names(comparison) == [(1, "run1"), (2, "run0")]
    assert summarise(comparison) == "2 runs, all finished. Best is lambda=0.001: train/mse 0.1, the lowest."
    why = "Ranked by train/mse: lambda differs, so that train/loss is not the same sum in all runs."
    assert notes(comparison) == [why]


def test_what_runs_were_told_of_their_data_is_said_once(tmp_path: Path) -> None:
    runs = [{"changes": {"seed": seed}, "metrics": FALLING} for seed in (0, 1)]
    for k, run in enumerate(runs):
        path = run_folder(tmp_path / f"run{k}", **run) / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "notes": ["2 .heic skipped: not a type"]}))
    comparison = Comparison("x", [read_run(tmp_path / f"run{k}") for k in (0, 1)])
    assert notes(comparison) == [f"{comparison.records[0].identity['data']}: 2 .heic skipped: not a type."]


def test_different_losses_are_ranked_by_accuracy(tmp_path: Path) -> None:
    curves = [{"val/loss": [0.1], "val/accuracy": [0.5]}, {"val/loss": [9.0], "val/accuracy": [0.9]}]
    runs = [
        {"changes": {"loss": loss}, "metrics": metrics, "config": ACTIVITY}
        for loss, metrics in zip(("cross_entropy", "svm"), curves, strict=True)
    ]
    comparison = compared(tmp_path, *runs)
    assert names(comparison) == [(1, "run1"), (2, "run0")]
    assert notes(comparison)[0].startswith("Ranked by val/accuracy: loss differs")


@pytest.mark.parametrize("asked", [None, "train/loss"])
def test_what_was_asked_for_decides_though_it_says_little(tmp_path: Path, asked: str | None) -> None:
    metrics = FALLING if asked else {"train/loss": [3.0, 2.0]}
    runs = [{"changes": {"loss.lambda": k, "monitor": asked}, "metrics": metrics} for k in range(2)]
    comparison = compared(tmp_path, *runs)
    assert comparison.measure.metric == "train/loss"
    assert notes(comparison)[0].startswith("Places by train/loss say little: lambda differs")


def test_each_data_set_has_its_own_places(tmp_path: Path) -> None:
    runs = [
        {"changes": {"data": data, "model.hidden_size": size}, "metrics": {"train/loss": [3.0, loss]}}
        for data, size, loss in (("one", 1, 2.0), ("two", 1, 0.2), ("one", 2, 1.0), ("two", 2, 0.1))
    ]
    comparison = compared(tmp_path, *runs)
    assert names(comparison) == [(1, "run2"), (2, "run0"), (1, "run3"), (2, "run1")]
    assert "Best on one is data=one hidden_size=2: train/loss 1, the lowest." in summarise(comparison)
    assert "Best on two is data=two hidden_size=2: train/loss 0.1, the lowest." in summarise(comparison)
    assert notes(comparison) == [
        "Ranked apart for each data set, as train/loss on one says nothing of another: one, two."
    ]
    assert len(comparison.reruns) == 2


def test_samples_of_one_source_that_differ_are_told(tmp_path: Path) -> None:
    comparison = compared(tmp_path, *({"changes": {"data.count": count}} for count in (10, 20)))
    assert notes(comparison) == ["count differs: train/loss is measured on different samples."]
    assert names(comparison)[0][0] == 1


def test_a_start_that_nothing_bettered_is_not_best_without_a_word(tmp_path: Path) -> None:
    rising = {"changes": {"batch_size": None, "optimizer.lr": 9.0}, "metrics": {"train/loss": [1.0, 2.0, 3.0]}}
    falling = {"changes": {"batch_size": None, "optimizer.lr": 1.0}, "metrics": {"train/loss": [3.0, 2.0, 1.5]}}
    assert notes(compared(tmp_path, rising, falling)) == [
        "The best train/loss of lr=9 is the value before the first update: training did not better it."
    ]


def test_the_best_epoch_and_its_accuracy_are_of_one_epoch(tmp_path: Path) -> None:
    runs = [{"changes": {"model.hidden_size": k}, "metrics": ACCURACIES, "config": ACTIVITY} for k in range(2)]
    table = ranking_table(compared(tmp_path, *runs))
    row = dict(zip(table.heads, table.rows[0], strict=True))
    assert (row["best val/loss"], row["epoch"]) == ("2.000", "2")
    assert (row["test/accuracy at best"], row["final test/accuracy"]) == ("0.5000", "0.6000")


def test_a_pruned_run_has_no_place_wherever_it_is_read_from(tmp_path: Path) -> None:
    best = {"changes": {"loss.lambda": 0}, "metrics": {"train/loss": [0.1]}, "stopped_by": "pruned"}
    comparison = compared(
        tmp_path, best, {"changes": {"loss.lambda": 1}}, {"changes": {"loss.lambda": 2}, "status": None}
    )
    assert names(comparison) == [(1, "run1"), (None, "run2"), (None, "run0")]
    assert [rank.group.records[0].status for rank in comparison.ranks] == ["FINISHED", "KILLED", "PRUNED"]


def test_equal_runs_share_a_place(tmp_path: Path) -> None:
    runs = [{"changes": {"model.hidden_size": k}, "metrics": {"train/loss": [v]}} for k, v in enumerate((2, 1, 1, 3))]
    comparison = compared(tmp_path, *runs)
    assert names(comparison) == [(1, "run1"), (1, "run2"), (3, "run0"), (4, "run3")]
    assert "Best are hidden_size=1, hidden_size=2: train/loss 1, the lowest." in summarise(comparison)
    assert len(comparison.reruns) == 1


def test_a_row_of_several_seeds_is_named_by_what_they_share(tmp_path: Path) -> None:
    comparison = sweep_runs(sweep_folder(tmp_path, {"seed": [3, 4], "data.seed": [3]}))
    table = ranking_table(comparison)
    assert table.heads[:2] == ["#", "run"]
    assert table.rows[0][1] == "autoencoder numpy"
    follows = compared(tmp_path / "own", *({"changes": {"seed": k, "data.seed": k}} for k in range(2)))
    assert len(follows.groups) == 2  # other data: no replicate


def test_a_job_that_has_not_begun_adds_no_difference(tmp_path: Path) -> None:
    comparison = sweep_runs(sweep_folder(tmp_path, {"optimizer.lr": [0, 1]}, job1="PENDING"))
    assert comparison.differing == ["optimizer.lr"]


def twins(tmp_path: Path, torch: list[float], weight: float = 1.0, **changes: Any) -> Comparison:
    """Of one configuration, by hand with losses 3, 2, 1 and by autograd with others; weights all 1, and `weight`."""
    runs = [
        {"changes": {"backend": backend, **changes}, "metrics": {"train/loss": losses}}
        for backend, losses in (("numpy", [3.0, 2.0, 1.0]), ("torch", torch))
    ]
    comparison = compared(tmp_path, *runs)
    for record, value in zip(comparison.records, (1.0, weight), strict=True):
        arrays = {"encoder.bias": np.ones(2, "f4"), "decoder.bias": np.array([1.0, value], "f4")}
        save_file(arrays, record.folder / "checkpoint.safetensors", {"duograd": "{}"})
    return comparison


def test_two_halves_that_agree_have_no_winner(tmp_path: Path) -> None:
    comparison = twins(tmp_path, [3.0, 2.0, 1.0 + 4e-6], 1.0 + 2.4e-7)
    agree = "By hand and by autograd agree: loss within 4e-6, weights within 2e-7 (largest: decoder.bias)."
    assert summarise(comparison) == f"2 runs, all finished. {agree}"
    assert "#" not in short_ranking(comparison).heads
    assert not comparison.reruns


def test_halves_that_agree_make_no_axis_of_a_chart(tmp_path: Path) -> None:
    """Differences of rounding have no colour."""
    runs = [
        {"changes": {"backend": backend, "model.hidden_size": size}, "metrics": {"train/loss": [3.0, 2.0 + k * 1e-8]}}
        for k, backend in enumerate(("numpy", "torch"))
        for size in (1, 2)
    ]
    comparison = compared(tmp_path, *runs)
    assert [axis.name for axis in comparison.chart_axes] == ["hidden_size"]
    assert {rank.mean for rank in comparison.ranks} == {2.0}


@pytest.mark.parametrize(
    ("losses", "weight", "changes", "told"),
    [
        ([3.0, 2.1, 1.0], 1.0, {}, "part from epoch 2: train/loss 2 by hand, 2.1 by autograd."),
        ([3.0, 2.0 + 1e-6, 1.0], 1.0, {"dtype": "float64"}, "part from epoch 2: train/loss 2 by hand, 2.000001 by"),
        (
            [2.9, 2.0, 1.0],
            1.0,
            {"model.dropout": 0.5},
            "part from epoch 1: train/loss 3 by hand, 2.9 by autograd, as",
        ),
        ([3.0, 2.0], 1.0, {}, "part after epoch 2: by hand went on to epoch 3, by autograd to 2."),
        (
            [3.0, 2.0, 1.0],
            1.5,
            {},
            "agree in train/loss (within 0) but not in their last weights: decoder.bias",
        ),
    ],
)
def test_halves_that_part_are_told_where(
    tmp_path: Path, losses: list[float], weight: float, changes: dict[str, Any], told: str
) -> None:
    assert f"By hand and by autograd {told}" in summarise(twins(tmp_path, losses, weight, **changes))


def test_among_other_things_the_backend_is_never_the_best(tmp_path: Path) -> None:
    runs = [
        {"changes": {"backend": backend, "model.hidden_size": size}, "metrics": {"train/loss": [3.0, 2.0 / size]}}
        for backend in ("numpy", "torch")
        for size in (1, 2)
    ]
    comparison = compared(tmp_path, *runs)
    assert "Best is hidden_size=2: train/loss 1, the lowest." in summarise(comparison)
    agree = "By hand and by autograd agree in all 2 pairs: loss within 0, their weights cannot be read."
    assert notes(comparison) == [agree]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_is_cut_at_any_width(tmp_path: Path, width: int) -> None:
    grid = {"model.hidden_size": [10, 50], "loss.lambda": [0, 1e-5], "optimizer": ["sgd", "vanilla_adam"]}
    comparison = sweep_runs(sweep_folder(tmp_path / "sweep", grid, job1="FAILED"))
    console = Console(file=io.StringIO(), width=width)
    terminal.show(Report(tmp_path, comparison, [], [], None), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    table = printed.partition("8 runs")[0]
    assert "…" not in table
    assert all(len(line) <= width for line in table.splitlines())
    for head in short_ranking(comparison).heads:
        assert head in table
    assert table.count("vanilla_adam") >= 4
    assert table.count("FAILED (diverged)") == 1
    assert len(table.splitlines()) == {40: 29, 80: 19, 200: 9}[width]
