"""The one training loop: every task, both backends.

It owns epochs, order and schedule, and calls hooks; it knows nothing of networks, files, displays or tracking.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

from duograd.data.dataset import Split
from duograd.runner.engines import Grads, Terms
from duograd.runner.hooks import Hook
from duograd.runner.training import Floats, Training, add, batches, check, read, sample_order

PENDING = 50  # steps whose terms may wait to be read, so that an accelerator is not stopped at each


def fit(training: Training, hooks: Sequence[Hook]) -> None:
    """Trains until the plan's last epoch, or until a hook sets a reason to stop.

    Raises Diverged where a loss is not finite.
    """
    for hook in hooks:
        hook.start(training)
    try:
        if training.plan.solver:
            _solve(training, hooks)
        while not training.ended:
            _finish_epoch(training, hooks, _full_epoch(training) if training.full_batch else _epoch(training, hooks))
    finally:
        for hook in hooks:
            hook.end()


def evaluate(training: Training, split: Split) -> Floats:
    """Terms over a split without a gradient, as the sample-weighted mean of its batches."""
    sums: Floats = {}
    for batch in batches(split, training.plan.eval_batch_size):
        add(sums, read(training.engine.evaluate(batch)), len(batch))
    return training.plan.finish({name: total / len(split) for name, total in sums.items()})


def evaluate_all(training: Training, before: Callable[[str], None] = lambda split: None) -> Floats:
    """Everything once more, after the last update; the test split for the first time. before: called for each split.

    Raises Diverged where the last update left a loss that is not finite: no step follows it that would tell.
    """
    metrics: Floats = {}
    for name, split in training.data.splits.items():
        before(name)
        terms = evaluate(training, split)
        check(terms, training.step, f"{name} ")
        metrics |= _named(name, terms)
    return metrics


def _full_epoch(training: Training) -> Floats:
    """One step on all samples at once; its terms are those before the update."""
    batch = training.training_batch()
    training.before = training.engine.weights()
    terms = training.timed(lambda: read(training.engine.step(batch, training.lr())))
    training.step += 1
    check(terms, training.step)
    return terms


def _epoch(training: Training, hooks: Sequence[Hook]) -> Floats:
    """An epoch of mini-batches, or the rest of one; its terms are the sample-weighted mean over its steps."""
    size = training.plan.batch_size
    assert size is not None
    train = training.data.train
    order = sample_order(training.plan.seed, training.epoch, len(train))
    for start in range(training.in_epoch * size, len(train), size):
        batch = training.training_batch(order[start : start + size])
        terms = training.timed(partial(training.engine.step, batch, training.lr()))
        training.step += 1
        training.in_epoch += 1
        training.pending.append((training.step, len(batch), terms))
        last = start + size >= len(train)
        if len(training.pending) == PENDING or last:
            training.timed(training.settle)
        if not last:
            for hook in hooks:
                hook.step(training)
    means = {name: total / len(train) for name, total in training.sums.items()}
    training.in_epoch, training.sums = 0, {}
    return means


def _solve(training: Training, hooks: Sequence[Hook]) -> None:
    """Lets the engine's L-BFGS iterate; each of its iterations is an epoch."""
    [batch] = batches(training.data.train, None)
    began = time.perf_counter()

    def after(terms: Terms, before: Grads) -> None:
        nonlocal began
        training.train_seconds += time.perf_counter() - began
        floats = read(terms)
        training.step += 1
        check(floats, training.step)
        training.before = before
        _finish_epoch(training, hooks, floats)
        if training.ended:
            raise StopIteration
        began = time.perf_counter()

    reason = training.engine.minimize(batch, training.plan.epochs, after)
    if not training.ended:
        training.stop_reason = reason


def _finish_epoch(training: Training, hooks: Sequence[Hook], terms: Floats) -> None:
    lr = {} if training.plan.solver else {"lr": training.plan.lr(training.step - 1, training.epoch)}
    training.epoch += 1
    record: Floats = {"epoch": training.epoch, **lr, **_named("train", training.plan.finish(terms))}
    for name, split in training.watched.items():
        training.evaluating = name
        record |= _named(name, evaluate(training, split))
    training.evaluating = None
    for hook in hooks:
        hook.epoch(training, record)


def _named(split: str, terms: Floats) -> Floats:
    return {f"{split}/{name}": value for name, value in terms.items()}
