"""How far jobs are, read from their folders while they go on."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, inf, isfinite
from typing import Any

from duograd.runner.pace import Pace
from duograd.runner.registry import higher_is_better
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.lines import Tail, epochs
from duograd.runner.sweep.options import REDUCTION, SearchOptions

LOOKS = 20  # at a trial: a report is a write to disk, and an autoencoder can have thousands of epochs


class Progress:
    """A job that is out. epochs: that it is to train; watched: metrics, of which the first that it has counts."""

    def __init__(
        self, folder: RunFolder, epochs: int, watched: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder, self.epochs = folder, epochs
        self.line: dict[str, Any] = {}
        self.best: tuple[str, float] | None = None
        self._watched, self._clock = watched, clock
        self._tail = Tail(folder.metrics)
        self._read()
        self.pace = Pace(clock(), self.epoch)  # what it had done before takes no time now
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
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first epoch."""
        return (self.epochs - self.epoch) / rate if (rate := self.pace.rate) else None

    def look(self) -> None:
        """Reads what is new in metrics.jsonl."""
        self._read()
        self.pace.mark(self._clock(), self.epoch)

    def _read(self) -> None:
        for line in self._tail.new():
            self.line = line
            self._compare(line)

    def _compare(self, line: Mapping[str, Any]) -> None:
        metric = next((name for name in self._watched if isinstance(line.get(name), int | float)), None)
        if metric is not None and isfinite(line[metric]):
            best = max if higher_is_better(metric) else min
            before = self.best[1] if self.best and self.best[0] == metric else line[metric]
            self.best = metric, best(before, line[metric])


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
