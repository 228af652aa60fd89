"""What is handed to the figures: every number in its place. A sweep's job k has the loss k + 1."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from report_builders import run_folder, sweep_folder

from duograd.runner.drawing import finished_run
from duograd.runner.report import charts, feature_sheets
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import read_run
from duograd.runner.report.report import write_report
from duograd.runner.report.select import sweep_runs

NAN = float("nan")


def swept(tmp_path: Path, grid: dict[str, list[Any]], **statuses: str) -> Comparison:
    return sweep_runs(sweep_folder(tmp_path / "sweep", grid, **statuses))


def test_a_table_has_the_first_axis_down_and_the_second_across(tmp_path: Path) -> None:
    grid = {"model.hidden_size": [50, 10], "loss.lambda": [1e-3, 0, 1e-5]}
    comparison = swept(tmp_path, grid, job4="FAILED", job5="PENDING")
    table = charts._grid(comparison, comparison.measure, None)
    # hidden_size=10 is the second typed, the first by size; lambda 0, 1e-5, 1e-3
    np.testing.assert_array_equal(table.values, [[NAN, NAN, 4.0], [2.0, 3.0, 1.0]])
    assert table.words == {(0, 0): "diverged", (0, 1): "pending"}
    assert np.isnan(table.deviations).all()


def test_a_third_axis_has_a_table_for_each_value(tmp_path: Path) -> None:
    grid = {"model.hidden_size": [10, 50], "loss.lambda": [0, 1], "optimizer": ["sgd", "adam"], "seed": [0, 1]}
    comparison = swept(tmp_path, grid)
    sgd, adam = (charts._grid(comparison, comparison.measure, name) for name in ("sgd", "adam"))
    assert (sgd.title, adam.title) == ("optimizer=sgd", "optimizer=adam")
    np.testing.assert_array_equal(sgd.values, [[1.5, 5.5], [9.5, 13.5]])  # means of two seeds
    np.testing.assert_array_equal(adam.values, [[3.5, 7.5], [11.5, 15.5]])
    np.testing.assert_allclose(adam.deviations, np.full((2, 2), 0.5**0.5))


def test_a_panel_has_all_runs_at_each_value(tmp_path: Path) -> None:
    comparison = swept(tmp_path, {"model.hidden_size": [50, 10], "optimizer": ["sgd", "adam"]}, job3="FAILED")
    first, second = (charts._panel(comparison, comparison.measure, axis) for axis in comparison.axes)
    assert (first.name, list(first.values)) == ("hidden_size", [10, 50])
    assert [values.tolist() for values in first.runs] == [[3.0], [1.0, 2.0]]
    assert (second.name, list(second.values)) == ("optimizer", ["sgd", "adam"])
    assert [values.tolist() for values in second.runs] == [[1.0, 3.0], [2.0]]


def test_seeds_are_a_mean_with_a_band(tmp_path: Path) -> None:
    comparison = swept(tmp_path, {"loss.lambda": [0, 1], "seed": [0, 1]})
    looks = charts._looks(comparison, comparison.groups)
    lines = charts._lines(comparison.groups, looks, "train/loss")
    assert [(line.name, line.colour, line.values[-1]) for line in lines] == [("lambda=0", 0, 1.5), ("lambda=1", 1, 3.5)]
    half = 12.706 * 0.5  # Student's t of two values, whose mean has a standard error of 0.5
    band = lines[0].band
    np.testing.assert_allclose([band.low[-1], band.high[-1]], [0, 1.5 + half], rtol=1e-4)  # no loss is below 0
    panel = charts._panel(comparison, comparison.measure, comparison.axes[0])
    np.testing.assert_allclose(panel.whiskers[0], [0, 1.5 + half], rtol=1e-4)


@pytest.mark.parametrize(
    ("metric", "runs", "ends", "drawn"),
    [
        ("val/accuracy", [0.7, 0.9], [-0.5, 2.1], [0.0, 1.0]),
        ("val/accuracy", [70.0, 90.0], [-50.0, 210.0], [-50.0, 210.0]),  # percents of somebody else's
        ("test/r2", [-0.5, 0.5], [-6.0, 6.0], [-6.0, 1.0]),
        ("train/theirs", [-2.0, 1.0], [-9.0, 9.0], [-9.0, 9.0]),  # a loss that is negative where it wants to
        ("train/loss", [], [], []),
    ],
)
def test_an_interval_is_drawn_as_far_as_its_metric_can_be(
    metric: str, runs: list[float], ends: list[float], drawn: list[float]
) -> None:
    assert charts._possible(metric, np.array(runs), np.array(ends)).tolist() == drawn


def test_two_axes_are_colour_and_dash(tmp_path: Path) -> None:
    comparison = swept(tmp_path, {"model.hidden_size": [10, 50], "loss.lambda": [0, 1, 2]})
    assert list(charts._looks(comparison, comparison.groups).values()) == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
    ]


def test_many_axes_or_an_empty_grid_are_drawn_axis_by_axis(tmp_path: Path) -> None:
    full = swept(tmp_path / "full", {"model.hidden_size": [10, 50], "loss.lambda": [0, 1]})
    assert charts._fills_a_map(full)
    points = [(k, k // 2, k % 3, k % 2) for k in range(4)]
    keys = ("data.count", "model.hidden_size", "loss.lambda", "optimizer.lr")
    paths = [run_folder(tmp_path / f"r{k}", dict(zip(keys, point, strict=True))) for k, point in enumerate(points)]
    sparse = Comparison("sparse", [read_run(path) for path in paths])
    caption = charts.along_axes(sparse, sparse.measure, tmp_path).caption
    assert caption.startswith("best train/loss along count, hidden_size, lambda, lr, each over all")


def test_one_odd_failed_run_adds_no_axis_to_the_pictures(tmp_path: Path) -> None:
    paths = [run_folder(tmp_path / f"r{k}", {"loss.lambda": k}) for k in range(3)]
    odd = run_folder(tmp_path / "odd", {"loss.lambda": 0, "optimizer.lr": 1e30}, status="FAILED")
    comparison = Comparison("x", [read_run(path) for path in (*paths, odd)])
    assert [axis.name for axis in comparison.axes] == ["lambda", "lr"]  # labels tell it apart
    assert [axis.name for axis in comparison.chart_axes] == ["lambda"]
    swept_lr = swept(tmp_path, {"optimizer.lr": [0.1, 0.9]}, job1="FAILED")
    assert swept_lr.chart_axes == swept_lr.axes  # an axis that was asked for stays


def test_a_run_that_cannot_be_read_costs_no_picture(tmp_path: Path) -> None:
    points = [{"loss.lambda": k % 2, "optimizer.lr": 0.1 + k // 2} for k in range(4)]
    paths = [run_folder(tmp_path / f"r{k}", point) for k, point in enumerate(points)]
    damaged = run_folder(tmp_path / "damaged")
    (damaged / "config.yaml").write_text("{")
    comparison = Comparison("x", [read_run(path) for path in (*paths, damaged)])
    answer = write_report(tmp_path / "answer", comparison)
    assert not [reason for reason in answer.left_out if "ValueError" in reason]
    assert {"curves_loss", "best_train_loss"} <= {path.stem for path in answer.pictures}


def test_a_sheets_cell_is_the_best_run_of_its_point(tmp_path: Path) -> None:
    grid = {"model.hidden_size": [10, 50], "loss.lambda": [0, 1], "optimizer": ["sgd", "adam"]}
    comparison = swept(tmp_path, grid, job2="FAILED", job3="FAILED")
    seen = []

    def picture(record: Any) -> np.ndarray:
        seen.append(record.name)
        return np.zeros((4, 4), np.uint8)

    sheet = feature_sheets.Sheet("x.png", "x", "", picture)
    places = [[{"model.hidden_size": row, "loss.lambda": column} for column in (0, 1)] for row in (10, 50)]
    at = feature_sheets._groups_at
    cells = [[feature_sheets._picture(comparison, sheet, at(comparison, place)) for place in row] for row in places]
    points = ("hidden_size=10,lambda=0", "hidden_size=50,lambda=0", "hidden_size=50,lambda=1")
    assert seen == [f"{point},optimizer=sgd" for point in points]
    assert [[cell.caption for cell in row] for row in cells] == [
        ["best train/loss 1", "diverged"],
        ["best train/loss 5", "best train/loss 7"],
    ]


def test_metrics_that_no_axis_can_show_are_no_trouble(tmp_path: Path) -> None:
    paths = [
        run_folder(tmp_path / f"r{k}", {"loss.lambda": k}, {"train/loss": values})
        for k, values in enumerate(([NAN, NAN], [1e300, 1e305], [2.0, 1.0], []))
    ]
    answer = write_report(tmp_path / "out", Comparison("x", [read_run(path) for path in paths]))
    assert len(answer.comparison.ranks) == 4
    assert "curves_loss" in {path.stem for path in answer.pictures}


def test_titles_of_pictures_name_what_was_run(tmp_path: Path) -> None:
    comparison = swept(tmp_path, {"model.hidden_size": [10, 50], "loss.lambda": [0, 1]})
    timed = replace(comparison, title="2026-11-25_23-29-08_807414")
    assert [comparison.subject, timed.subject] == [comparison.title, "autoencoder, hidden_size × lambda"]
    assert replace(timed, swept={}, records=timed.records[:1]).subject == "autoencoder"


def test_a_sweep_of_one_job_is_labelled_by_what_ran(tmp_path: Path) -> None:
    only = replace(read_run(run_folder(tmp_path / "0")), name="0")
    comparison = Comparison("overfit", [only])
    assert [group.label for group in comparison.groups] == ["autoencoder numpy"]
    assert comparison.footer.endswith(" · 1 run")
    who = {"name": "0", "seed": 1, "model": "three_layer_convnet", "backend": "numpy"}
    data = SimpleNamespace(name="shapes", source="drawn")
    titles = [finished_run(None, None, data, {}, who | named, 1, None).title for named in ({}, {"name": "mine"})]
    assert titles == ["three_layer_convnet numpy", "mine"]
