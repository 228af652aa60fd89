"""steps.jsonl: every step's loss once, whatever interrupts the run."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders import tiny

from duograd.runner import build, loop
from duograd.runner.hooks import Hook, checkpoint
from duograd.runner.hooks.checkpoint import Best
from duograd.runner.hooks.logs import StepsLog
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Diverged, Floats, Training

MINI = ("batch_size=7", "optimizer=adam", "epochs=3")  # 60 samples: 9 steps an epoch


class Interruption(Hook):
    """Saves after one step and dies after a later one, as a kill would have it."""

    name = "interruption"

    def __init__(self, saved_at: int, dies_at: int) -> None:
        self.saved_at, self.dies_at = saved_at, dies_at
        self.hooks: list[Hook] = []
        self.folder: RunFolder | None = None

    def step(self, training: Training) -> None:
        if training.step == self.saved_at and self.folder:
            checkpoint.save(self.folder, training, self.hooks)
        if training.step == self.dies_at:
            raise KeyboardInterrupt

    def epoch(self, training: Training, record: Floats) -> None:
        self.step(training)


def start(*overrides: str) -> Training:
    config = tiny(*overrides)
    data = build.data_set(config)
    return Training(build.engine(config, data), data, build.plan(config, data))


def trained(folder: RunFolder, interruption: Interruption, *overrides: str) -> Training:
    """Goes on from what the folder holds until the end or the interruption."""
    folder.path.mkdir(exist_ok=True)
    training, hooks = start(*overrides), [StepsLog(folder.steps), Best(), interruption]
    interruption.hooks, interruption.folder = hooks, folder
    checkpoint.restore(folder, training, hooks, warn=print)
    loop.fit(training, hooks)
    return training


NEVER = Interruption(0, 0)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_it_holds_the_loss_of_every_step(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training, seen = start(f"backend={backend}", *MINI), []
    step = training.engine.step
    monkeypatch.setattr(training.engine, "step", lambda batch, lr: seen.append(step(batch, lr)) or seen[-1])
    folder = RunFolder(tmp_path)
    loop.fit(training, [StepsLog(folder.steps)])
    assert folder.step_losses() == [(k, float(terms["loss"])) for k, terms in enumerate(seen, start=1)]
    assert len(seen) == 27
    assert json.loads(folder.steps.read_text().splitlines()[11]) == {"step": 12, "train/loss": float(seen[11]["loss"])}


@pytest.mark.parametrize(("saved_at", "lost"), [(1, 0), (4, 1), (7, 4), (8, 1), (9, 0), (9, 3), (10, 9), (22, 4)])
def test_killed_and_resumed_is_as_if_never_killed(
    saved_at: int, lost: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints between, at and beside the moments when losses are read, and steps after them that were lost."""
    monkeypatch.setattr(loop, "PENDING", 4)
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    trained(whole, NEVER, *MINI)
    with pytest.raises(KeyboardInterrupt):
        trained(killed, Interruption(saved_at, saved_at + lost), *MINI)
    assert len(killed.step_losses()) >= saved_at, "the checkpoint knows a step that the file lacks"
    trained(killed, NEVER, *MINI)
    assert whole.steps.read_bytes() == killed.steps.read_bytes()


def test_a_run_killed_before_its_first_checkpoint_begins_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trained(folder, Interruption(0, 13), *MINI)
    assert len(folder.step_losses()) == 9
    trained(folder, NEVER, *MINI)
    assert [step for step, _ in folder.step_losses()] == list(range(1, 28))


def test_a_torn_line_is_dropped_and_not_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.steps.write_text('{"step": 1, "train/loss": 3.0}\n{"step": 2, "train/loss": 2.0}\n{"step": 3, "tr')
    assert folder.step_losses() == [(1, 3.0), (2, 2.0)]
    training = start(*MINI)
    training.step = 3
    StepsLog(folder.steps).start(training)
    assert folder.steps.read_text().count("\n") == len(folder.steps.read_text().splitlines()) == 2


def test_a_checkpoint_after_the_end_still_tells_its_steps(tmp_path: Path) -> None:
    """Ctrl-C: the loop gives its hooks' files back first, and the run is saved then."""
    folder, log = RunFolder(tmp_path), StepsLog(tmp_path / "steps.jsonl")
    training = start(*MINI)
    with pytest.raises(KeyboardInterrupt):
        loop.fit(training, [log, Interruption(0, 13)])
    checkpoint.save(folder, training, [log, Best()])
    assert [step for step, _ in folder.step_losses()] == list(range(1, 14))


def test_a_run_that_diverges_keeps_the_steps_before(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with np.errstate(all="ignore"), pytest.raises(Diverged):
        trained(folder, NEVER, "dtype=float32", "optimizer.lr=1e30", "loss.lambda=1", "batch_size=7")
    losses = [loss for _, loss in folder.step_losses()]
    assert losses
    assert np.isfinite(losses).all()


def test_full_batches_leave_no_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    trained(folder, NEVER)
    assert not folder.steps.exists()
    assert folder.step_losses() == []


def test_a_run_writes_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert run(tiny(*MINI, "epochs=2", "task.figures=[step_curve]"), folder, []) == 0
    assert len(folder.step_losses()) == 18
    assert (folder.figures / "step_curve.png").exists()
