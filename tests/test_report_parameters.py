"""Which parameters differ, along which of them runs lie, and what they are called for short."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from report_builders import run_folder, sweep_folder

from duograd.runner.report.parameters import ABSENT, differing, format_value, label, short_names, swept_axes
from duograd.runner.report.records import Record, read_run
from duograd.runner.report.select import sweep_runs


def runs(tmp_path: Path, *changes: dict[str, Any]) -> list[Record]:
    return [read_run(run_folder(tmp_path / f"run{k}", change)) for k, change in enumerate(changes)]


def keys(records: list[Record]) -> list[str]:
    return [axis.key for axis in swept_axes(records, {})]


def test_only_what_differs_and_matters(tmp_path: Path) -> None:
    records = runs(
        tmp_path,
        {"model.hidden_size": 10, "tracking.name": "none", "backend.threads": 1, "task.figures": []},
        {"model.hidden_size": 50, "tracking.name": "mlflow", "backend.threads": 2},
    )
    assert differing(records) == ["model.hidden_size"]


def test_what_follows_from_an_option_is_no_axis(tmp_path: Path) -> None:
    """Each optimizer has its own rate, and keys that the others lack."""
    records = runs(
        tmp_path,
        {"optimizer": "sgd", "optimizer.lr": 0.9, "schedule.name": "exponential"},
        {"optimizer": "adam", "optimizer.lr": 1e-3, "optimizer.beta1": 0.9, "schedule.name": "constant"},
        {"optimizer": "adagrad", "optimizer.lr": 1e-2, "schedule.name": "constant"},
    )
    assert differing(records) == ["optimizer", "optimizer.lr", "schedule"]
    assert keys(records) == ["optimizer"]


def test_what_does_not_follow_is_one(tmp_path: Path) -> None:
    records = runs(
        tmp_path,
        *({"optimizer": name, "optimizer.lr": lr} for name in ("sgd", "adam") for lr in (0.1, 0.9)),
    )
    assert keys(records) == ["optimizer", "optimizer.lr"]


def test_the_seed_is_no_axis(tmp_path: Path) -> None:
    records = runs(tmp_path, {"seed": 0}, {"seed": 1})
    assert differing(records) == ["seed"]
    assert keys(records) == []


def test_a_sweeps_axes_are_its_keys_in_their_order(tmp_path: Path) -> None:
    swept = {"optimizer": ["sgd", "adam", "adagrad"], "loss.lambda": [1e-3, 0, 1e-5]}
    sweep = sweep_runs(sweep_folder(tmp_path, swept))
    first, second = swept_axes(sweep.records[::-1], sweep.swept)
    assert (first.name, first.values) == ("optimizer", ("sgd", "adam", "adagrad"))  # as typed
    assert (second.name, second.values) == ("lambda", (0, 1e-5, 1e-3))  # by size


def test_a_job_that_trained_longer_is_another_setting(tmp_path: Path) -> None:
    sweep = sweep_folder(tmp_path, {"loss.lambda": [0, 1], "seed": [0, 1]})
    assert keys(sweep_runs(sweep).records) == ["loss.lambda"]
    config = sweep / "lambda=0,seed=0" / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 3", "epochs: 6"))
    comparison = sweep_runs(sweep)
    assert keys(comparison.records) == ["loss.lambda", "epochs"]
    by_label = {group.label: len(group.records) for group in comparison.groups}
    assert by_label == {"lambda=0 epochs=6": 1, "lambda=0 epochs=3": 1, "lambda=1 epochs=3": 2}


def test_lists_and_absent_keys_have_a_place(tmp_path: Path) -> None:
    records = runs(tmp_path, {"model.dense": [64, 32]}, {"model.dense": []}, {"loss.beta": 0.1, "model.dense": [64]})
    by_key = {axis.key: axis.values for axis in swept_axes(records, {})}
    assert by_key == {"model.dense": ((64, 32), (), (64,)), "loss.beta": (ABSENT, 0.1)}
    assert [label(record.parameters, swept_axes(records, {})) for record in records] == [
        "dense=[64,32] beta=–",
        "dense=[] beta=–",
        "dense=[64] beta=0.1",
    ]


def test_short_names_are_as_short_as_they_can_be() -> None:
    found = short_names(["loss.lambda", "optimizer.lr", "schedule.lr", "model", "data.model"])
    assert found == {
        "loss.lambda": "lambda",
        "optimizer.lr": "optimizer.lr",
        "schedule.lr": "schedule.lr",
        "model": "model",
        "data.model": "data.model",
    }


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), unique=True))
def test_short_names_tell_keys_apart(keys: list[str]) -> None:
    names = short_names(keys)
    assert len(set(names.values())) == len(keys)
    assert all(key == name or key.endswith(f".{name}") for key, name in names.items())


def test_values_look_as_they_are_typed() -> None:
    assert [format_value(v) for v in (1e-5, 0.0, 10, True, None, (64, 32), "adam", ABSENT)] == [
        "1e-05",
        "0",
        "10",
        "true",
        "null",
        "[64,32]",
        "adam",
        "–",
    ]
