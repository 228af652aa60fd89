"""Run folders read in whatever state they were left, and sweeps by their sweep.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from report_builders import run_folder, sweep_folder

from duograd.runner.errors import UserError
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import read_run
from duograd.runner.report.select import sweep_runs
from duograd.runner.report.tables import ranking_csv
from duograd.runner.store.locks import TRAINER, locked
from duograd.runner.store.overrides import as_typed


def test_a_finished_run(tmp_path: Path) -> None:
    record = read_run(run_folder(tmp_path / "run", {"model.hidden_size": 50}))
    assert (record.status, record.error, record.task, record.monitor) == ("FINISHED", None, "autoencoder", "train/loss")
    assert record.history["train/loss"].tolist() == [3.0, 2.0, 1.0]
    assert record.parameters["model.hidden_size"] == 50
    assert record.parameters["optimizer"] == "sgd"
    assert not [key for key in record.parameters if key.startswith(("tracking", "task.", "backend.threads"))]


def test_a_run_that_still_goes_on_and_one_that_was_killed(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run", status=None)
    with locked(path / TRAINER, wait_s=0):
        assert read_run(path).status == "RUNNING"
    killed = read_run(path)
    assert killed.status == "KILLED"
    assert killed.error
    assert killed.history["train/loss"].tolist() == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("name", ["summary.json", "run.json", "config.yaml"])
@pytest.mark.parametrize("content", ['{"torn": ', "[1, 2]", "\x00\xff"])
def test_a_damaged_file_is_named_and_is_not_fatal(tmp_path: Path, name: str, content: str) -> None:
    path = run_folder(tmp_path / "run")
    (path / name).write_text(content, encoding="latin-1")
    record = read_run(path)
    assert record.status == "DAMAGED"
    assert record.error
    assert name in record.error
    assert len(record.error.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("summary.json", "metrics", 3.0),
        ("summary.json", "metrics", {"train/loss": "x"}),
        ("summary.json", "best", ["train/loss"]),
        ("summary.json", "seconds", float("nan")),
        ("summary.json", "confusion", {"test": [[None]]}),
        ("run.json", "seed", [1]),
        ("run.json", "task", {"name": "autoencoder"}),
        ("config.yaml", "model", "gru"),
        ("config.yaml", "epochs", None),
    ],
)
def test_a_file_of_another_shape_costs_its_own_run_alone(tmp_path: Path, name: str, key: str, value: Any) -> None:
    path = run_folder(tmp_path / "odd")
    content = OmegaConf.to_container(OmegaConf.load(path / name))
    (path / name).write_text(json.dumps(content | {key: value}))
    good = read_run(run_folder(tmp_path / "good", {"loss.beta": 0.5}))
    comparison = Comparison("x", [good, read_run(path)])
    assert [record.status for record in comparison.records] == ["FINISHED", "DAMAGED"]
    assert f"{name} is damaged ({key}" in str(comparison.records[1].error)
    assert len(ranking_csv(comparison).splitlines()) == 3
    assert comparison.best is good


def test_an_epoch_that_the_file_has_no_room_for_is_damage(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run")
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 100000000000, "train/loss": 0.5}\n{"epoch": -1, "train/loss": 0.5}\n')
    assert read_run(path).history["train/loss"].tolist() == [3.0, 2.0, 1.0]


def test_a_list_of_layers_is_a_value_like_any_other(tmp_path: Path) -> None:
    layers = [[{"units": 3}], [{"units": 4}]]
    records = [read_run(run_folder(tmp_path / f"r{k}", {"model.layers": value})) for k, value in enumerate(layers)]
    comparison = Comparison("x", records)
    assert comparison.differing == ["model.layers"]
    assert len(comparison.groups) == 2


def test_history_has_a_gap_where_a_line_is_torn(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run")
    lines = (path / "metrics.jsonl").read_text().splitlines()
    (path / "metrics.jsonl").write_text("\n".join([lines[0], lines[1][:9], lines[2], '{"epoch": 4, "tra']))
    np.testing.assert_array_equal(read_run(path).history["train/loss"], [3.0, np.nan, 1.0])


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not the folder of a run"):
        read_run(tmp_path)


def test_a_sweep_in_every_state(tmp_path: Path) -> None:
    path = sweep_folder(tmp_path, {"loss.lambda": [0, 1e-5, 1e-3, 1]}, job1="FAILED", job2="PENDING", job3="PRUNED")
    sweep = sweep_runs(path)
    assert [record.status for record in sweep.records] == ["FINISHED", "FAILED", "PENDING", "PRUNED"]
    assert [record.swept["loss.lambda"] for record in sweep.records] == [0, 1e-5, 1e-3, 1]
    assert sweep.records[1].error == "the loss became inf at step 2"  # the run's own word
    assert sweep.records[0].error is None


def test_what_only_the_sweep_can_know(tmp_path: Path) -> None:
    """A killed worker leaves no summary; a killed parent leaves jobs RUNNING that have ended since."""
    path = sweep_folder(tmp_path, {"optimizer": ["sgd", "adam", "momentum"]})
    content = json.loads((path / "sweep.json").read_text())
    for job, status in zip(content["jobs"], ("FAILED", "RUNNING", "RUNNING"), strict=True):
        job |= {"status": status, "error": "the worker was killed (SIGKILL)"}
    (path / "sweep.json").write_text(json.dumps(content))
    (path / "optimizer=sgd" / "summary.json").unlink()
    (path / "optimizer=momentum" / "summary.json").unlink()
    killed, ended, torn = sweep_runs(path).records
    assert (killed.status, killed.error) == ("FAILED", "the worker was killed (SIGKILL)")
    assert (ended.status, ended.error) == ("FINISHED", None)
    assert torn.status == "KILLED"
    assert [record.swept["optimizer"] for record in (killed, ended, torn)] == ["sgd", "adam", "momentum"]


@pytest.mark.parametrize("content", ["{", "[]", '{"jobs": [{"number": 0}]}', '{"name": "no jobs"}', '{"jobs": 3}'])
def test_a_damaged_sweep_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(UserError, match=r"sweep\.json is not what a sweep writes"):
        sweep_runs(tmp_path)


def test_values_as_they_are_typed() -> None:
    assert [as_typed(text) for text in ("1e-5", "10", "true", "null", "adam", "[64,32]", "a: b: c")] == [
        1e-5,
        10,
        True,
        None,
        "adam",
        (64, 32),
        "a: b: c",
    ]
