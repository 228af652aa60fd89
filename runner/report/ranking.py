"""Which runs did best: those that differ in seed or fold alone are one group, and its value is their mean.

Legend: E epochs, K runs of a group.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.registry import higher_is_better, term_of
from duograd.runner.report.parameters import ABSENT, REPLICATES, SEED, Axis, label
from duograd.runner.report.records import Record
from duograd.runner.report.statistics import Estimate, Interval, estimate

Floats = NDArray[np.float64]
Replicate = tuple[Any, ...]
"""The seed and the fold of a run."""


@dataclass(frozen=True)
class Measure:
    """A metric at its best epoch, or after the last update, or (`at best`) at the best epoch of the leading one."""

    metric: str
    when: Literal["best", "final", "at best"] = "best"
    leading: "Measure | None" = None
    rising: bool | None = None

    @property
    def rises(self) -> bool:
        """Whether a larger value is the better one: as was said, else as its name says."""
        return higher_is_better(self.metric) if self.rising is None else self.rising

    @property
    def sign(self) -> int:
        """Which turns values into such that the least is best."""
        return -1 if self.rises else 1

    @property
    def name(self) -> str:
        if self.when == "best" and term_of(self.metric) != self.metric.rpartition("/")[2]:
            return self.metric  # such as best_val_loss
        return f"{self.metric} {self.when}" if self.leading else f"{self.when} {self.metric}"

    def of(self, record: Record) -> float:
        """The run's value; NaN where it has none."""
        return self.value_and_epoch(record)[0]

    def value_and_epoch(self, record: Record) -> tuple[float, int | None]:
        """The run's value, and the epoch that it belongs to where that is known."""
        if self.when == "final":
            return _float(record.metrics.get(self.metric)), None
        values = record.history.get(self.metric, np.empty(0))
        if self.leading:
            epoch = self.leading.value_and_epoch(record)[1] or 0
            return (float(values[epoch - 1]), epoch) if 1 <= epoch <= len(values) else (math.nan, None)
        best = record.summary.get("best") or {}
        if best.get("metric") == self.metric and best.get("value") is not None:
            return _float(best["value"]), best.get("epoch")
        if not np.isfinite(values).any():
            return math.nan, None
        at = int(np.nanargmin(self.sign * values))
        return float(values[at]), at + 1


@dataclass(frozen=True, eq=False)
class Group:
    """Runs (K,) that differ in seed or fold alone; point: their values along the axes, by key."""

    label: str
    point: Mapping[str, Any]
    records: tuple[Record, ...]

    @property
    def finished(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.status == "FINISHED")

    def values_of(self, key: str) -> list[Any]:
        """The different values of a parameter: one, but for what goes along with seed and fold."""
        return list(dict.fromkeys(record.parameters[key] for record in self.records if key in record.parameters))

    def values(self, measure: Measure) -> Floats:
        """What the finished runs reached, past those that have no value."""
        return np.array(list(self.by_replicate(measure).values()), dtype=np.float64)

    def by_replicate(self, measure: Measure) -> dict[Replicate, float]:
        """The same by seed and fold, to the six digits that float32 has."""
        reached = {replicate(record): measure.of(record) for record in self.finished}
        return {key: float(f"{value:.6g}") for key, value in reached.items() if math.isfinite(value)}


@dataclass(frozen=True)
class Rank:
    """A group's place (None: no run of it finished) and what its runs reached.

    epoch: where a single run was best. An unfinished group keeps the best that it reached, but no place.
    """

    place: int | None
    group: Group
    estimate: Estimate
    epoch: int | None

    @property
    def mean(self) -> float:
        return self.estimate.mean

    @property
    def deviation(self) -> float:
        return self.estimate.deviation


def group_runs(records: Sequence[Record], axes: Sequence[Axis]) -> list[Group]:
    """The records by their point along the axes; runs of one point stay apart unless their seeds or folds differ."""
    points: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        points.setdefault(tuple(record.parameters.get(axis.key, ABSENT) for axis in axes), []).append(record)
    groups: list[Group] = []
    for values, runs in points.items():
        point = dict(zip((axis.key for axis in axes), values, strict=True))
        name = label(point, axes) if axes else runs[0].title
        if len(runs) == 1:
            groups.append(Group(name, point, tuple(runs)))
        elif len(set(map(replicate, runs))) == len(runs) and all(SEED in run.parameters for run in runs):
            groups.append(Group(name if axes else runs[0].kind, point, tuple(runs)))
        else:
            groups += [Group(f"{name} ({run.folder.name})", point, (run,)) for run in runs]
    return groups


def replicate(record: Record) -> Replicate:
    """What tells a run from the others of its group."""
    return tuple(record.parameters.get(key, ABSENT) for key in REPLICATES)


def rank_groups(groups: Sequence[Group], measure: Measure, interval: Interval = "t") -> list[Rank]:
    """Groups from best to worst, equal ones in one place; then those of which no run finished, without a place.

    Of these the ones that reached something come first, pruned ones last.
    """
    means = {group: measure.sign * group.values(measure).mean() for group in groups if len(group.values(measure))}
    order = sorted(means.values())
    by_mean = sorted(means, key=lambda group: means[group])
    done = [
        Rank(1 + order.index(means[group]), group, estimate(group.values(measure), interval), _epoch(group, measure))
        for group in by_mean
    ]
    rest = [_unfinished(group, measure) for group in groups if group not in means]
    return done + sorted(rest, key=lambda rank: _lateness(rank, measure))


def _epoch(group: Group, measure: Measure) -> int | None:
    return measure.value_and_epoch(group.records[0])[1] if len(group.records) == 1 else None


def _unfinished(group: Group, measure: Measure) -> Rank:
    value, epoch = measure.value_and_epoch(group.records[0])
    return Rank(None, group, replace(estimate(()), mean=value), epoch)


def _lateness(rank: Rank, measure: Measure) -> tuple[bool, bool, str, float]:
    status = rank.group.records[0].status
    return status == "PRUNED", math.isnan(rank.mean), status, measure.sign * rank.mean


def best_run(group: Group, measure: Measure) -> Record:
    """The best finished run of a group that has one."""
    with_value = [record for record in group.finished if math.isfinite(measure.of(record))]
    return min(with_value, key=lambda record: measure.sign * measure.of(record))


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
