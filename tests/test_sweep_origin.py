"""Where the jobs of a sweep come from: what composes one run composes every job, its resume, and its command."""

import json
import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from PIL import Image
from sweep_builders import done, record, refused_in_one_line, resume, statuses, sweep, typing

from duograd.runner.compose import TRIED_WITH, Composer, compose, initialised
from duograd.runner.errors import UserError
from duograd.runner.store.records import Origin

ROOT = Path(__file__).parents[1]
MINE = """\
defaults: [config, _self_]
epochs: 2
seed: 11
"""
BACK = "put it back, jobs are composed from it"
OURS = """\
# @package _global_
epochs: 3
seed: 12
"""


@pytest.fixture
def there(tmp_path):
    """A folder of a user's own: a root of a configuration, and an experiment."""
    folder = tmp_path / "the ir"  # a space, as in people's folders
    (folder / "experiment").mkdir(parents=True)
    (folder / "mine.yaml").write_text(MINE)
    (folder / "experiment" / "ours.yaml").write_text(OURS)
    return folder


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with typing(monkeypatch, capsys) as run:
        yield run


def test_hydras_inside_is_used_in_one_file_and_was_tried_with_this_version():
    """Another hydra-core may still do: run this file and test_sweep_plan.py with it, then write it down."""
    assert version("hydra-core") == TRIED_WITH
    inside = re.compile(r"hydra\._internal|_apply_overrides_to_config|caching_repo|config_loader_impl")
    files = [path for folder in ("runner", "hydra_plugins", "data", "models") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in files if inside.search(path.read_text())] == ["compose.py"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["--config-dir", "the ir", "--config-name", "mine"], [], (2, 11)),
        pytest.param(["--config-dir", "the ir"], ["experiment=ours"], (3, 12), marks=pytest.mark.slow),
        pytest.param([], ["hydra.searchpath=[file://there]", "experiment=ours"], (3, 12), marks=pytest.mark.slow),
    ],
)
def test_a_sweep_its_resume_and_its_commands_compose_alike(before, after, expected, there, tmp_path):
    folder = tmp_path / "sweep"
    if after and "searchpath" in after[0]:
        there.rename(tmp_path / "there")  # Hydra's grammar knows no spaces in a list
    first = sweep(folder, *after, "model.hidden_size=3,4")
    first = [*first[:4], *before, *first[4:]]
    assert done(first, tmp_path).returncode == 0
    taken = folder / "hidden_size=4"
    metrics = (taken / "metrics.jsonl").read_bytes()
    configs = {job: OmegaConf.load(folder / job / "config.yaml") for job in ("hidden_size=3", "hidden_size=4")}
    assert {(config.epochs, config.seed) for config in configs.values()} == {expected}
    (taken / "summary.json").unlink()
    again = done(resume(folder), Path("/"))
    assert again.returncode == 0, again.stderr
    assert (taken / "metrics.jsonl").read_bytes() == metrics
    command = shlex.split(record(folder)["command"])
    assert command[:2] == ["duograd", "-m"]
    assert set(before) | set(after[:1]) <= set(command)
    alone = shlex.split(json.loads((taken / "run.json").read_text())["command"])
    rerun = [first[0], "-m", "duograd", *alone[1:], "hydra.run.dir=alone"]
    assert done(rerun, tmp_path).returncode == 0
    assert (tmp_path / "alone" / "metrics.jsonl").read_bytes() == metrics


def test_a_search_and_its_resume_are_composed_from_a_folder_of_ones_own(there, tmp_path):
    folder = tmp_path / "search"
    command = sweep(folder, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "model.hidden_size=3,4")
    assert (
        done([*command[:4], "--config-dir", str(there), "--config-name", "mine", *command[4:]], tmp_path).returncode
        == 0
    )
    assert {OmegaConf.load(path).epochs for path in folder.glob("*/config.yaml")} == {2}
    again = done(resume(folder), tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert statuses(folder) == {"hidden_size=3": "FINISHED", "hidden_size=4": "FINISHED"}
    there.rename(tmp_path / "gone")
    gone = done(resume(folder), tmp_path)
    assert (gone.returncode, gone.stderr.splitlines()) == (
        2,
        [f"duograd: {there}, named by --config-dir, is gone: {BACK}"],
    )


def test_a_project_is_moved_with_its_configurations_and_data(there, tmp_path):
    """Whether they were typed relative to it or from the root."""
    project = tmp_path / "old (1)"
    project.mkdir()
    there.rename(project / "own")
    (project / "photos").mkdir()
    Image.effect_noise((64, 64), 50).save(project / "photos" / "noise.png")
    command = sweep(Path("sweeps/one"), "model.hidden_size=3,4", "data=photos", f"data.root={project}/photos")
    command[4:4] = ["--config-dir", "own", "--config-name", "mine"]
    assert done(command, project).returncode == 0
    moved = project.rename(tmp_path / "new")
    (moved / "sweeps" / "one" / "hidden_size=4" / "summary.json").unlink()
    again = done(resume(Path("sweeps/one")), moved)
    assert (again.returncode, again.stderr) == (0, "")
    assert set(statuses(moved / "sweeps" / "one").values()) == {"FINISHED"}
    before = json.loads((moved / "sweeps" / "one" / "sweep.json").read_text())
    assert "data.root='./photos'" in before["overrides"]
    assert str(project) not in str(before | {"command": ""})  # which stays as it was typed
    assert not project.exists()


def test_what_was_typed_is_what_is_recorded(tmp_path):
    """An interpolation is the job's, not the sweep's."""
    folder = tmp_path / "sweep"
    assert (
        done(sweep(folder, "data.seed=${seed}", "seed=7,8", "epochs=1", "loss.lambda=1e-3"), tmp_path).returncode == 0
    )
    content = record(folder)
    assert {"data.seed=${seed}", "loss.lambda=1e-3"} <= set(content["overrides"])
    assert "data.seed=${seed}" in shlex.split(content["command"])
    for seed in (7, 8):
        job = folder / f"seed={seed}"
        assert OmegaConf.load(job / "config.yaml").data.seed == seed
        assert "data.seed=${seed}" in shlex.split(json.loads((job / "run.json").read_text())["command"])


def test_what_hydra_knows_of_a_job_can_stand_in_it():
    plain = compose(["task=activity", "model=gru"])
    with initialised():
        jobs = Composer(Origin())
        config = jobs.config(["task=activity", "tracking.experiment=${hydra:runtime.choices.model}-x", "model=gru"])
        assert config.tracking.experiment == "gru-x"
        assert jobs.config(["task=activity", "model=gru"]) == plain


@pytest.mark.parametrize("number", ["${hydra:job.num}", "${hydra.job.num}", "${hydra:job.id}"])
def test_a_job_has_no_number_to_ask_for(number):
    with initialised(), pytest.raises(UserError) as refusal:
        Composer(Origin()).config([f"data.seed={number}"])
    assert str(refusal.value).startswith(f"data.seed={number}: a job of a sweep is known by what it trains")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seed=1,2", "data.seed=${hydra:job.num}"], "data.seed=${hydra:job.num}: a job of a sweep is known by what"),
        (
            ["seed=1,2", "hydra.sweep.subdir=x${hydra.job.num}"],
            "hydra.sweep.subdir=x${hydra.job.num}: the folder of a job",
        ),
        (["seed=1,2", "+hydra.job.env_set.A_B=1"], "hydra.job.env_set and env_copy (A_B) reach no worker"),
        (["seed=range(0,1000000000)"], "seed=range(0,1000000000) has more than 100000 values"),
        (["seed=range(1000)", "data.seed=range(1000)"], "the grid has 1000000 jobs, more than 100000"),
    ],
)
def test_what_no_job_could_have_is_refused_in_one_line(overrides, message, typed, tmp_path):
    refused_in_one_line(typed("-m", "hydra.sweep.dir=sweep", "tracking=none", *overrides), message, tmp_path / "here")
