"""A training in progress: the engine, and all that is neither the network's nor the optimizer's."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Batch, DataSet, Split
from duograd.runner.engines import Engine, Terms

T = TypeVar("T")
AUGMENT = 2  # sets augmentation's random numbers apart from those of the samples' order, which have the same seed
Floats = dict[str, float]
Losses = list[tuple[int, float]]
"""Steps, counted from 1, and their losses."""


@dataclass(frozen=True)
class Plan:
    """What to do: how many epochs, in which batches and order, at which rate, and which metric to watch.

    lr(step, epoch): the learning rate of the step that follows `step` steps and `epoch` epochs.
    rising: more of the monitored metric is better. finish: what a loss makes of its terms' means over samples.
    """

    epochs: int
    batch_size: int | None
    seed: int
    lr: Callable[[int, int], float]
    monitor: str
    rising: bool = False
    finish: Callable[[Floats], Floats] = lambda means: means
    solver: bool = False
    eval_batch_size: int | None = None
    watch_test: bool = False

    def better(self, value: float, reference: float) -> bool:
        """Whether a value of the monitored metric beats another."""
        return value > reference if self.rising else value < reference


class Diverged(Exception):
    """A loss that is no longer finite: training cannot go on from it."""


class Interrupted(Exception):
    """A signal asked the run to end; everything up to the last step is intact, unless it could not wait (not whole)."""

    def __init__(self, signum: int, whole: bool = True) -> None:
        super().__init__(signum)
        self.signum, self.whole = signum, whole


@dataclass
class Training:
    """The loop's own state. Order and randomness are functions of seed, epoch and step: there is no more to keep.

    epoch, step: completed so far. in_epoch: steps done of the epoch under way, with their weighted `sums`.
    pending: (step, samples, terms) of steps whose terms have not been read yet, so that no accelerator waits at each.
    on_losses: told the loss of each step of a mini-batch epoch, a few steps at a time, once they have been read.
    before: the weights that the last record's train/… belong to, where these are known (full batch).
    evaluating: the split that is evaluated now.
    """

    engine: Engine
    data: DataSet
    plan: Plan
    epoch: int = 0
    step: int = 0
    in_epoch: int = 0
    sums: Floats = field(default_factory=dict)
    pending: list[tuple[int, int, Terms]] = field(default_factory=list)
    on_losses: Callable[[Losses], None] | None = None
    train_seconds: float = 0.0
    stop_reason: str | None = None
    before: Mapping[str, NDArray[Any]] | None = None
    evaluating: str | None = None

    @property
    def full_batch(self) -> bool:
        return self.plan.batch_size is None

    @property
    def ended(self) -> bool:
        return self.stop_reason is not None or self.epoch >= self.plan.epochs

    @property
    def watched(self) -> dict[str, Split]:
        """The splits that every epoch is evaluated on; the test split is one only where the plan says so."""
        allowed = ("val", "test") if self.plan.watch_test else ("val",)
        return {name: split for name, split in self.data.splits.items() if name in allowed}

    @cached_property
    def whole(self) -> Batch:
        """The training split as one batch: always the same object, so that it travels to a device once."""
        return self.data.train.batch()

    def training_batch(self, index: NDArray[np.intp] | None = None) -> Batch:
        """The samples at `index` (None: all of them) for the next step, augmented where asked."""
        if index is None and self.data.train.augment is None:
            return self.whole
        key = [self.plan.seed, AUGMENT, self.step]
        return self.data.train.training_batch(slice(None) if index is None else index, key)

    def lr(self) -> float:
        return self.plan.lr(self.step, self.epoch)

    def timed(self, work: Callable[[], T]) -> T:
        """work(), its seconds added to those of the optimizer's steps."""
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.train_seconds += time.perf_counter() - start

    def settle(self) -> None:
        """Reads the terms that wait, adds them up, and tells their losses. Raises Diverged, naming the step."""
        losses: Losses = []
        try:
            for step, samples, lazy in self.pending:
                terms = read(lazy)
                check(terms, step)
                add(self.sums, terms, samples)
                losses.append((step, terms["loss"]))
        finally:  # the steps before a divergence are the ones to look at
            self.pending.clear()
            if self.on_losses and losses:
                self.on_losses(losses)

    def state(self) -> dict[str, Any]:
        """What the next step depends on, as plain data."""
        self.settle()
        state = {"epoch": self.epoch, "step": self.step, "in_epoch": self.in_epoch, "sums": self.sums}
        return state | ({"stop_reason": self.stop_reason} if self.stop_reason else {})

    def load(self, state: Mapping[str, Any]) -> None:
        self.epoch, self.step, self.in_epoch = state["epoch"], state["step"], state["in_epoch"]
        self.sums, self.stop_reason = dict(state["sums"]), state.get("stop_reason")


def sample_order(seed: int, epoch: int, samples: int) -> NDArray[np.intp]:
    """The order of samples in an epoch (counted from 0): a function of seed and epoch, with nothing to save."""
    return np.random.default_rng([seed, epoch]).permutation(samples)


def batches(split: Split, size: int | None) -> Iterator[Batch]:
    """A split in order, cut into batches of a size, one at a time: of images, only one is floats. None: it is whole."""
    if size is None:
        yield split.batch()
        return
    for start in range(0, len(split), size):
        yield split.batch(slice(start, start + size))


def read(terms: Terms) -> Floats:
    """The terms as Python floats; an accelerator is waited for here."""
    return {name: float(value) for name, value in terms.items()}


def add(sums: Floats, terms: Floats, samples: int) -> None:
    """Adds terms to sums, weighted by their number of samples."""
    for name, value in terms.items():
        sums[name] = sums.get(name, 0.0) + value * samples


def check(terms: Floats, step: int, split: str = "") -> None:
    """Raises Diverged where the loss is not finite. split: `val ` where it is not that of the step's own samples."""
    if not math.isfinite(terms["loss"]):
        parts = ", ".join(f"{name} {value:.4g}" for name, value in terms.items() if name != "loss")
        which = f" ({parts})" if parts else ""
        raise Diverged(
            f"the {split}loss became {terms['loss']} at step {step}{which}: lower optimizer.lr or clip the gradient"
        )
