"""What a run has reached survives whatever ends it: resumed, it comes to the bytes of one that nothing disturbed."""

import random
import signal
import time
from dataclasses import replace

import pytest
from builders import After, tiny

from duograd.runner import session as runs
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.hooks.interruption import Signals
from duograd.runner.run import resume, run
from duograd.runner.signals import SAME_S
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Interrupted

BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl")


def ended_after(steps, config, folder):
    assert run(config, folder, [], replace(alone(), interruption=After(steps))) == 128 + signal.SIGINT


def same(folder, other):
    return all((folder.path / name).read_bytes() == (other.path / name).read_bytes() for name in BYTES)


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that nothing disturbs, for a configuration."""

    def train(config):
        folder = RunFolder(tmp_path / "whole")
        assert run(config, folder, []) == 0
        return folder

    return train


def killed(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("reason", ["early stopping", "a file"])
def test_that_it_has_stopped_is_part_of_its_state(reason, whole, tmp_path, monkeypatch):
    """Killed while evaluating, one trained an epoch too many."""
    config, folder = (
        tiny("epochs=9", "early_stopping.patience=2", "early_stopping.min_delta=9"),
        RunFolder(tmp_path / "r"),
    )
    if reason == "a file":
        config = tiny("epochs=9")
        monkeypatch.setattr(runs.StopFile, "epoch", lambda self, training, record: stop_at(training, 3))
    undisturbed = whole(config)
    with monkeypatch.context() as patch:
        patch.setattr(runs.loop, "evaluate_all", killed)
        with pytest.raises(KeyboardInterrupt):
            run(config, folder, [])
    assert resume(config, folder) == 0
    assert same(folder, undisturbed)
    ends = [files.read_json(f.summary) for f in (folder, undisturbed)]
    assert ends[0]["epochs"] == ends[1]["epochs"] == 3
    assert ends[0]["stopped_by"] == ends[1]["stopped_by"] is not None


def test_its_times_add_up(tmp_path, capsys):
    config, folder = tiny("epochs=3"), RunFolder(tmp_path / "run")
    ended_after(2, config, folder)
    clock = files.read_json(folder.clock)
    assert 0 < clock["train_seconds"] < clock["seconds"] < files.read_json(folder.summary)["seconds"] + 0.001
    files.write_json(folder.clock, {"train_seconds": 100.0, "seconds": 1000.0})
    capsys.readouterr()
    assert resume(config, folder) == 0
    assert "continued from epoch 2, after 1 min 40 s of training" in capsys.readouterr().out
    summary = files.read_json(folder.summary)
    assert 100 <= summary["train_seconds"] < 1000 < summary["seconds"]


def stop_at(training, epoch):
    if training.epoch == epoch:
        training.stop_reason = "somebody asked for it"


def test_signals_that_come_together_are_one():
    signals = Signals()
    with signals.listening():
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.raise_signal(signum)
    assert signals.caught == signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so():
    """`nohup duograd … &` goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = Signals()
        with signals.listening():
            signal.raise_signal(signal.SIGHUP)
        assert signals.caught is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_later_signal_ends_a_step_in_its_middle_and_saves_nothing(whole, tmp_path, monkeypatch):
    config, folder = tiny("epochs=4"), RunFolder(tmp_path / "run")
    undisturbed = whole(config)
    ended_after(2, config, folder)
    before = folder.checkpoint.read_bytes()
    clock = [time.monotonic()]
    monkeypatch.setattr("duograd.runner.signals.time.monotonic", lambda: clock[0])

    def step(engine, *_):
        signal.raise_signal(signal.SIGINT)
        clock[0] += 2 * SAME_S
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(runs.build.NumpyEngine, "step", step)
        assert resume(config, folder) == 128 + signal.SIGINT
    assert folder.checkpoint.read_bytes() == before
    assert resume(config, folder) == 0
    assert same(folder, undisturbed)


def test_whole_and_torn_interruptions():
    assert Interrupted(2).whole
    assert not Interrupted(2, whole=False).whole


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_is_seen_and_the_checkpoint_before_is_taken(seed, whole, tmp_path, capsys):
    config, folder = tiny("epochs=5", "checkpoint.every_seconds=0"), RunFolder(tmp_path / "run")
    undisturbed = whole(config)
    ended_after(3, config, folder)
    content = bytearray(folder.checkpoint.read_bytes())
    place = random.Random(seed).randrange(8 * len(content))
    content[place // 8] ^= 1 << place % 8
    folder.checkpoint.write_bytes(content)
    assert resume(config, folder) == 0
    assert "going on from the checkpoint before it" in " ".join(capsys.readouterr().out.split())
    assert same(folder, undisturbed)
    assert not folder.checkpoint_before.exists()


def test_where_both_checkpoints_are_damaged_it_says_so(tmp_path):
    config, folder = tiny("epochs=5", "checkpoint.every_seconds=0"), RunFolder(tmp_path / "run")
    ended_after(3, config, folder)
    for path in (folder.checkpoint, folder.checkpoint_before):
        path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"checkpoint\.before\.safetensors is not a checkpoint"):
        resume(config, folder)


def test_a_checkpoint_of_another_configuration_is_one_line(tmp_path):
    folder = RunFolder(tmp_path / "run")
    ended_after(1, tiny("epochs=5"), folder)
    with pytest.raises(UserError, match=r"checkpoint\.safetensors does not fit the run's configuration"):
        resume(tiny("epochs=5", "model.hidden_size=6"), folder)


@pytest.mark.parametrize("damage", ["deleted", "empty", "torn", "a gap", "another digit"])
@pytest.mark.parametrize("log", ["metrics.jsonl", "steps.jsonl"])
def test_lines_that_are_missing_are_said(log, damage, tmp_path):
    config, folder = tiny("epochs=4", "batch_size=20"), RunFolder(tmp_path / "run")
    ended_after(8, config, folder)
    path = folder.path / log
    lines = path.read_bytes().splitlines(keepends=True)
    before = folder.summary.read_bytes()
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(
            {
                "empty": b"",
                "torn": b"".join(lines)[:-5],
                "a gap": b"".join(lines[1:]),
                "another digit": b"".join(lines)[:-4] + b"7}\n",
            }[damage]
        )
    said = "(lacks some of the 2 epochs|lacks some of the 8 steps|says something else of the (epoch|step)s)"
    with pytest.raises(UserError, match=rf"{log} {said} that the checkpoint knows"):
        resume(config, folder)
    assert folder.summary.read_bytes() == before
