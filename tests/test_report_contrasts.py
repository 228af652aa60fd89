"""Settings against each other on common seeds, and what one seed says."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_builders import ACTIVITY, run_folder, sweep_folder
from rich.console import Console

from duograd.runner.report.comparison import Comparison
from duograd.runner.report.contrasts import Contrast, contrasts, interval_text
from duograd.runner.report.ranking import Group, Measure
from duograd.runner.report.records import Record, read_run
from duograd.runner.report.report import write_report
from duograd.runner.report.select import select_runs, sweep_runs
from duograd.runner.report.summary import contrast_lines
from duograd.runner.report.tables import contrast_table, ranking_table

LOSS = Measure("train/loss")
SIMULATIONS, MARGIN = 2000, 0.015


def swept(path: Path, losses: list[float], models: int = 2, metric: str = "train/loss") -> Comparison:
    names = ["gru", "lstm", "rnn"][:models]
    grid: dict[str, list[Any]] = {"model": names, "seed": list(range(len(losses) // models))}
    return sweep_runs(sweep_folder(path / "sweep", grid, ACTIVITY, losses=losses, metric=metric))


def test_a_difference_is_told_in_points_with_its_interval(tmp_path: Path) -> None:
    """Accuracies of gru 0.90 to 0.94, of lstm 3 points less but for ±1: the interval of 3 ± 1 in 5 pairs."""
    gru = [0.90, 0.91, 0.92, 0.93, 0.94]
    lstm = [value - 0.01 * points for value, points in zip(gru, (2, 3, 4, 2, 4), strict=True)]
    comparison = swept(tmp_path, [*gru, *lstm], metric="val/accuracy")
    assert contrast_lines(comparison) == [
        "model=gru − model=lstm: +3.0 points of best val/accuracy, 95 % [1.8, 4.2], 5 pairs."
    ]
    assert not comparison.undecided
    [row] = contrast_table(comparison, comparison.contrasts[0]).rows
    assert row == ("model=gru", "model=lstm", "+3.0", "[1.8, 4.2]", "5", "0.0026", "apart")
    assert ranking_table(comparison).rows[0][:5] == ("1", "gru", "0.9200 ± 0.016", "[0.900, 0.940]", "5")


def test_what_cannot_be_told_apart_is_marked_and_pairs_are_counted(tmp_path: Path) -> None:
    comparison = swept(tmp_path, [1.0, 2.0, 3.0, 1.5, 1.4, 4.0, 11.0, 12.0, 13.1], models=3)
    alike, apart = contrast_lines(comparison)
    assert alike == "model=gru − model=lstm: not to be told apart (3 pairs); about 81 pairs would."
    assert apart.startswith("model=gru − model=rnn: −10.03 of best train/loss, 95 % [−10.18, −9.89], 3 pairs.")
    assert [row[0] for row in ranking_table(comparison).rows] == ["1", "2 ≈", "3"]
    assert {c.comparisons for c in comparison.contrasts[0]} == {3}


def test_only_common_seeds_that_both_finished_are_pairs(tmp_path: Path) -> None:
    grid = {"model": ["gru", "lstm"], "seed": [0, 1, 2]}
    comparison = sweep_runs(sweep_folder(tmp_path / "s", grid, ACTIVITY, [1, 2, 9, 3, 4.5, 6], job2="FAILED"))
    [contrast] = comparison.contrasts[0]
    assert (contrast.pairs, contrast.difference.mean) == (2, -2.25)
    apart = [run_folder(tmp_path / f"r{s}{m}", {"model": m, "seed": s}) for s, m in enumerate(("gru", "lstm"))]
    [unpaired] = Comparison("x", [read_run(path) for path in apart]).contrasts[0]
    assert unpaired.verdict == "no common seeds"


def test_one_seed_decides_nothing_and_the_command_adds_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = sweep_folder(tmp_path / "a sweep", {"loss.lambda": [0, 1]})
    comparison = sweep_runs(folder)
    assert comparison.unreplicated
    [command] = comparison.repeats
    typed = [
        "-m",
        "task=autoencoder",
        "loss.lambda=0,1",
        "sweep.seeds=5",
        "sweep.resume=true",
        "hydra.sweep.dir=.",
    ]
    assert shlex.split(command) == ["duograd", *typed]
    answer = write_report(tmp_path / "out", comparison)
    console = Console(record=True, width=80)
    answer.show(console)
    words = console.export_text()
    assert f"train more seeds: {command}" in words
    assert "decides nothing" in words
    assert command in (tmp_path / "out" / "answer.md").read_text()
    runs = select_runs([str(path) for path in folder.iterdir() if path.is_dir()])
    assert runs.repeats == ["duograd -m task=autoencoder seed=1,2,3,4"]
    assert not sweep_runs(sweep_folder(tmp_path / "seeds", {"loss.lambda": [0, 1], "seed": [0, 1]})).unreplicated


def test_folds_are_replicates_of_their_own_name(tmp_path: Path) -> None:
    grid = {"loss.lambda": [0, 1], "data.fold": [0, 1, 2]}
    comparison = sweep_runs(sweep_folder(tmp_path / "sweep", grid))
    assert [axis.name for axis in comparison.axes] == ["lambda"]
    assert [len(group.records) for group in comparison.groups] == [3, 3]
    assert "3 folds" in comparison.footer
    assert [c.pairs for c in comparison.contrasts[0]] == [3]


def test_intervals_by_the_bootstrap(tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path / "sweep", {"loss.lambda": [0, 1], "seed": [0, 1, 2]}, losses=[1, 2, 4, 5, 8, 9])
    by_t, by_bootstrap = (sweep_runs(folder, interval) for interval in ("t", "bootstrap"))
    assert by_bootstrap.ranks[0].estimate.high < by_t.ranks[0].estimate.high


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.84, 4.41, "[1.8, 4.4]"),
        (-1e-9, 2e-9, "[−1.00e−09, 2.00e−09]"),
        (2.0, 2.0, "[2.000, 2.000]"),
        (120, 480, "[120, 480]"),
    ],
)
def test_intervals_have_the_digits_that_they_can_bear(low: float, high: float, text: str) -> None:
    assert interval_text(low, high) == text


def simulated(values: np.ndarray) -> list[Contrast]:
    """The best of settings against the others; values (settings, seeds)."""
    groups = []
    for k, row in enumerate(values):
        runs = []
        for seed, value in enumerate(row):
            record = Record(
                str(k), Path("none"), "FINISHED", summary={"best": {"metric": "train/loss", "value": value}}
            )
            record.__dict__["parameters"] = {"seed": seed}
            runs.append(record)
        groups.append(Group(str(k), {"k": k}, tuple(runs)))
    return contrasts(groups, groups[int(values.mean(axis=1).argmin())], LOSS)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [2, 4])
def test_equal_settings_are_seldom_told_apart(settings: int) -> None:
    """All settings are equal: in 95 % of all sweeps none may be told apart from what came out best, at the least."""
    rng = np.random.default_rng(settings)
    luck = rng.normal(0.0, 1.0, (SIMULATIONS, 1, 5))
    sweeps = luck + rng.normal(1.0, 0.3, (SIMULATIONS, settings, 5))
    alike = np.mean([not any(contrast.apart for contrast in simulated(sweep)) for sweep in sweeps])
    assert alike > 0.95 - MARGIN
    if settings == 2:
        assert alike < 0.95 + MARGIN
