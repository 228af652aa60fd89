"""The loop and its hooks, on a tiny autoencoder: what is recorded, kept, stopped and drawn."""

import json

import numpy as np
import pytest
import torch
from builders import tiny

from duograd.data.dataset import Split
from duograd.runner import build, loop
from duograd.runner.hooks import Hook, checkpoint
from duograd.runner.hooks.checkpoint import Best
from duograd.runner.hooks.frames import next_frame
from duograd.runner.hooks.logs import MetricsLog
from duograd.runner.hooks.stopping import Gap, Patience, StopFile
from duograd.runner.schedule import ScheduleConfig, factor
from duograd.runner.store.folders import PRUNED, RunFolder
from duograd.runner.training import Diverged, Training, batches, sample_order

BACKENDS = ["numpy", "torch"]


class Records(Hook):
    """Keeps every record, and the parameters that stood after it."""

    name = "records"

    def __init__(self):
        self.records, self.params = [], []

    def epoch(self, training, record):
        self.records.append(record)
        self.params.append(training.engine.params())


def start(*overrides):
    config = tiny(*overrides)
    data = build.data_set(config)
    return Training(build.engine(config, data), data, build.plan(config, data))


def train(*overrides, hooks=()):
    training, records = start(*overrides), Records()
    loop.fit(training, [records, *hooks])
    return training, records


def loss_of(training, params):
    training.engine.set_weights(params)
    return float(training.engine.evaluate(training.data.train.batch())["loss"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_full_batch_record_is_the_cost_before_its_update(backend):
    fresh = start(f"backend={backend}")
    initial = loss_of(fresh, fresh.engine.params())
    training, log = train(f"backend={backend}")
    losses = [record["train/loss"] for record in log.records]
    assert losses[0] == pytest.approx(initial, rel=1e-12)
    assert losses[1:] == pytest.approx([loss_of(training, params) for params in log.params[:-1]], rel=1e-12)
    assert [record["epoch"] for record in log.records] == [1, 2, 3, 4]
    assert training.step == 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_best_holds_the_parameters_that_gave_the_best_value(backend):
    best = Best()
    training, log = train(f"backend={backend}", hooks=[best])
    assert best.value == min(record["train/loss"] for record in log.records)
    assert loss_of(training, best.weights) == pytest.approx(best.value, rel=1e-12)


def test_what_is_not_finite_is_no_best_that_nothing_could_beat():
    best = Best()
    training, _ = train("epochs=1", hooks=[])
    for value in (float("nan"), 2.0, float("nan"), 1.0):
        best.epoch(training, {"train/loss": value})
    assert best.value == 1.0


def test_best_follows_the_validation_split_where_there_is_one():
    best = Best()
    training, log = train("data.validation_fraction=0.2", "optimizer.lr=30", "epochs=8", hooks=[best])
    values = [record["val/loss"] for record in log.records]
    assert best.value == min(values)
    training.engine.set_weights(best.weights)
    assert loop.evaluate(training, training.data.validation)["loss"] == pytest.approx(best.value, rel=1e-12)


def test_a_mini_batch_record_is_the_sample_weighted_mean_of_its_steps(monkeypatch):
    """60 samples in batches of 25: the last one holds 10 and weighs as much."""
    training, records = start("batch_size=25", "epochs=1"), Records()
    seen, step = [], training.engine.step
    monkeypatch.setattr(
        training.engine, "step", lambda batch, lr: seen.append((len(batch), step(batch, lr))) or seen[-1][1]
    )
    loop.fit(training, [records])
    assert [n for n, _ in seen] == [25, 25, 10]
    mean = sum(n * terms["loss"] for n, terms in seen) / 60
    assert records.records[0]["train/loss"] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("overrides", [(), ("batch_size=25",), ("batch_size=7", "optimizer=adam")])
def test_both_backends_walk_the_same_way(overrides):
    _, by_hand = train("epochs=100", *overrides)
    _, autograd = train("epochs=100", "backend=torch", *overrides)
    for a, b in zip(by_hand.records, autograd.records, strict=True):
        assert a == pytest.approx(b, rel=1e-9)
    for name, w in by_hand.params[-1].items():
        np.testing.assert_allclose(w, autograd.params[-1][name], rtol=0, atol=1e-9)


def test_every_epoch_has_its_own_order_of_all_samples():
    orders = [sample_order(0, epoch, 50) for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 3
    assert (sample_order(0, 1, 50) == orders[1]).all()
    assert (sample_order(1, 1, 50) != orders[1]).any()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (("constant", 1.0, "epoch"), 1.0),
        (("exponential", 0.9999, "epoch"), 0.9999**3),
        (("exponential", 0.5, "step"), 0.5**12),
    ],
)
def test_schedules(schedule, expected):
    name, gamma, every = schedule
    config = ScheduleConfig(name=name, gamma=gamma, every=every, warmup=0.3, start=0.04, end=0.0)
    assert factor(config, step=12, epoch=3, steps=100) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "steps"), [("one_cycle", 97), ("one_cycle", 3000), ("cosine", 50)])
def test_cycles_are_torchs(name, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers = {
        "one_cycle": lambda: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, steps, cycle_momentum=False),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=4e-6),
    }
    scheduler = schedulers[name]()
    config = ScheduleConfig(name=name, gamma=1.0, every="epoch", warmup=0.3, start=0.04, end=4e-6)
    for step in range(steps):
        assert factor(config, step, epoch=0, steps=steps) == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        scheduler.step()


def test_the_rate_decays_after_each_epoch_as_in_the_report():
    _, log = train("optimizer.lr=0.9", "schedule.gamma=0.9999")
    assert [r["lr"] for r in log.records] == pytest.approx([0.9 * 0.9999**k for k in range(4)], rel=1e-12)


def test_patience_counts_epochs_without_an_improvement():
    training, log = train("optimizer.lr=1e-12", "epochs=50", hooks=[Patience(3, min_delta=1e-3)])
    assert len(log.records) == 4
    assert training.stop_reason == "early stopping: train/loss did not improve for 3 epochs"


def test_the_file_says_why_and_at_the_last_epoch_nothing(tmp_path):
    stop = tmp_path / "stop"
    stop.write_text(f"{PRUNED}\n")
    training, _ = train("epochs=3", hooks=[StopFile(stop)])
    assert (training.epoch, training.stop_reason) == (1, PRUNED)
    training, _ = train("epochs=1", hooks=[StopFile(stop)])
    assert training.stop_reason is None


def test_the_gap_rule_stops_when_curves_drift_apart_not_when_they_are_close():
    """The report's row 20."""
    hook, training = Gap(0.5), start("data.validation_fraction=0.2")
    hook.epoch(training, {"train/loss": 1.0, "val/loss": 1.4})
    assert training.stop_reason is None
    hook.epoch(training, {"train/loss": 1.0, "val/loss": 1.6})
    assert training.stop_reason == "early stopping: val/loss is 0.6 above train/loss (gap 0.5)"


def test_a_file_named_stop_ends_the_run_after_the_epoch(tmp_path):
    (tmp_path / "stop").touch()
    training, log = train(hooks=[StopFile(tmp_path / "stop")])
    assert len(log.records) == 1
    assert "stop" in training.stop_reason


@pytest.mark.parametrize("overrides", [(), ("batch_size=25",), ("backend=torch",), ("backend=torch", "batch_size=25")])
def test_a_loss_that_is_not_finite_names_its_step(overrides):
    training = start("dtype=float32", "optimizer.lr=1e30", "loss.lambda=1", *overrides)
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=r"the loss became (nan|inf) at step [234] "):
        loop.fit(training, [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_lbfgs_feeds_the_same_hooks(backend):
    best = Best()
    training, log = train(f"backend={backend}", "optimizer=lbfgs", "epochs=30", hooks=[best])
    _, sgd = train(f"backend={backend}", "epochs=30")
    losses = [record["train/loss"] for record in log.records]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == sgd.records[0]["train/loss"]
    assert losses[-1] < sgd.records[-1]["train/loss"]
    assert training.train_seconds > 0
    assert loss_of(training, best.weights) == pytest.approx(best.value, rel=1e-9)


def test_frames_are_dense_at_first_and_depend_on_the_epoch_alone():
    due, epochs = next_frame(0), []
    while due <= 5000:
        epochs.append(due)
        due = next_frame(due)
    assert epochs[:8] == [1, 2, 3, 4, 5, 6, 8, 10]
    assert 25 < len(epochs) < 40
    assert next_frame(7) == 8


@pytest.mark.parametrize("overrides", [("optimizer=adam",), ("optimizer=momentum", "batch_size=7")])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_checkpoint_goes_on_to_the_same_bytes(overrides, backend, tmp_path):
    """Stopped after two epochs and rebuilt from the file: as if never stopped."""
    overrides = (f"backend={backend}", *overrides)
    whole = RunFolder(tmp_path / "whole")
    halves = RunFolder(tmp_path / "halves")
    for folder, stops in ((whole, [4]), (halves, [2, 4])):
        folder.path.mkdir()
        for epochs in stops:
            training = start(*overrides, f"epochs={epochs}")
            hooks = [MetricsLog(folder.metrics), Best(), Patience(9, 0.0)]
            checkpoint.restore(folder, training, hooks, warn=print)
            loop.fit(training, hooks)
            checkpoint.save(folder, training, hooks)
    for name in ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl"):
        assert (whole.path / name).read_bytes() == (halves.path / name).read_bytes()


class SaveAt(Hook):
    """Saves in the middle of an epoch, after a given step, and ends there."""

    name = "save_at"

    def __init__(self, step):
        self.at, self.save = step, lambda: None

    def step(self, training):
        if training.step == self.at:
            self.save()
            raise KeyboardInterrupt


def test_a_checkpoint_from_the_middle_of_an_epoch_goes_on_to_the_same_bytes(tmp_path):
    overrides = ("batch_size=7", "optimizer=adam", "epochs=2")
    folders = [RunFolder(tmp_path / name) for name in ("whole", "halves")]
    for folder, saved_at in zip(folders, (None, 12), strict=True):
        folder.path.mkdir()
        for at in (saved_at, None) if saved_at else (None,):
            training = start(*overrides)
            stop = SaveAt(at)
            hooks = [MetricsLog(folder.metrics), Best(), stop]
            stop.save = lambda f=folder, t=training, h=hooks: checkpoint.save(f, t, h)
            checkpoint.restore(folder, training, hooks, warn=print)
            try:
                loop.fit(training, hooks)
            except KeyboardInterrupt:
                assert training.in_epoch == 3
            else:
                checkpoint.save(folder, training, hooks)
    assert folders[0].checkpoint.read_bytes() == folders[1].checkpoint.read_bytes()
    assert folders[0].metrics.read_bytes() == folders[1].metrics.read_bytes()


def test_a_resumed_log_drops_what_its_checkpoint_does_not_know(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n{"epo')
    training, log = start(), MetricsLog(path)
    training.epoch = 2
    log.start(training)
    log.epoch(training, {"epoch": 3, "train/loss": 0.5})
    log.end()
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [1, 2, 3]


def test_images_become_floats_one_batch_at_a_time():
    seen = []
    split = Split(np.zeros((7, 2), np.uint8), normalise=lambda images: seen.append(len(images)) or images / 255)
    parts = batches(split, 3)
    assert len(next(parts)) == 3
    assert seen == [3]
    assert [len(batch) for batch in parts] == [3, 1]
