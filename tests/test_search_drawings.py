"""The pictures and words that only a search has, and the scatter that runs without a grid are drawn as."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from drawn import NAN, opened
from report_builders import run_folder, sweep_folder

from duograd.runner.plots.search import best_so_far
from duograd.runner.report import search as searched
from duograd.runner.report.charts import along_axes
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import read_run
from duograd.runner.report.report import report_sweep
from duograd.runner.report.select import sweep_runs
from duograd.runner.store.records import SearchRecord, TrialRecord

REACHED = [(), (1.0,), (NAN, NAN), (NAN, 3.0, 2.0, 1e9, NAN, 1e-9, 2.5), (1e300, 1.0, -1.0)]


def test_the_best_so_far_never_falls_back() -> None:
    values = np.array([NAN, 3.0, 5.0, NAN, 1.0, 4.0])
    np.testing.assert_array_equal(best_so_far(values, rises=False), [NAN, 3, 3, 3, 1, 1])
    np.testing.assert_array_equal(best_so_far(values, rises=True), [NAN, 3, 5, 5, 5, 5])


def cloud(folder: Path, count: int, pruned: int = 0) -> Comparison:
    """Runs at hidden sizes and rates of their own; the loss of run k is k + 1."""
    records = []
    for k in range(count):
        changes = {"model.hidden_size": 10 + k, "optimizer.lr": 0.1 / (k + 1)}
        path = run_folder(folder / f"run{k}", changes, {"train/loss": [k + 2.0, k + 1.0]})
        record = read_run(path)
        records.append(replace(record, status="PRUNED") if k < pruned else record)
    return Comparison("a search", records)


def test_runs_without_a_grid_are_dots_with_the_pruned_ones_among_them(tmp_path: Path, monkeypatch) -> None:
    handed = []
    monkeypatch.setattr("duograd.runner.report.charts.scatter", lambda *found: handed.append(found))
    comparison = cloud(tmp_path, 6, pruned=2)
    assert comparison.scattered
    along_axes(comparison, comparison.measure, tmp_path)
    [(panels, reached, whole, *_)] = handed
    assert [panel.name for panel in panels] == ["hidden_size", "lr"]
    assert list(panels[0].values) == [10, 11, 12, 13, 14, 15]
    assert reached.tolist() == [1, 2, 3, 4, 5, 6]
    assert whole.tolist() == [False] * 2 + [True] * 4


def test_a_grid_is_no_cloud(tmp_path: Path) -> None:
    records = []
    for h in range(5):
        for l in range(5):
            changes = {"model.hidden_size": h + 1, "loss.lambda": l / 10}
            records.append(read_run(run_folder(tmp_path / f"{h}_{l}", changes)))
    assert not Comparison("a grid", records).scattered
    assert not cloud(tmp_path / "few", 3).scattered


def found(**changes) -> SearchRecord:
    trials = [TrialRecord(0, "COMPLETE", 2.0, 0), TrialRecord(1, "PRUNED", 3.0, 1), TrialRecord(2, "FAIL", None, 2)]
    trials.append(TrialRecord(3, "COMPLETE", 2.0, 0))
    options = {"sampler": "tpe", "pruner": "asha"}
    record = SearchRecord(["optimizer.lr=interval(0,1)"], [], "digest", options, "train/loss", trials)
    return SearchRecord(**(vars(record) | changes))


def test_a_search_in_words() -> None:
    assert searched.summary(found()) == (
        "4 trials by tpe (draws near the trials that did well), pruned by asha (at a few epochs ends all but the best "
        "third): 2 complete, 1 ended early, 1 failed. "
        "1 had the values of another and took its result."
    )
    table = searched.importances(found(importances={"loss.lambda": 0.25, "optimizer.lr": 0.75}))
    assert table is not None
    assert table.rows == [("optimizer.lr", "75.0 %"), ("loss.lambda", "25.0 %")]
    assert searched.importances(found()) is None


def test_importances_are_drawn_only_where_they_can_be_told(tmp_path: Path) -> None:
    comparison = cloud(tmp_path, 2)
    with_shares = found(importances={"loss.lambda": 0.25, "optimizer.lr": 0.75})
    for search, names in ((found(), ["search_history.png"]), (with_shares, ["search_history.png", "importances.png"])):
        drawn = list(searched.charts(search, comparison, tmp_path))
        assert [drawing.path.name for drawing in drawn] == names
        for drawing in drawn:
            opened(drawing.path)


def test_a_search_is_ranked_by_what_it_looked_for(tmp_path: Path) -> None:
    """Though penalties differ: that is what was asked for."""
    sweep = sweep_folder(tmp_path, {"loss.lambda": [0, 1e-3]})
    found(trials=[]).save(sweep)
    assert sweep_runs(sweep).search is None  # it has just begun
    search = found(importances={"loss.lambda": 1.0}, metric="val/loss")
    search.save(sweep)
    assert sweep_runs(sweep).search == search
    assert sweep_runs(sweep).measure.metric == "val/loss"
    assert "## Search" in (report_sweep(sweep).folder / "answer.md").read_text()
