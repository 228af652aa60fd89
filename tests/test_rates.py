"""The tables of rates: what their cells set, what wins over them, and whose row a model has. tests/golden/rates.json
holds every pair's values."""

from pathlib import Path

import pytest
import yaml
from faults import fault_of
from sweep_builders import typing

from duograd.runner.compose import compose

CONF = Path(__file__).parents[1] / "conf"
TABLES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((CONF / "rates").glob("*.yaml"))}


def names(group: str) -> set[str]:
    return {path.stem for path in (CONF / group).glob("*.yaml")}


def test_rows_are_models_and_columns_optimizers():
    assert set(TABLES) == names("task")
    for table in TABLES.values():
        assert set(table) <= names("model")
        for row in table.values():
            assert names("optimizer") - {"lbfgs"} == set(row) - {"all"}


def test_the_reports_bounds_belong_to_sums_over_32_samples():
    for model, bound in {"rnn": 10, "rnn_dense4": 10, "lstm_dense1": 15, "gru": 15}.items():
        assert compose(["task=activity", f"model={model}"]).optimizer.clip_value == bound / 32


@pytest.mark.parametrize(
    ("overrides", "lr", "epochs"),
    [
        ([], 1e-3, 1),
        (["optimizer=momentum"], 1e-4, 1),
        (["optimizer.lr=0.123"], 0.123, 1),
        (["preset=overfit"], 1e-3, 30),
        (["experiment=report_overfit"], 1e-3, 15),
        (["experiment=report_overfit", "epochs=2", "optimizer=sgd", "optimizer.lr=5"], 5.0, 2),
    ],
)
def test_presets_experiments_and_the_command_line_win(overrides, lr, epochs):
    config = compose(["task=cnn", *overrides])
    assert (config.optimizer.lr, config.epochs, config.batch_size) == (lr, epochs, 50)


def test_where_a_row_has_no_cell_the_optimizer_keeps_its_own_rate():
    assert compose(["task=autoencoder", "optimizer=lbfgs"]).schedule.name == "constant"


@pytest.fixture
def own(tmp_path):
    """A folder of a user's own configuration."""

    def write(name: str, content: str) -> Path:
        path = tmp_path / "own" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return tmp_path / "own"

    return write


def test_a_users_model_has_the_row_of_the_one_that_it_starts_from(own):
    own("model/mine", "defaults: [lstm_dense1]\nname: mine\ndense: [8]\n")
    folder = own("model/deeper", "defaults: [mine, _self_]\nname: deeper\n")
    config = compose(["task=activity", "model=deeper", "optimizer=adam", f"hydra.searchpath=[{folder}]"])
    assert (config.model.name, config.model.cell, config.optimizer.lr) == ("deeper", "lstm", 1e-3)
    assert config.optimizer.clip_value == 15 / 32


def test_a_users_table_adds_rows_and_changes_cells(own, monkeypatch, capsys):
    own("model/mine", "defaults: [gru]\nname: mine\n")
    folder = own("rates/activity", "mine: {adam: 0.5, sgd: {epochs: 2}, all: {epochs: 9}}\nrnn: {adam: 0.7}\n")
    cells = [
        ("mine", "adam", 0.5, 9),
        ("mine", "sgd", 0.1, 2),
        ("rnn_dense1", "adam", 0.7, 15),
        ("gru", "adam", 1e-3, 15),
    ]
    with typing(monkeypatch, capsys, "--config-dir", str(folder), "--cfg", "job", "task=activity") as typed:
        for model, optimizer, lr, epochs in cells:
            code, out, _ = typed(f"model={model}", f"optimizer={optimizer}")
            tree = yaml.safe_load(out)
            assert (code, float(tree["optimizer"]["lr"]), tree["epochs"]) == (0, lr, epochs)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("rnn: {adam: fast}", "rates/activity.yaml: expected a rate or a mapping for adam, got 'fast'"),
        ("rnn: 0.1", "rates/activity.yaml: expected a row such as {sgd: 0.1, adam: 0.001}, got 0.1"),
        ("[rnn]", "rates/activity.yaml: expected rows such as 'lstm: {sgd: 0.1}', got ['rnn']"),
    ],
)
def test_a_table_that_is_none_is_told(own, table, message):
    folder = own("rates/activity", table)
    line = fault_of(compose, ["task=activity", "model=rnn", "optimizer=adam", f"hydra.searchpath=[{folder}]"])
    assert line == message
