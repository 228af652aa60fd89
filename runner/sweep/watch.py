"""What a job has reached, at the few epochs at which trials are compared."""

from collections.abc import Iterator
from math import ceil, inf, isfinite

from duograd.runner.store import lines
from duograd.runner.store.folders import RunFolder
from duograd.runner.sweep.options import SearchOptions
from duograd.runner.sweep.study import REDUCTION

LOOKS = 20  # at a trial: a report is a write to disk, and an autoencoder can have thousands of epochs


def rungs(options: SearchOptions, epochs: int) -> list[int]:
    """The epochs at which trials are compared, from the end of the warm-up on; none without a pruner."""
    if options.pruner == "none":
        return []
    first = options.warmup(epochs)
    epochs_compared = {first, epochs, *(ceil(epochs * k / LOOKS) for k in range(1, LOOKS))}
    while options.pruner == "asha" and first < epochs:
        epochs_compared.add(first)
        first *= REDUCTION
    return sorted(epoch for epoch in epochs_compared if options.warmup(epochs) <= epoch <= epochs)


class Watch:
    """Reads a job's metrics as they come. monitor: null takes what the run does.

    Values are the best so far at each rung, so that one bad epoch condemns nobody.
    """

    def __init__(self, folder: RunFolder, monitor: str | None, higher_is_better: bool, rungs: list[int]) -> None:
        self._monitor, self._higher_is_better = monitor, higher_is_better
        self._left = list(rungs)
        self._tail = lines.Tail(folder.metrics)
        self._best = -inf if higher_is_better else inf

    def new(self) -> Iterator[tuple[int, float]]:
        """Rungs that were reached since the last call: the epoch, and the best value up to it."""
        for epoch, metrics in lines.epochs(self._tail.new()):
            monitor = self._monitor or ("val/loss" if "val/loss" in metrics else "train/loss")
            value = metrics.get(monitor, self._best)
            self._best = max(self._best, value) if self._higher_is_better else min(self._best, value)
            if self._left and epoch >= self._left[0] and isfinite(self._best):
                yield self._left.pop(0), self._best
