"""Which runs did best: those that differ in their seed alone are one group, and its value is their mean.

Legend: E epochs, K runs of a group.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.registry import higher_is_better
from duograd.runner.report.parameters import ABSENT, SEED, Axis, label
from duograd.runner.report.records import Record

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A metric at its best epoch, or after the last update, or (`at best`) at the best epoch of the leading one."""

    metric: str
    when: Literal["best", "final", "at best"] = "best"
    leading: "Measure | None" = None

    @property
    def rises(self) -> bool:
        """Whether a larger value is the better one."""
        return higher_is_better(self.metric)

    @property
    def sign(self) -> int:
        """Which turns values into such that the least is best."""
        return -1 if self.rises else 1

    @property
    def name(self) -> str:
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
    """Runs (K,) that differ in their seed alone; point: their values along the axes, by key."""

    label: str
    point: Mapping[str, Any]
    records: tuple[Record, ...]

    @property
    def finished(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.status == "FINISHED")

    def values_of(self, key: str) -> list[Any]:
        """The different values of a parameter: one, but for what goes along with the seed."""
        return list(dict.fromkeys(record.parameters[key] for record in self.records if key in record.parameters))

    def values(self, measure: Measure) -> Floats:
        """What the finished runs reached, to the six digits that float32 has, past those that have no value."""
        values = [f"{value:.6g}" for record in self.finished if math.isfinite(value := measure.of(record))]
        return np.array(values, dtype=np.float64)


@dataclass(frozen=True)
class Rank:
    """A group's place (None: no run of it finished), its mean and its standard deviation (NaN for a single run).

    epoch: where a single run was best. An unfinished group keeps the best that it reached, but no place.
    """

    place: int | None
    group: Group
    mean: float
    deviation: float
    epoch: int | None


def group_runs(records: Sequence[Record], axes: Sequence[Axis]) -> list[Group]:
    """The records by their point along the axes; runs of one point stay apart unless their seeds differ."""
    points: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        points.setdefault(tuple(record.parameters.get(axis.key, ABSENT) for axis in axes), []).append(record)
    groups: list[Group] = []
    for values, runs in points.items():
        point = dict(zip((axis.key for axis in axes), values, strict=True))
        name = label(point, axes) if axes else runs[0].name
        seeds = [run.parameters.get(SEED, ABSENT) for run in runs]
        if len(runs) == 1:
            groups.append(Group(name, point, tuple(runs)))
        elif len(set(seeds)) == len(runs) and ABSENT not in seeds:
            groups.append(Group(name if axes else runs[0].kind, point, tuple(runs)))
        else:
            groups += [Group(f"{name} ({run.folder.name})", point, (run,)) for run in runs]
    return groups


def rank_groups(groups: Sequence[Group], measure: Measure) -> list[Rank]:
    """Groups from best to worst, equal ones in one place; then those of which no run finished, without a place.

    Of these the ones that reached something come first, pruned ones last.
    """
    means = {group: measure.sign * group.values(measure).mean() for group in groups if len(group.values(measure))}
    order = sorted(means.values())
    done = [_rank(1 + order.index(means[group]), group, measure) for group in sorted(means, key=lambda g: means[g])]
    rest = [_rank(None, group, measure) for group in groups if group not in means]
    return done + sorted(rest, key=lambda rank: _lateness(rank, measure))


def _rank(place: int | None, group: Group, measure: Measure) -> Rank:
    value, epoch = measure.value_and_epoch(group.records[0])
    values = group.values(measure)
    mean = value if place is None else float(values.mean())
    return Rank(place, group, mean, spread(values), epoch if place is None or len(group.records) == 1 else None)


def _lateness(rank: Rank, measure: Measure) -> tuple[bool, bool, str, float]:
    status = rank.group.records[0].status
    return status == "PRUNED", math.isnan(rank.mean), status, measure.sign * rank.mean


def best_run(group: Group, measure: Measure) -> Record:
    """The best finished run of a group that has one."""
    with_value = [record for record in group.finished if math.isfinite(measure.of(record))]
    return min(with_value, key=lambda record: measure.sign * measure.of(record))


def spread(values: Floats) -> float:
    """The standard deviation (divisor K - 1); NaN for fewer than two values."""
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
