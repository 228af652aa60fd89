"""What is searched: Hydra's words become axes, values become words again, and what no trial could run is told."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from sweep_builders import refused_in_one_line, typing

from duograd.runner.sweep.options import search_options
from duograd.runner.sweep.progress import rungs
from duograd.runner.sweep.space import Choices, Numbers, space

PARSER = OverridesParser.create()
OPTIONS = {"n_trials": 5, "timeout": None, "sampler": "tpe", "pruner": "none", "startup_trials": 3}
OPTIONS |= {"warmup_epochs": None, "seed": 0}


def searched(*overrides: str):
    return space(PARSER.parse_overrides(list(overrides)))


@pytest.mark.parametrize(
    ("override", "axis"),
    [
        ("a=adam,rmsprop", Choices("a", ("adam", "rmsprop"))),
        ("a=[64,32],null,adam", Choices("a", ("[64,32]", "null", "adam"))),
        ("a=interval(1,2)", Numbers("a", 1.0, 2.0, integer=False)),
        ("a=int(interval(10,200))", Numbers("a", 10, 200, integer=True)),
        ("a=tag(log,interval(1e-4,1))", Numbers("a", 1e-4, 1.0, integer=False, log=True)),
        ("a=tag(log,int(interval(1,200)))", Numbers("a", 1, 200, integer=True, log=True)),
        ("a=range(10,51,20)", Numbers("a", 10, 50, integer=True, step=20)),
        ("a=range(50,9,-20)", Numbers("a", 10, 50, integer=True, step=20)),
        ("a=range(0,1000000000)", Numbers("a", 0, 999999999, integer=True, step=1)),
        ("a=range(0.5,2,0.5)", Numbers("a", 0.5, 1.5, integer=False, step=0.5)),
    ],
)
def test_hydras_words_become_an_axis(override, axis):
    assert searched(override).axes == (axis,)


def test_what_has_one_value_stays_fixed_and_the_last_word_counts():
    found = searched("task=autoencoder", "a=1,2", "b=interval(0,1)", "a=5", "~c", "d=1", "d=3,4")
    assert found.keys == ["b", "d"]
    assert found.fixed == ("task=autoencoder", "a=5", "~c")
    assert found.typed == ("b=interval(0,1)", "d=3,4")
    assert found.overrides({"b": 0.25, "d": "4"}) == ["b=0.25", "d=4"]


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.floats(0, 1))
def test_a_typed_number_is_within_its_bounds_and_never_whole(one, other, share):
    low, high = min(one, other), max(one, other)
    value = min(high, max(low, low + share * (high - low)))
    typed = Numbers("a", low, high, integer=False).text(value)
    assert low <= float(typed) <= high
    assert float(typed) == pytest.approx(value, rel=1e-3)
    assert isinstance(PARSER.parse_override(f"a={typed}").value(), float)  # a key for whole numbers will refuse it


def test_few_digits_are_typed():
    assert Numbers("a", 1e-4, 1.0, integer=False).text(0.0123456789) == "0.01235"
    assert Numbers("a", 0.0, 100.0, integer=False).text(50) == "50.0"
    assert Numbers("a", 0.1, 0.5, integer=False, step=0.1).text(0.30000000000000004) == "0.3"
    assert Numbers("a", 1, 9, integer=True).text(3.0) == "3"


def test_probes_touch_every_end():
    points = searched("a=1,2,3", "b=interval(0,1)").probes()
    assert ["a=1", "b=0.0"] in points
    assert {value for point in points for value in point} == {"a=1", "a=2", "a=3", "b=0.0", "b=1.0"}


def test_rungs_are_few_and_past_the_warmup():
    def found(epochs, **changes):
        return rungs(search_options(OPTIONS | changes), epochs)

    assert found(100) == []
    assert found(100, pruner="median", warmup_epochs=30) == [30, *range(35, 101, 5)]
    assert found(5, pruner="median") == [1, 2, 3, 4, 5]
    assert {10, 30, 90} <= set(found(100, pruner="asha"))
    assert len(found(10**5, pruner="asha")) < 30


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    where = ["-m", "hydra/sweeper=optuna", "hydra.sweep.dir=sweep", "tracking=none", "data.count=64"]
    with typing(monkeypatch, capsys, *where) as run:
        yield run


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seed=1"], "there is nothing to search: give a key several values, such as optimizer=adam,rmsprop"),
        (["model.hiden_size=3,4"], "unknown key 'model.hiden_size': did you mean 'model.hidden_size'?"),
        (["model.hidden_size=int(interval(0,9))"], "model.hidden_size=0: expected greater than or equal to 1; so no"),
        (["model.hidden_size=interval(3,9)"], "model.hidden_size=3.0: expected a whole number; so no trial with"),
        (["loss.rho=interval(0.1,1.5)"], "loss.rho=1.5: expected less than 1; so no trial with loss.rho=1.5"),
        (["optimizer=adam,sgdd"], "unknown optimizer 'sgdd': did you mean 'sgd'?"),
        (["optimizer=sgd,adam", "optimizer.momentum=interval(0,0.9)"], "unknown key 'optimizer.momentum'"),
        (["optimizer.lr=tag(log,interval(0,1))"], "optimizer.lr=tag(log,interval(0,1)): a logarithm needs a lower"),
        (["optimizer.lr=interval(1,0)"], "optimizer.lr=interval(1,0): its lower bound is above the upper"),
        (["optimizer.lr=interval(0,inf)"], "optimizer.lr=interval(0,inf): an interval needs two finite bounds"),
        (["seed=tag(lg,interval(1,2))"], "seed=tag(lg,interval(1,2)): unknown tag 'lg': known: log"),
        (["seed=tag(log,choice(1,2))"], "seed=tag(log,choice(1,2)): the tag log is for an interval"),
        (["seed=range(3,3)"], "seed=range(3,3) has no value: the space is empty"),
        (["seed=range(1,3,0)"], "seed=range(1,3,0): a range needs a step that is not 0"),
        (["monitor=train/loss,train/mse"], "monitor cannot be searched"),
        (["seed=1,2", "hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials=0: expected greater than or equal to 1"),
        (["seed=1,2", "hydra.sweeper.timeout=0"], "hydra.sweeper.timeout=0.0: expected greater than 0"),
        (["seed=1,2", "hydra.sweeper.sampler=tpee"], "hydra.sweeper.sampler=tpee: expected 'tpe', 'random' or 'qmc'"),
        (["seed=1,2", "hydra.sweeper.warmup_epochs=3"], "hydra.sweeper.warmup_epochs=3 needs hydra.sweeper.pruner="),
        (
            ["seed=1,2", "epochs=9", "hydra.sweeper.pruner=asha", "hydra.sweeper.warmup_epochs=9"],
            "hydra.sweeper.warmup_epochs=9: with epochs=9 no trial could end early",
        ),
        (["seed=1,2", "sweep.random=3"], "sweep.random=3 is for a grid"),
        (["seed=1,2", "sweep.resume=true"], "sweep.resume=true: "),
        (["seed=1,2", "hydra/launcher=basic"], "hydra/sweeper=optuna needs hydra/launcher=dask"),
    ],
)
def test_errors_are_one_line_before_anything_starts(overrides, message, tmp_path, typed):
    refused_in_one_line(typed(*overrides), message, tmp_path)


def test_a_dry_run_starts_nothing(tmp_path, typed):
    code, out, _ = typed("seed=1,2", "epochs=7", "hydra.sweeper.pruner=asha", "sweep.dry_run=true")
    expected = (
        "seed=1,2\n30 trials by tpe (draws near the trials that did well), pruned by asha (at a few epochs ends all "
        "but the best third), of 7 epochs at the most; none was started\n"
    )
    assert (code, out) == (0, expected)
    assert not list(tmp_path.iterdir())


def test_a_preset_brings_a_space_and_the_command_line_wins(typed):
    code, out, _ = typed("sweep=autoencoder_search", "optimizer.lr=0.5", "loss.lambda=0,1e-3", "sweep.dry_run=true")
    assert code == 0
    assert out.splitlines()[:2] == ["model.hidden_size=int(interval(10,100))", "loss.lambda=0,1e-3"]
    assert out.splitlines()[2].startswith("40 trials by tpe (draws near the trials that did well), pruned by asha")
