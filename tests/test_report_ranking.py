"""Who is best: by which metric, over which seeds, and where the unfinished stand."""

import math
from pathlib import Path
from typing import Any

import pytest
from report_builders import run_folder, sweep_folder

from duograd.runner.report.comparison import Comparison
from duograd.runner.report.ranking import Measure, best_run
from duograd.runner.report.records import Record, read_run
from duograd.runner.report.select import sweep_runs
from duograd.runner.report.tables import ranking_csv, ranking_table

NAN = float("nan")


def comparison(tmp_path: Path, *runs: dict[str, Any]) -> Comparison:
    records = [read_run(run_folder(tmp_path / f"run{k}", **{"changes": {}, **run})) for k, run in enumerate(runs)]
    return Comparison("a comparison", records)


def order(found: Comparison) -> list[tuple[int | None, str]]:
    return [(rank.place, rank.group.records[0].folder.name) for rank in found.ranks]


def test_losses_rise_to_the_worst_and_accuracies_fall(tmp_path: Path) -> None:
    accuracies = [{"metrics": {"val/accuracy": [value, 0.1]}, "monitor": "val/accuracy"} for value in (0.3, 0.9, 0.5)]
    runs = [
        run | {"changes": {"model.hidden_size": k, "monitor": "val/accuracy"}, "best": {"metric": "val/accuracy"}}
        for k, run in enumerate(accuracies)
    ]
    found = comparison(tmp_path / "up", *runs)
    assert order(found) == [(1, "run1"), (2, "run2"), (3, "run0")]
    assert [s.epoch for s in found.ranks] == [1, 1, 1]
    losses = [{"changes": {"seed": 0, "loss.lambda": v}, "metrics": {"train/loss": [9, v]}} for v in (3.0, 1.0, 2.0)]
    assert order(comparison(tmp_path / "down", *losses)) == [(1, "run1"), (2, "run2"), (3, "run0")]


def test_which_way_is_up_is_doubted_where_no_installed_loss_declares_it(tmp_path: Path) -> None:
    """As of a run whose loss came from a package that is gone."""
    runs = [
        {"changes": {"model.hidden_size": k}, "metrics": {"val/dice": [v]}, "best": {"metric": "val/dice"}}
        for k, v in enumerate((0.3, 0.9))
    ]
    found = comparison(tmp_path, *runs)
    assert order(found) == [(1, "run0"), (2, "run1")]
    assert found.ranked_by[1] == "Less val/dice counts as better: no loss that is installed here declares dice."


def test_the_unfinished_come_last_without_a_place_but_keep_their_value(tmp_path: Path) -> None:
    runs = [
        {"changes": {"loss.lambda": 0}, "status": "FAILED"},
        {"changes": {"loss.lambda": 1}, "metrics": {"train/loss": [5.0, 4.0]}},
        {"changes": {"loss.lambda": 2}, "metrics": {}, "status": None},
        {"changes": {"loss.lambda": 3}, "metrics": {"train/loss": [NAN, NAN]}},
    ]
    found = comparison(tmp_path, *runs)
    assert order(found)[0] == (1, "run1")
    assert {name for place, name in order(found) if place is None} == {"run0", "run2", "run3"}
    failed = next(s for s in found.ranks if s.group.records[0].folder.name == "run0")
    assert failed.mean == 1.0
    assert len(found.failures) == 2
    assert len(ranking_table(found).rows) == 4


def test_seeds_are_replicates_with_mean_and_deviation(tmp_path: Path) -> None:
    """Losses 1, 2, 3 at lambda=0 and 4, 5, 6 at 1e-3: by hand, 2 ± 1 and 5 ± 1."""
    found = sweep_runs(sweep_folder(tmp_path, {"loss.lambda": [0, 1e-3], "seed": [0, 1, 2]}))
    assert [(s.group.label, s.mean, s.deviation) for s in found.ranks] == [
        ("lambda=0", 2.0, 1.0),
        ("lambda=0.001", 5.0, 1.0),
    ]
    assert found.replicated
    assert best_run(found.ranks[0].group, found.measure).swept["seed"] == 0
    table = ranking_table(found)
    assert table.heads[:5] == ["#", "lambda", "best train/loss (mean ± std)", "95 %", "runs"]
    assert table.rows[0][:5] == ("1", "0", "2.000 ± 1.0", "[−0.5, 4.5]", "3")  # t(2) = 4.303


def test_a_failed_seed_is_counted_not_averaged(tmp_path: Path) -> None:
    found = sweep_runs(sweep_folder(tmp_path, {"loss.lambda": [0, 1e-3], "seed": [0, 1, 2]}, job2="FAILED"))
    first = found.ranks[0]
    assert (first.mean, round(first.deviation, 4)) == (1.5, 0.7071)
    row = ranking_table(found).rows[0]
    assert "2 of 3" in row
    assert row[-1] == "FAILED (diverged)"


def test_the_same_run_twice_stays_two(tmp_path: Path) -> None:
    found = comparison(tmp_path, {}, {}, {"changes": {"loss.lambda": 1.0}})
    assert len(found.groups) == 3
    assert len({group.label for group in found.groups}) == 3


def test_metrics_under_different_names(tmp_path: Path) -> None:
    """One watched val/loss, one has no validation: all are ranked by what all have."""
    both = {"train/loss": [3.0, 1.0], "val/loss": [5.0, 6.0]}
    found = comparison(
        tmp_path,
        {"changes": {"loss.lambda": 0}, "metrics": both},
        {"changes": {"loss.lambda": 1}, "metrics": both},
        {"changes": {"loss.lambda": 2}, "metrics": {"train/loss": [2.0, 2.5]}},
    )
    assert found.measure.metric == "train/loss"
    assert [s.mean for s in found.ranks] == [1.0, 1.0, 2.0]
    assert found.ranks[2].epoch == 1


def test_nothing_in_common_is_shown_as_missing(tmp_path: Path) -> None:
    found = comparison(
        tmp_path,
        {"changes": {"loss.lambda": 0}, "metrics": {"train/loss": [1.0]}},
        {"changes": {"loss.lambda": 1}, "metrics": {"train/odd": [1.0]}},
    )
    assert [s.place for s in found.ranks] == [1, None]
    assert math.isnan(found.ranks[1].mean)


def test_a_run_beside_others_with_no_configuration(tmp_path: Path) -> None:
    record = Record("pending", tmp_path / "none", "PENDING")
    found = Comparison("x", [record, read_run(run_folder(tmp_path / "run"))])
    assert [s.place for s in found.ranks] == [1, None]
    assert len(ranking_table(found).rows) == 2


def test_the_csv_has_a_line_a_run_with_everything(tmp_path: Path) -> None:
    lines = ranking_csv(
        sweep_runs(sweep_folder(tmp_path, {"loss.lambda": [0, 1e-3], "seed": [0, 1]}, job3="FAILED"))
    ).splitlines()
    assert lines[0] == (
        "place,name,status,loss.lambda,seed,metric,best,best_epoch,train/loss,"
        "epochs,seconds,parameters,diverged,folder,error"
    )
    assert len(lines) == 5
    assert lines[1].startswith('1,"lambda=0,seed=0",FINISHED,0,0,train/loss,1.0,3,1.0,3,1.5,1234,False,')
    assert lines[4].endswith(",the loss became inf at step 2")


@pytest.mark.parametrize(
    ("metric", "rises"),
    [
        ("val/loss", False),
        ("test/accuracy", True),
        ("train/kl", False),
        ("final_test_r2", True),
        ("best_val_loss", False),
    ],
)
def test_only_accuracies_rise(metric: str, rises: bool) -> None:
    assert Measure(metric).rises == rises
