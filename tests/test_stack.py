"""Several runs as one: each ends where it would have ended alone, whatever the others do."""

import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from builders import CONF

from duograd.runner import build, loop
from duograd.runner.compose import compose
from duograd.runner.engines.torch_stack import Member, Stack
from duograd.runner.errors import UserError
from duograd.runner.hooks import Hook
from duograd.runner.registry import OPTIMIZERS
from duograd.runner.sweep.options import sweep_options
from duograd.runner.sweep.stacks import alone_because, refuse_by_hand, shape_of, stacks
from duograd.runner.training import Diverged, Training

RTOL = {"float64": 1e-10, "float32": 1e-5}  # of losses and weights
ATOL = {"float64": 1e-12, "float32": 1e-6}
TABLE = ["task=table", "epochs=3"]
GAIT = ["task=activity", "data=gait", "data.count=60", "data.test_count=30", "data.window=12", "model.hidden_size=6"]
GAIT += ["epochs=2"]
SHAPES = ["task=cnn", "data=shapes", "data.count=32", "data.test_count=10", "epochs=1", "batch_size=16"]
PATCHES = ["task=autoencoder", "data.count=60", "data.size=4", "model.hidden_size=5", "epochs=4"]
DIFFERENT = [["seed=1"], ["seed=2", "optimizer.lr=0.004"], ["seed=3", "optimizer.weight_decay=0.05"]]
LAMBDAS = [["loss.lambda=0.1"], ["seed=4", "loss.lambda=0.02"]]


def configs(*overrides, own=DIFFERENT, dtype="float64"):
    return [compose(["tracking=none", "backend=torch", f"dtype={dtype}", *overrides, *each]) for each in own]


def fit(training, config, hooks=()):
    """The run's end: all that the engine holds, and the last metrics."""
    loop.fit(training, [*build.early_stopping(config), *hooks])
    metrics = loop.evaluate_all(training)
    return SimpleNamespace(state=training.engine.state(), metrics=metrics, epoch=training.epoch)


def alone(config, state=None):
    data = build.data_set(config)
    training = Training(build.engine(config, data), data, build.plan(config, data))
    begin_at(training, state)
    return fit(training, config)


def begin_at(training, state):
    if state is not None:
        loop_state, engine_state = state
        training.load(loop_state)
        training.engine.load(engine_state)


def together(runs, states=None, hooks=None):
    """What `alone` gives of each, or the error that it ended with."""
    stack, data = Stack(len(runs)), build.data_set(runs[0])
    ends = [None] * len(runs)

    def train(i):
        try:
            engine = build.torch_engine(runs[i], data, partial(Member, stack, i))
            training = Training(engine, data, build.plan(runs[i], data))
            begin_at(training, (states or {}).get(i))
            ends[i] = fit(training, runs[i], (hooks or {}).get(i, ()))
        except Exception as error:
            ends[i] = error
        finally:
            stack.leave()

    threads = [threading.Thread(target=train, args=(i,)) for i in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def agree(end, other, dtype="float64"):
    assert not isinstance(end, Exception), end
    assert end.epoch == other.epoch
    assert end.metrics == pytest.approx(other.metrics, rel=RTOL[dtype], abs=ATOL[dtype])
    assert end.state.keys() == other.state.keys()
    scale = {name: np.abs(value).max(initial=1e-3) for name, value in other.state.items()}
    for name, value in other.state.items():
        np.testing.assert_allclose(
            end.state[name], value, rtol=RTOL[dtype], atol=RTOL[dtype] * scale[name], err_msg=name
        )


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize(
    "run",
    [
        [*TABLE, "model.dropout=0.3", "model.dense_norm=layer"],
        [*TABLE, "data.set=diabetes", "loss=huber"],
        [*PATCHES],
        [*GAIT, "model=rnn", "model.dense=[5]"],
        [*GAIT, "model=gru", "model.num_layers=2", "model.dropout=0.2"],
    ],
    ids=["mlp", "huber", "autoencoder", "rnn", "gru"],
)
def test_each_ends_where_it_would_alone(run, dtype):
    runs = configs(*run, dtype=dtype)
    for end, config in zip(together(runs), runs, strict=True):
        agree(end, alone(config), dtype)


@pytest.mark.parametrize(
    "run",
    [
        [*TABLE, "loss.class_weights=balanced"],
        [*PATCHES],
        [*GAIT, "model=lstm"],
        [*GAIT, "model=gru", "model.reset_after=true"],
    ],
    ids=["balanced", "autoencoder", "lstm", "gru"],
)
def test_each_has_its_own_penalty(run):
    runs = configs(*run, own=LAMBDAS)
    for end, config in zip(together(runs), runs, strict=True):
        agree(end, alone(config))


@pytest.mark.parametrize(
    "run",
    [
        [*TABLE, "model.dense_norm=batch", "optimizer=sgd"],
        [*SHAPES, "model=convnet", "model.style=sequential", "optimizer=sgd"],
        [*GAIT, "model=transformer", "model.hidden_size=8", "model.heads=2", "optimizer=sgd"],
    ],
    ids=["batch_norm", "convnet", "transformer"],
)
def test_buffers_and_attention(run):
    """With plain descent: where a bias has no gradient, an adaptive rule makes large steps of rounding."""
    runs = configs(*run)
    for end, config in zip(together(runs), runs, strict=True):
        agree(end, alone(config))


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")))
def test_each_rule_that_says_so_is_a_direction_times_a_rate(name):
    clipped = ["optimizer.clip_value=0.1", "optimizer.clip_norm=0.3"] if name != "lbfgs" else []
    whole = ["batch_size=null"] if name == "lbfgs" else []
    config = compose([*TABLE, "tracking=none", "backend=torch", f"optimizer={name}", *whole])
    if not OPTIMIZERS.of(config.optimizer).stacks:
        assert "solves for one network at a time" in alone_because(config)
        return
    runs = configs(*TABLE, f"optimizer={name}", *clipped)
    for end, config in zip(together(runs), runs, strict=True):
        agree(end, alone(config))


class Fails(Hook):
    def step(self, training):
        if training.step == 5:
            raise RuntimeError("mine alone")


def test_what_becomes_of_one_is_nothing_to_the_others():
    """One stops early, one has fewer epochs, one diverges, one fails, one goes on from a checkpoint of a run alone."""
    own = [["seed=1"], ["seed=2", "early_stopping.patience=1", "early_stopping.min_delta=0.5"], ["seed=3", "epochs=2"]]
    own += [["seed=4", "optimizer.lr=1e300"], ["seed=5"], ["seed=6", "epochs=4"], ["seed=7"]]
    runs = configs(*TABLE, "epochs=6", own=own)
    states = {5: stopped(runs[5], 7), 6: stopped(runs[6], 3)}
    ends = together(runs, states, {4: [Fails()]})
    assert isinstance(ends[3], Diverged)
    assert str(ends[4]) == "mine alone"
    for i in (0, 1, 2, 5, 6):
        agree(ends[i], alone(runs[i]))
    assert [ends[i].epoch for i in (0, 1, 2, 5, 6)] == [6, 2, 2, 4, 6]


class Stop(Hook):
    """After so many steps; keeps what a checkpoint would."""

    def __init__(self, steps):
        self.steps, self.saved = steps, None

    def step(self, training):
        if training.step == self.steps:
            self.saved = training.state(), training.engine.state()
            raise RuntimeError("stopped")


def stopped(config, steps):
    stop = Stop(steps)
    data = build.data_set(config)
    with pytest.raises(RuntimeError, match="stopped"):
        loop.fit(Training(build.engine(config, data), data, build.plan(config, data)), [stop])
    return stop.saved


def test_a_checkpoint_of_a_stack_goes_on_alone():
    runs, stops = configs(*TABLE), [Stop(5), Stop(6), Stop(7)]
    ends = together(runs, hooks={i: [stop] for i, stop in enumerate(stops)})
    assert [str(end) for end in ends] == ["stopped"] * 3
    for config, stop in zip(runs, stops, strict=True):
        agree(alone(config, stop.saved), alone(config))


def test_an_error_of_what_all_compute_is_everybodys(monkeypatch):
    def break_down(self, requests):
        raise MemoryError("no room")

    monkeypatch.setattr("duograd.runner.engines.torch_stack.Group.compute", break_down)
    assert [str(end) for end in together(configs(*TABLE))] == ["no room"] * 3


# Which jobs train as one


def pairs(*own, base=(*TABLE, "backend=torch")):
    jobs = [SimpleNamespace(config=compose(["tracking=none", *base, *each])) for each in own]
    return [(SimpleNamespace(number=i), job) for i, job in enumerate(jobs)]


def numbers(plan):
    return [[record.number for record, _ in part] for part in plan.together]


def test_jobs_that_differ_in_numbers_alone_train_as_one():
    same = pairs([], ["seed=5", "optimizer.lr=0.5", "epochs=9", "schedule=cosine", "early_stopping.patience=2"][:2])
    assert shape_of(same[0][1].config) == shape_of(same[1][1].config)
    own = [["seed=1"], ["model.dense=[8]"], ["seed=2"], ["loss.lambda=0.1"], ["optimizer=sgd"], ["seed=3"]]
    plan = stacks(pairs(*own, ["loss.lambda=0.2"], ["data.fold=1", "data.folds=3"]), 8, 1)
    assert numbers(plan) == [[0, 2, 5], [1], [3, 6], [4], [7]]
    assert plan.describe() == ("5 jobs train in 2 stacks; 3 alone: no other job differs from it in numbers alone")


@pytest.mark.parametrize(
    ("jobs", "size", "workers", "parts"),
    [(8, 8, 1, [8]), (8, 8, 2, [4, 4]), (9, 4, 1, [3, 3, 3]), (3, 8, 2, [3]), (1, 8, 2, [1]), (5, 1, 2, [1] * 5)],
)
def test_stacks_are_of_one_size_and_enough_for_all_workers(jobs, size, workers, parts):
    plan = stacks(pairs([]) * jobs, size, workers)
    assert [len(part) for part in plan.together] == parts


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["backend=numpy"], "backend=numpy has one network at a time"),
        (["backend.compile=true"], "backend.compile=true has one network at a time"),
        ([*GAIT, "model=lstm"], "torch's own function for cell=lstm is faster on a CPU"),
        (["loss=svm"], "loss=svm is not declared as one that stacks"),
        ([*GAIT, "model=gru"], None),
    ],
)
def test_what_cannot_be_stacked_says_why(overrides, reason):
    assert (
        alone_because(
            compose(
                [
                    "tracking=none",
                    "backend=torch",
                    *(overrides if overrides[0].startswith("task") else [*TABLE, *overrides]),
                ]
            )
        )
        == reason
    )


def test_stacks_of_networks_by_hand_and_of_trials_are_refused():
    with pytest.raises(UserError, match=r"hydra\.launcher\.stack=8 trains torch's networks as one: add backend=torch"):
        refuse_by_hand([compose(TABLE)], 8)
    refuse_by_hand([compose(TABLE), compose([*TABLE, "backend=torch"])], 8)
    with pytest.raises(UserError, match=r"hydra\.launcher\.stack=0"):
        sweep_options({}, {"stack": 0})
