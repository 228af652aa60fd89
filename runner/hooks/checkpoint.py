"""The best weights, and checkpoints: all that a run needs to go on as if nothing had happened, saved every few seconds.

Arrays: the weights under torch's names, the optimizer's state under `optimizer/`, the best weights under `best/`.
Beside them the loop's and the hooks' state.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from duograd.runner.hooks import Hook
from duograd.runner.hooks.logs import LineLog
from duograd.runner.store import files, lines, tensors
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Floats, Training


class Best(Hook):
    """value: the best so far, at epoch; weights: those that gave it, not those of one update later."""

    name = "best"

    def __init__(self) -> None:
        self.value: float | None = None
        self.at_epoch = 0
        self.weights: Mapping[str, NDArray[Any]] = {}

    def epoch(self, training: Training, record: Floats) -> None:
        monitor = training.plan.monitor
        if not math.isfinite(record[monitor]):
            return  # nothing would ever be better than NaN
        if self.value is None or training.plan.better(record[monitor], self.value):
            self.value, self.at_epoch = record[monitor], training.epoch
            of_training = monitor.startswith("train/") and training.before is not None
            self.weights = training.before if of_training and training.before else training.engine.weights()

    def state(self) -> dict[str, Any]:
        return {"value": self.value, "epoch": self.at_epoch}

    def load(self, state: dict[str, Any]) -> None:
        self.value, self.at_epoch = state["value"], state["epoch"]


class Checkpointing(Hook):
    """Calls save() once `every_seconds` have gone by since the last time: when is free, what is saved is not."""

    name = "checkpointing"

    def __init__(self, every_seconds: float, save: Callable[[], None]) -> None:
        self.every_seconds = every_seconds
        self.save = save
        self.last = time.monotonic()

    def step(self, training: Training) -> None:
        if time.monotonic() - self.last >= self.every_seconds:
            self.save()
            self.last = time.monotonic()

    def epoch(self, training: Training, record: Floats) -> None:
        self.step(training)


def save(folder: RunFolder, training: Training, hooks: Sequence[Hook], seconds: float = 0.0) -> None:
    """Writes checkpoint.safetensors, then best.safetensors, each atomically. The first is enough to go on from.

    The checkpoint before it is kept, in case that this one is damaged. seconds: that the run has gone on.
    """
    best = next(hook for hook in hooks if isinstance(hook, Best))
    loop = training.state()
    arrays = training.engine.state() | {f"best/{name}": w for name, w in best.weights.items()}
    files.sync(folder.metrics)  # what the checkpoint knows must not be lost with the power
    files.sync(folder.steps)
    state = {"loop": loop, "hooks": {hook.name: hook.state() for hook in hooks}}
    tensors.write(folder.checkpoint, arrays, state, before=folder.checkpoint_before)
    save_best(folder, best)
    files.write_json(folder.clock, {"train_seconds": training.train_seconds, "seconds": seconds})


def clock(folder: RunFolder) -> dict[str, float]:
    """The seconds that the run had spent at its last checkpoint: `train_seconds` on steps, `seconds` in all."""
    return lines.finite(files.read_json(folder.clock))


def save_best(folder: RunFolder, best: Best) -> None:
    """Writes best.safetensors, where there is a best yet."""
    if best.weights:
        tensors.write(folder.best, best.weights, best.state())


def restore(folder: RunFolder, training: Training, hooks: Sequence[Hook], warn: Callable[[str], None]) -> bool:
    """Puts everything back as the checkpoint has it; False where there is none yet.

    Of a damaged checkpoint that is said by `warn`, and the one before it is taken. Raises DamagedError where that is
    damaged too, or where the lines lack what the checkpoint knows.
    """
    paths = [path for path in (folder.checkpoint, folder.checkpoint_before) if path.exists()]
    for path in paths:
        try:
            arrays, state = tensors.read(path)
            _put_back(training, hooks, arrays, state)
        except (files.DamagedError, KeyError, TypeError, ValueError, AttributeError) as error:
            fault = error if isinstance(error, files.DamagedError) else _unfit(path, error)
            if path == paths[-1]:
                raise fault from None
            warn(f"{fault}; going on from the checkpoint before it")
        else:
            training.train_seconds = clock(folder).get("train_seconds", 0.0)
            return True
    return False


def _unfit(path: Path, error: Exception) -> files.DamagedError:
    return files.DamagedError(f"{path} does not fit the run's configuration: {type(error).__name__} {error}")


def _put_back(training: Training, hooks: Sequence[Hook], arrays: tensors.Arrays, state: Mapping[str, Any]) -> None:
    for hook in hooks:
        if isinstance(hook, LineLog):
            hook.require(state["loop"], state["hooks"].get(hook.name, {}))
    training.load(state["loop"])
    training.engine.load(arrays)
    for hook in hooks:
        if hook.name in state["hooks"]:  # a hook that came with a later version has nothing to remember
            hook.load(state["hooks"][hook.name])
        if isinstance(hook, Best):
            hook.weights = {name.removeprefix("best/"): w for name, w in arrays.items() if name.startswith("best/")}
