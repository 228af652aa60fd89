"""Which settings did best: runs that differ in their seed alone are one setting, and its value is their mean.

Legend: E epochs, K runs of a setting.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.answer.differences import ABSENT, SEED, Axis, label
from duograd.runner.answer.records import Record

Floats = NDArray[np.float64]
Point = tuple[Any, ...]


@dataclass(frozen=True)
class Measure:
    """A metric, at its best epoch or at the end."""

    metric: str
    at_best: bool

    @property
    def rises(self) -> bool:
        """Whether a larger value is the better one."""
        return self.metric.endswith("accuracy")

    @property
    def name(self) -> str:
        return f"best {self.metric}" if self.at_best else f"final {self.metric}"

    def of(self, record: Record) -> float:
        """The run's value; NaN where it has none."""
        return self.found(record)[0]

    def found(self, record: Record) -> tuple[float, int | None]:
        """The run's value, and the epoch that it belongs to where that is known."""
        if not self.at_best:
            return _float(record.metrics.get(self.metric)), None
        best = record.summary.get("best") or {}
        if best.get("metric") == self.metric and best.get("value") is not None:
            return _float(best["value"]), best.get("epoch")
        return _extreme(record.history.get(self.metric, np.empty(0)), self.rises)


@dataclass(frozen=True, eq=False)
class Setting:
    """Runs (K,) that differ in their seed alone; point: their values along the axes."""

    label: str
    point: Point
    records: tuple[Record, ...]

    @property
    def finished(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.status == "FINISHED")

    def values(self, measure: Measure) -> Floats:
        """What the finished runs reached, past those that have no value."""
        found = [value for record in self.finished if math.isfinite(value := measure.of(record))]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True)
class Standing:
    """A setting's place (None: no run of it finished), its mean and its standard deviation (NaN for a single run).

    epoch: where a single run was best. An unfinished setting keeps the best that it reached, but no place.
    """

    place: int | None
    setting: Setting
    mean: float
    deviation: float
    epoch: int | None


def settings(records: Sequence[Record], along: Sequence[Axis]) -> list[Setting]:
    """The records by their point along the axes; runs of one point stay apart unless their seeds differ."""
    points: dict[Point, list[Record]] = {}
    for record in records:
        values = record.parameters
        points.setdefault(tuple(values.get(axis.key, ABSENT) for axis in along), []).append(record)
    found: list[Setting] = []
    for point, runs in points.items():
        named = label(runs[0].parameters, along) if along else runs[0].name
        seeds = [run.parameters.get(SEED, ABSENT) for run in runs]
        if (len(set(seeds)) == len(runs) and ABSENT not in seeds) or len(runs) == 1:
            found.append(Setting(_without_seed(named, seeds), point, tuple(runs)))
        else:
            found += [Setting(f"{named} ({run.folder.name})", point, (run,)) for run in runs]
    return found


def _without_seed(name: str, seeds: Sequence[Any]) -> str:
    return name.replace(f" seed={seeds[0]}", "") if len(seeds) > 1 else name


def monitored(records: Sequence[Record]) -> str | None:
    """The metric to rank by: the one that the runs watched; where they differ, the commonest that all of them have."""
    wanted = Counter(record.monitor for record in records if record.monitor).most_common()
    with_history = [record.history for record in records if record.history]
    everywhere = [name for name, _ in wanted if name and all(name in history for history in with_history)]
    return next(iter([*everywhere, *(name for name, _ in wanted)]), None)


def standings(found: Sequence[Setting], measure: Measure) -> list[Standing]:
    """Settings from best to worst; then those of which no run finished, the ones that reached something first."""
    done = [_standing(s, measure) for s in found if len(s.values(measure))]
    rest = [_unfinished(s, measure) for s in found if not len(s.values(measure))]
    sign = -1 if measure.rises else 1
    done.sort(key=lambda s: sign * s.mean)
    rest.sort(key=lambda s: (math.isnan(s.mean), s.setting.records[0].status, sign * s.mean if s.mean == s.mean else 0))
    placed = [Standing(place, s.setting, s.mean, s.deviation, s.epoch) for place, s in enumerate(done, 1)]
    return [*placed, *rest]


def best_run(standing: Standing, measure: Measure) -> Record:
    """The best finished run of a setting that has one."""
    sign = -1 if measure.rises else 1
    with_value = [record for record in standing.setting.finished if math.isfinite(measure.of(record))]
    return min(with_value, key=lambda record: sign * measure.of(record))


def spread(values: Floats) -> float:
    """The standard deviation (divisor K - 1); NaN for fewer than two values."""
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _standing(setting: Setting, measure: Measure) -> Standing:
    values = setting.values(measure)
    epoch = measure.found(setting.finished[0])[1] if len(setting.records) == 1 else None
    return Standing(None, setting, float(values.mean()), spread(values), epoch)


def _unfinished(setting: Setting, measure: Measure) -> Standing:
    value, epoch = measure.found(setting.records[0])
    return Standing(None, setting, value, math.nan, epoch)


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _extreme(values: Floats, rises: bool) -> tuple[float, int | None]:
    """The best of values (E,), and its epoch counted from 1."""
    if not np.isfinite(values).any():
        return math.nan, None
    at = int(np.nanargmax(values) if rises else np.nanargmin(values))
    return float(values[at]), at + 1
