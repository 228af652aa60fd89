"""What is searched, in Hydra's own words: `choice(adam,sgd)`, `int(interval(10,200))`, `tag(log,interval(1e-4,1))`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.sweep.points import refuse_standing, some_values

DIGITS = 4  # of a value from an interval: enough to tell trials apart, few enough to be typed again
LOG = "log"


@dataclass(frozen=True)
class Choices:
    """Values without an order, as they are typed."""

    key: str
    values: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, ...]:
        """The values that must all be allowed."""
        return self.values

    def text(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Numbers:
    """Numbers from low to high, both included; in steps from low on where there is a step."""

    key: str
    low: float
    high: float
    integer: bool
    log: bool = False
    step: float | None = None

    @property
    def ends(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.text(self.low), self.text(self.high))))

    def text(self, value: Any) -> str:
        """The value as it goes into a command: an integer whole, others with few digits and never as an integer."""
        if self.integer:
            return str(int(value))
        short = f"{value:.{DIGITS}g}"
        if not self.low <= float(short) <= self.high:
            short = repr(float(value))
        return short if {".", "e"} & set(short) else f"{short}.0"


Axis = Choices | Numbers


@dataclass(frozen=True)
class Space:
    """axes: what is searched, at least one; fixed: the overrides that all trials share; typed: the axes as given."""

    axes: tuple[Axis, ...]
    fixed: tuple[str, ...]
    typed: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        return [axis.key for axis in self.axes]

    def overrides(self, values: dict[str, Any]) -> list[str]:
        """The values of a trial, by key, as they are typed."""
        return [f"{axis.key}={axis.text(values[axis.key])}" for axis in self.axes]

    def probes(self) -> list[list[str]]:
        """Overrides that find what no trial could run with: each end of each axis, with the first of all others."""
        first = [axis.ends[0] for axis in self.axes]
        points = [first]
        for k, axis in enumerate(self.axes):
            points += [[*first[:k], end, *first[k + 1 :]] for end in axis.ends[1:]]
        points.append([axis.ends[-1] for axis in self.axes])
        return [[f"{key}={value}" for key, value in zip(self.keys, point, strict=True)] for point in points]


def space(overrides: Sequence[Any]) -> Space:
    """The space of Hydra's parsed overrides; of several for one key the last counts. Raises UserError."""
    last = {override.get_key_element(): override for override in overrides}
    swept = {key: override for key, override in last.items() if override.is_sweep_override()}
    if not swept:
        raise UserError(
            "there is nothing to search: give a key several values, such as optimizer=adam,rmsprop, "
            "'model.hidden_size=int(interval(10,200))' or 'optimizer.lr=tag(log,interval(1e-4,1))'"
        )
    fixed = [str(override.input_line) for key, override in last.items() if key not in swept]
    axes = [_axis(key, override) for key, override in swept.items()]
    return Space(tuple(axes), tuple(fixed), tuple(override.input_line for override in swept.values()))


def _axis(key: str, override: Any) -> Axis:
    tags = set(getattr(override.value(), "tags", ()))
    if unknown := tags - {LOG}:
        raise UserError(f"{override.input_line}: unknown tag '{sorted(unknown)[0]}': known: {LOG}")
    if override.is_interval_sweep():
        return _interval(key, override, log=LOG in tags)
    if tags:
        raise UserError(f"{override.input_line}: the tag {LOG} is for an interval, as in tag(log,interval(1e-4,1))")
    if override.is_range_sweep():
        return _range(key, override)
    return Choices(
        key, tuple(dict.fromkeys(some_values(override.sweep_string_iterator(), override.input_line, "space")))
    )


def _interval(key: str, override: Any, log: bool) -> Numbers:
    low, high = override.value().start, override.value().end
    integer = isinstance(low, int) and isinstance(high, int)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UserError(f"{override.input_line}: an interval needs two finite bounds")
    if low > high:
        raise UserError(f"{override.input_line}: its lower bound is above the upper: swap them")
    if log and low <= 0:
        small = 1 if integer else "1e-5"
        raise UserError(f"{override.input_line}: a logarithm needs a lower bound above 0, such as {small}")
    return Numbers(key, low, high, integer, log)


def _range(key: str, override: Any) -> Numbers:
    refuse_standing(override)
    values = override.value().range()
    if not isinstance(values, range):  # of numbers that are not whole
        values = sorted(some_values(values, override.input_line, "space"))
    elif not values:
        raise UserError(f"{override.input_line} has no value: the space is empty")
    step = abs(values[1] - values[0]) if len(values) > 1 else None
    integer = all(isinstance(value, int) for value in (values[0], values[-1]))
    return Numbers(key, min(values[0], values[-1]), max(values[0], values[-1]), integer, step=step)
