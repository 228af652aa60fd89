"""A model, a source, a loss or an experiment that is for one task chooses it; two tasks are never mixed."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import yaml
from sweep_builders import refused_in_one_line, typing

from duograd.models.families.recurrent import FAMILY
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.runner.commands.completion import candidates
from duograd.runner.compose import compose, offered
from duograd.runner.groups import CONF, groups

SMALL = ["data=gait", "data.count=30", "data.test_count=12", "data.window=9", "model.hidden_size=4", "epochs=1"]
QUIET = ["tracking=none", "task.figures=[]"]


class GraphConfig(RecurrentConfig):
    family: Literal["graphs"]


GRAPHS = replace(FAMILY, config=GraphConfig, inputs=("graphs",))
TASKS = ("activity", "autoencoder", "cnn", "table")


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with typing(monkeypatch, capsys) as run:
        yield run


def the_run(outputs: Path) -> dict:
    [path] = outputs.glob("outputs/*/*/run.json")
    return json.loads(path.read_text())


def test_a_model_runs_its_task_says_so_first_and_can_be_typed_again(typed, tmp_path):
    code, out, err = typed("model=gru", *SMALL, *QUIET)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "task=activity, chosen by model=gru"
    run = the_run(tmp_path)
    assert run["task"] == "activity"
    assert run["command"].startswith("duograd task=activity model=gru data=gait")


@pytest.mark.parametrize(
    ("choices", "task"),
    [
        (["model=mlp"], "table"),
        (["data=shapes"], "cnn"),
        (["data=table", "data.path=t.csv", "data.target=y"], "table"),
        (["loss=huber", "data.set=diabetes"], "table"),
        (["loss=svm", "model=lstm_dense1"], "activity"),
        (["data=arrays", "data.path=x.npz", "model=mlp"], "table"),
        (["data=arrays", "data.path=x.npz", "model=gru", "loss=huber"], "activity"),
        (["experiment=report_overfit"], "cnn"),
        (["experiment=activity_lstm", "loss=cross_entropy"], "activity"),
        (["model=autoencoder"], "autoencoder"),
        (["optimizer=adam"], "autoencoder"),
        (["sweep=report_grid"], "autoencoder"),
    ],
)
def test_a_choice_of_one_task_chooses_it(choices, task):
    assert compose(choices).task.name == task


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (["task=cnn", "model=gru"], "model=gru is for task=activity, not for task=cnn; task=cnn has model=challenge, "),
        (
            ["model=gru", "data=patches_h5"],
            "model=gru is for task=activity and data=patches_h5 is for task=autoencoder: they do not go together",
        ),
        (["task=table", "model=autoencoder", "loss=sparse"], "model=autoencoder is for task=autoencoder, not for"),
        (["task=autoencoder", "data=sklearn"], "data=sklearn is for task=table, not for task=autoencoder; task=auto"),
        (
            ["task=cnn", "loss=sparse"],
            "loss=sparse does not go with model=three_layer_convnet in task=cnn: use loss=cross_entropy or loss=svm",
        ),
        (["loss=cross_entropy"], "loss=cross_entropy is for task=activity, cnn or table: say which, such as task=act"),
        (
            ["task=autoencoder", "data=arrays", "data.path=x.npz"],
            "data=arrays is for task=activity, cnn or table, not for task=autoencoder; task=autoencoder has data=",
        ),
        (
            ["task=table", "loss=huber"],
            "loss=huber is for values, but the targets of data=sklearn are classes: use loss=cross_entropy or "
            "loss=svm, or data.set=diabetes",
        ),
        (
            ["data=arrays", "data.path=x.npz"],
            "data=arrays is for task=activity, cnn or table: say which, such as task=a",
        ),
        (["experiment=report_lstm", "model=autoencoder"], "experiment=report_lstm is for task=activity and model=aut"),
        (["task=activity", "sweep=report_grid"], "sweep=report_grid is for task=autoencoder, not for task=activity"),
        (["-m", "model=gru,convnet"], "model=gru is for task=activity and model=convnet is for task=cnn: they do not"),
        (["-m", "task=activity,cnn", "model=gru"], "model=gru is for task=activity, not for task=cnn"),
        (["task=cnn", "data=gait", "--cfg", "job"], "data=gait is for task=activity, not for task=cnn"),
        (["gradcheck", "task=cnn", "model=gru"], "model=gru is for task=activity, not for task=cnn"),
    ],
)
def test_two_tasks_are_refused_in_one_line(choices, message, typed, tmp_path):
    refused_in_one_line(typed(*choices), message, tmp_path)


def test_what_is_typed_wrongly_is_told_as_before(typed):
    assert typed("model=lstmm")[2].startswith("duograd: unknown model 'lstmm': did you mean 'lstm'?")
    assert typed("model=5", "loss=svm")[2].startswith("duograd: loss=svm is for task=activity, cnn or table")
    assert typed("model=gru,lstm")[2].startswith("duograd: model=gru,lstm has several values: add -m")
    assert "nowhere" in typed("--config-dir", "nowhere", "model=gru")[2]


def test_a_printed_configuration_is_nothing_but_that(typed):
    code, out, err = typed("model=gru", "--cfg", "job")
    assert (code, err) == (0, "task=activity, chosen by model=gru\n")
    assert yaml.safe_load(out)["task"]["name"] == "activity"


def test_sweeps_searches_and_gradcheck_choose_alike(typed):
    first = "task=activity, chosen by model=gru"
    code, out, _ = typed("-m", "model=gru,lstm", *SMALL, "sweep.dry_run=true")
    assert (code, out.splitlines()[0], "2 jobs, 2 to run" in out) == (0, first, True)
    code, out, _ = typed("hydra/sweeper=optuna", "-m", "model=gru,lstm", *SMALL, "sweep.dry_run=true")
    assert (code, out.splitlines()[0], "trials by tpe" in out) == (0, first, True)
    code, out, _ = typed("gradcheck", "model=gru", "model.hidden_size=3", *SMALL[:-2])
    assert (code, out.splitlines()[0], "recurrent.weight_hh_l0" in out) == (0, first, True)


@pytest.fixture
def folder(tmp_path):
    """A user's own options: a model that starts from ours, an experiment, a task, and a preset of a sweep."""
    own = tmp_path / "own"
    files = {
        "model/small.yaml": "defaults: [gru]\nname: small\nhidden_size: 3\n",
        "experiment/mine.yaml": "# @package _global_\ndefaults: [{override /model: small}]\nepochs: 1\n",
        "task/people.yaml": (CONF / "task/activity.yaml").read_text().replace("name: activity", "name: people"),
        "sweep/mixed.yaml": "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {model: 'gru,mlp'}}}\n",
    }
    for name, content in files.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(content)
    return own


def test_options_of_a_users_own_belong_to_the_task_of_what_they_start_from(typed, folder, tmp_path):
    (folder / "task/people.yaml").unlink()
    code, out, _ = typed("--config-dir", "own", "experiment=mine", *SMALL, *QUIET)
    assert (code, out.splitlines()[0]) == (0, "task=activity, chosen by experiment=mine")
    refused = "model=small is for task=activity, not for task=cnn; task=cnn has"
    assert typed("--config-dir", "own", "task=cnn", "model=small")[2].startswith(f"duograd: {refused}")
    mixed = typed("--config-dir", "own", "sweep=mixed", "task=activity", "sweep.dry_run=true")
    assert mixed[2].startswith("duograd: job model=mlp: model=mlp is for task=table, not for task=activity")


def test_a_task_of_a_users_own_has_the_models_of_its_kind(typed, folder):
    """Two tasks learn from the same kind now: a model is for both, and neither is chosen unasked."""
    own = ["--config-dir", "own", "model=small", *SMALL, *QUIET]
    assert typed(*own, "task=people")[0] == 0
    assert typed(*own)[2].startswith("duograd: model=small is for task=activity or people: say which, such as task=ac")


def test_a_network_that_is_for_no_known_task_is_refused_by_none(typed, folder, installed):
    installed("duograd.families", graphs=f"{__name__}:GRAPHS")
    (folder / "model/graph.yaml").write_text("defaults: [gru]\nname: graph\nfamily: graphs\n")
    for task in TASKS:  # its samples are refused, which another source would mend
        assert typed("--config-dir", "own", f"task={task}", "model=graph", "--cfg", "job")[0] == 0
    refused = typed("--config-dir", "own", "task=activity", "model=graph")[2]
    assert refused.startswith("duograd: data=motionsense does not go with model=graph: use one of")


def test_a_network_by_its_file_is_for_each_task_that_it_can_learn(typed):
    net = f"model={Path(__file__).parents[1] / 'examples/own/net.py'}"
    assert typed(net)[2].startswith(f"duograd: {net} is for task=activity, cnn or table: say which, such as task=act")
    assert typed("data=sklearn", net, "--cfg", "job")[2] == "task=table, chosen by data=sklearn\n"
    assert typed("task=cnn", net, "--cfg", "job")[0] == 0


def test_help_and_completion_offer_what_the_task_has():
    for task in TASKS:
        fitting = offered([f"task={task}"])
        assert 1 <= len(fitting["model"]) < len(groups()["model"])
        assert [c.partition("=")[2] for c in candidates(f"duograd task={task} model=")] == fitting["model"]
        assert fitting["optimizer"] == groups()["optimizer"]


def test_every_model_and_source_is_for_a_task():
    offers = [offered([f"task={task}"]) for task in TASKS]
    for group in ("model", "data", "loss", "experiment"):
        assert {option for fitting in offers for option in fitting[group]} == set(groups()[group])
    models = [model for fitting in offers for model in fitting["model"]]
    assert len(models) == len(set(models))


def test_help_of_a_choice_lists_what_goes_with_it(typed):
    code, out, _ = typed("model=gru", "--help")
    assert code == 0
    assert {"  task: activity", "  data: activity_h5, arrays, gait, motionsense"} <= set(out.splitlines())
    assert not re.search(r"^.*convnet", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("duograd model=gru task=", ["task=activity"]),
        ("duograd task=cnn loss=", ["loss=cross_entropy", "loss=svm"]),
        ("duograd loss=svm task=", ["task=activity", "task=cnn", "task=table"]),
        ("duograd model=gru data=patches_h5 loss=s", ["loss=sparse", "loss=squared_error", "loss=svm"]),
    ],
)
def test_completion_follows_what_was_typed(line, options):
    assert candidates(line) == options
