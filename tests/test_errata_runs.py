"""The key `gradient`: what it takes, what a run is with it, and how the study's page says what a mistake changes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import After, tiny
from report_builders import ACTIVITY, run_folder

from duograd.models.errata.table import ROWS
from duograd.runner.commands.completion import candidates
from duograd.runner.compose import compose
from duograd.runner.config import dump
from duograd.runner.errors import UserError
from duograd.runner.report.records import Record, read_run
from duograd.runner.reproduce.errata import errata_table
from duograd.runner.reproduce.study import studies
from duograd.runner.run import resume, run
from duograd.runner.store.folders import RunFolder
from duograd.runner.sweep.naming import config_hash, what_counts
from duograd.runner.validate import validate_plain

ROOT = Path(__file__).parents[1]
GAIT = ["data=gait", "data.count=20", "data.test_count=12", "data.window=6", "model.hidden_size=4", "tracking=none"]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["model=rnn", "gradient=x"],
            "gradient=x: expected exact, report (all of model=rnn's), or of these: row_5 (",
        ),
        (["model=rnn", "gradient=[]"], "gradient=[]: expected exact, report"),
        (["model=rnn", "gradient=row_17"], "row_17 is of model=lstm_dense1; model=rnn optimizer=sgd has row_5, row_6"),
        (
            ["model=rnn", "gradient=row_9", "optimizer=momentum"],
            "row_9 is of optimizer=momentum of recurrent models but",
        ),
        (
            ["model=lstm", "gradient=row_18", "optimizer=vanilla_adam"],
            "row_18 is of optimizer=adam of recurrent models",
        ),
        (["model=transformer", "gradient=report"], "the report's mistakes are of model=autoencoder, rnn, lstm, gru"),
        (["model=gru", "model.num_layers=2", "gradient=report"], "the report has one recurrent layer without dropout"),
        (["model=gru", "backend=torch", "gradient=report"], "gradient=report is by hand: use backend=numpy, or"),
        (["optimizer=lbfgs", "gradient=row_1"], "does not go with optimizer=lbfgs: use one that takes steps"),
    ],
)
def test_what_a_run_cannot_have_is_refused_in_a_line(overrides, line):
    sgd = [] if any(text.startswith("optimizer") for text in overrides) else ["optimizer=sgd"]
    with pytest.raises(UserError) as refusal:
        compose([*sgd, *overrides])
    assert line in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_run_of_before_the_key_is_the_same_run_with_the_exact_gradient(tmp_path):
    exact, wrong = tiny(), tiny("gradient=row_1")
    before = {key: value for key, value in dump(exact).items() if key != "gradient"}
    assert validate_plain(before) == exact
    assert what_counts(before) == what_counts(dump(exact))
    assert config_hash(exact, Path()) != config_hash(wrong, Path())
    old = read_run(run_folder(tmp_path / "old", config=ACTIVITY))
    assert old.parameters["gradient"] == "exact"
    assert tiny("gradient=[row_2,row_1,row_2]") == tiny("gradient=[row_1,row_2]")
    assert tiny("gradient=[row_1]") == wrong


def test_a_run_says_its_gradient_and_goes_on_from_the_state_that_it_carries_along(tmp_path):
    """Row 10: the state is a part of a checkpoint."""
    overrides = ["model=lstm", *GAIT, "gradient=row_10", "epochs=2", "batch_size=8", "task.figures=[]"]
    config, whole, cut = compose(overrides), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "cut")
    assert run(config, whole, overrides) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("duograd.runner.context.Signals", lambda: After(3))
        assert run(config, cut, overrides) > 128
    assert resume(config, cut) == 0
    for name in ("checkpoint.safetensors", "metrics.jsonl"):
        assert (whole.path / name).read_bytes() == (cut.path / name).read_bytes()
    identity, summary = (json.loads(path.read_text()) for path in (whole.identity, whole.summary))
    assert identity["gradient"] == summary["gradient"] == "row_10"
    assert "gradient=row_10" in identity["name"]
    assert identity["code_notes"] == ["the gradient is the report's, with row 10 of its errors (docs/errata.md)"]


def test_the_documentation_lists_every_row():
    text = (ROOT / "docs" / "reproduce.md").read_text()
    listed = "\n".join(f"| `row_{number}` | {row.does} | {row.of} |" for number, row in sorted(ROWS.items()))
    assert listed in text


def test_completion_knows_the_gradients_of_a_network():
    rows = ["gradient=report", "gradient=row_5", "gradient=row_6", "gradient=row_8"]
    assert candidates("duograd model=rnn optimizer=sgd gradient=r") == rows


def record(config: dict[str, Any], seed: int, gradient: str, accuracy: float) -> Record:
    config = config | {"seed": seed, "gradient": gradient}
    summary = {"metrics": {"test/accuracy": accuracy, "train/loss": 1 - accuracy}}
    return Record("run", Path("nowhere"), "FINISHED", config=config, summary=summary)


def test_the_page_says_what_a_mistake_changes_over_common_seeds():
    study = studies(["errata_rnn"])["errata_rnn"]
    gradients, measured = ["exact", "report", "row_5", "row_6"], [study.errata[1], study.errata[2]]
    study = study.model_copy(update={"sweep": {"gradient": gradients}, "errata": measured})
    reached = {"exact": (0.5, 0.52, 0.51), "report": (0.9, 0.91, 0.92), "row_5": (0.5, 0.53, 0.5), "row_6": (0.7,)}
    config = dump(compose(["model=rnn", *GAIT]))
    runs = [record(config, seed, name, x) for name, values in reached.items() for seed, x in enumerate(values)]
    table = errata_table(study, runs)
    rows = [dict(zip(table.heads, row, strict=True)) for row in table.rows]
    said = {(row["gradient"], row["metric"]): row for row in rows}
    assert [row["what it does"] for row in rows[:2]] == ["all of them: rows 5, 6 and 8"] * 2
    better = said["report", "test/accuracy"]
    assert (better["exact"], better["with it"], better["difference"]) == ("51.0 %", "91.0 %", "+40.0 points")
    assert (better["learning is"], said["report", "train/loss"]["learning is"]) == ("better", "better")
    assert said["row_5", "train/loss"]["learning is"].startswith("not to be told apart; ")
    assert said["row_6", "train/loss"]["learning is"] == "one pair decides nothing"
    assert {row[-1] for row in errata_table(study, []).rows} == {"not run"}


def test_half_of_the_error_is_another_gradient_than_the_exact_one(tmp_path):
    """As a user meets it: the same command with and without."""
    losses = []
    for gradient in ("exact", "row_1"):
        folder = RunFolder(tmp_path / gradient)
        assert run(tiny(f"gradient={gradient}"), folder, []) == 0
        losses.append(folder.history()["train/loss"])
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-12)
    assert not np.isclose(losses[0][-1], losses[1][-1], rtol=1e-6)
