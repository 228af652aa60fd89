"""Which jobs of a sweep train as one (`hydra.launcher.stack`): those that differ in numbers alone."""

import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from duograd.models.optimizer import FirstOrderConfig
from duograd.runner.config import RunConfig, TorchBackend, dump
from duograd.runner.display import counted
from duograd.runner.errors import UserError
from duograd.runner.registry import FAMILIES, LOSSES, OPTIMIZERS
from duograd.runner.store.overrides import dotted
from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.plan import Job

Pair = tuple[JobRecord, Job]
# What each of them may have of its own; below a name that ends in a dot, anything.
OWN = (
    *("seed", "epochs", "monitor", "evaluate_test_each_epoch", "check_gradient", "data.seed", "data.fold"),
    *("optimizer.lr", "optimizer.weight_decay", "schedule.", "early_stopping.", "checkpoint.", "tracking."),
)
OWN_BUT_NOT_ABSENT = ("loss.lambda", "loss.beta", "loss.rho", "optimizer.clip_value", "optimizer.clip_norm")  # 0, null

OTHERWISE = "no other job differs from it in numbers alone"


class Stacks(NamedTuple):
    """together: jobs that train as one, in the order in which they are to begin. reasons: of those that do not."""

    together: list[list[Pair]]
    reasons: Mapping[str, int]

    def describe(self) -> str:
        """`16 jobs train in 2 stacks; 3 alone: optimizer=lbfgs …`."""
        sizes = [len(jobs) for jobs in self.together if len(jobs) > 1]
        alone = len(self.together) - len(sizes)
        line = f"{sum(sizes)} jobs train in {counted(len(sizes), 'stack')}" if sizes else "no jobs train as one"
        why = [*self.reasons, *([OTHERWISE] if alone > sum(self.reasons.values()) else [])]
        return f"{line}; {alone} alone: {'; '.join(why)}" if alone else line


def stacks(jobs: Sequence[Pair], size: int, workers: int) -> Stacks:
    """The jobs in stacks of at most `size`: rather in two for two workers than in one."""
    if size == 1:
        return Stacks([[pair] for pair in jobs], {})
    groups: dict[str, list[Pair]] = {}
    reasons: dict[str, int] = {}
    for number, pair in enumerate(jobs):
        reason = alone_because(pair[1].config)
        if reason:
            reasons[reason] = reasons.get(reason, 0) + 1
        groups.setdefault(f"alone {number}" if reason else shape_of(pair[1].config), []).append(pair)
    return Stacks([part for group in groups.values() for part in _parts(group, size, workers)], reasons)


def _parts(group: list[Pair], size: int, workers: int) -> list[list[Pair]]:
    """A group in nearly equal parts; none of one job, unless there is no more."""
    count = max(ceil(len(group) / size), min(workers, len(group) // 2))
    return [group[len(group) * i // count : len(group) * (i + 1) // count] for i in range(count)]


def alone_because(config: RunConfig) -> str | None:
    """Why a job cannot be trained as one with others; None where it can."""
    optimizer, model, loss = config.optimizer, config.model, config.loss
    if not isinstance(config.backend, TorchBackend):
        return "backend=numpy has one network at a time"
    if config.backend.compile:
        return "backend.compile=true has one network at a time"
    if not isinstance(optimizer, FirstOrderConfig):
        return f"optimizer={optimizer.name} solves for one network at a time"
    for part, chosen, choice in (
        ("model", model, FAMILIES.of(model)),
        ("loss", loss, LOSSES.of(loss)),
        ("optimizer", optimizer, OPTIMIZERS.of(optimizer)),
    ):
        if not choice.stacks:
            return f"{part}={chosen.name} is not declared as one that stacks"
    return model.fault_in_stack(config.device)


def shape_of(config: RunConfig) -> str:
    """Equal for jobs that can be trained as one: all of a configuration but the numbers that may differ."""
    tree = dict(dotted(dump(config)))
    shape: dict[str, Any] = {key: value for key, value in tree.items() if not _may_differ(key)}
    return json.dumps(shape | {key: bool(tree.get(key)) for key in OWN_BUT_NOT_ABSENT}, sort_keys=True, default=str)


def _may_differ(key: str) -> bool:
    return key in (*OWN, *OWN_BUT_NOT_ABSENT) or any(own.endswith(".") and key.startswith(own) for own in OWN)


def refuse_by_hand(configs: Sequence[RunConfig], size: int) -> None:
    """Raises UserError where stacks were asked for, and every job is by hand."""
    if size > 1 and not any(isinstance(config.backend, TorchBackend) for config in configs):
        raise UserError(f"hydra.launcher.stack={size} trains torch's networks as one: add backend=torch")
