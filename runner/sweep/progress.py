"""How far jobs are, read from their folders while they go on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, inf, isfinite
from typing import Any

from duograd.runner.store.folders import RunFolder
from duograd.runner.store.lines import Tail, epochs
from duograd.runner.sweep.options import REDUCTION, SearchOptions

LOOKS = 20  # at a trial: a report is a write to disk, and an autoencoder can have thousands of epochs


@dataclass
class Progress:
    """A job that is out. epochs: that it is to train; began: by the clock of this process; first: where it began."""

    folder: RunFolder
    epochs: int
    began: float = field(default_factory=time.monotonic)
    first: int = 0
    line: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tail = Tail(self.folder.metrics)
        self.look()
        self.first = self.epoch
        self._saved = self._saving()

    @property
    def gained(self) -> bool:
        """Whether the job has saved anything since it is out: it would go on from there."""
        return self._saving() != self._saved

    def _saving(self) -> tuple[int, int] | None:
        path = self.folder.checkpoint
        return (path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else None

    @property
    def epoch(self) -> int:
        return int(self.line.get("epoch", 0))

    @property
    def share(self) -> float:
        """What is done of it, 0 to 1."""
        return min(1.0, self.epoch / self.epochs)

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first epoch."""
        done = self.epoch - self.first
        return (time.monotonic() - self.began) / done * (self.epochs - self.epoch) if done > 0 else None

    def look(self) -> None:
        """Reads what is new in metrics.jsonl."""
        self.line = [self.line, *self._tail.new()][-1]


def rungs(options: SearchOptions, longest: int) -> list[int]:
    """The epochs at which trials are compared, from the end of the warm-up on; none without a pruner.

    longest: the epochs of the longest trial.
    """
    if options.pruner == "none":
        return []
    first = options.warmup(longest)
    epochs_compared = {first, longest, *(ceil(longest * k / LOOKS) for k in range(1, LOOKS))}
    while options.pruner == "asha" and first < longest:
        epochs_compared.add(first)
        first *= REDUCTION
    return sorted(epoch for epoch in epochs_compared if options.warmup(longest) <= epoch <= longest)


class BestAtRungs:
    """Reads a job's metrics as they come. monitor: null takes what the run does.

    Values are the best so far at each rung, so that one bad epoch condemns nobody.
    """

    def __init__(self, folder: RunFolder, monitor: str | None, higher_is_better: bool, rungs: list[int]) -> None:
        self._monitor, self._higher_is_better = monitor, higher_is_better
        self._left = list(rungs)
        self._tail = Tail(folder.metrics)
        self._best = -inf if higher_is_better else inf

    def new(self) -> Iterator[tuple[int, float]]:
        """Rungs that were reached since the last call: the epoch, and the best value up to it."""
        for epoch, metrics in epochs(self._tail.new()):
            monitor = self._monitor or ("val/loss" if "val/loss" in metrics else "train/loss")
            value = metrics.get(monitor, self._best)
            self._best = max(self._best, value) if self._higher_is_better else min(self._best, value)
            if self._left and epoch >= self._left[0] and isfinite(self._best):
                yield self._left.pop(0), self._best
