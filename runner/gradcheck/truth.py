"""The true gradient of any value of a forward pass: differences of Σ y ⊙ dy, the value changed where it stands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.gradcheck.layer import Layer
from duograd.runner.gradcheck.replay import Change, Replay
from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.steps import smallest_error
from duograd.runner.gradcheck.versions import Array, Version

Signature = tuple[float, ...]
Target = Version | str
"""A value of the forward pass, or the name of an input."""

STEP = 1e-5  # of central differences, relative to the value's size: truncation ~1e-10, rounding ~1e-11
SHORTER = (1e-6, 1e-7)  # where a kink lies within a step, a shorter one rarely meets it
STEP_SINGLE = 3e-3  # where the forward pass computes in single precision
TOLERANCE = 1e-6  # a right gradient in float64 is within 1e-8 here
TOLERANCE_SINGLE = 2e-2
DIRECTIONS = 3
LARGE = 600  # values; beyond, a gradient is known along directions and at some entries only
SAMPLED = 200  # entries of a large one
ROUNDING = 64 * np.finfo(np.float64).eps


@dataclass
class Truth:
    """The loss Σ y ⊙ dy of a layer, and its slopes. dy: one array an output."""

    layer: Layer
    dy: tuple[Array, ...]
    sources: dict[str, Source]
    single: bool = False
    _slopes: dict[tuple[int | str, int, float], tuple[float, float, float]] = field(default_factory=dict, repr=False)
    _full: dict[int | str, Array] = field(default_factory=dict, repr=False)

    @property
    def tolerance(self) -> float:
        return TOLERANCE_SINGLE if self.single else TOLERANCE

    def loss(self, changes: Sequence[Change] = (), inputs: dict[str, Array] | None = None) -> float:
        """Of one forward pass, with values changed on its way."""
        with Replay(self.sources, changes):
            run = self.layer.start(inputs)
        return float(sum(np.vdot(d, y) for d, y in zip(self.dy, run.y, strict=True)))

    def value(self, target: Target) -> Array:
        """What is changed."""
        return self.layer.value_of(target) if isinstance(target, str) else target.value

    def moved(self, target: Target, delta: Array, held: Version | None = None) -> float:
        """The loss where a value is larger by delta; held: a later value that is put back to what it was."""
        changes: list[Change] = [(held, lambda _: held.value)] if held else []
        if isinstance(target, str):
            return self.loss(changes, {target: self.value(target) + delta})
        return self.loss([*changes, (target, lambda value: value + delta)])

    def slopes(self, target: Target, direction: Array, number: int, step: float) -> tuple[float, float, float]:
        """Central, left and right slopes along a direction."""
        key = (target if isinstance(target, str) else target.order, number, step)
        if key not in self._slopes:
            h = step * _size(self.value(target))
            up, down = self.moved(target, h * direction), self.moved(target, -h * direction)
            here = self.height
            self._slopes[key] = (up - down) / (2 * h), (here - down) / h, (up - here) / h
        return self._slopes[key]

    def agrees(self, g: Array, target: Target) -> float:
        """How far a gradient is from the truth, relatively: the largest over random directions. inf for a shape."""
        shape = self.value(target).shape
        if g.shape != shape or not np.isfinite(g).all():
            return math.inf
        return max(self._error(g, target, v, k) for k, v in enumerate(directions(shape)))

    def _error(self, g: Array, target: Target, v: Array, number: int) -> float:
        by_hand = float(np.vdot(v, g))
        typical = float(np.linalg.norm(g)) * float(np.linalg.norm(v)) / math.sqrt(g.size)
        rounding = ROUNDING * max(1.0, abs(self.height))

        def difference(step: float) -> tuple[float, float]:
            central, left, right = self.slopes(target, v, number, step)
            scale = max(1e-8, abs(central) + abs(by_hand), typical)
            low, high = min(left, right), max(left, right)
            slack = max(self.tolerance * scale, rounding / step)
            if high - low > 1e3 * slack and low - slack <= by_hand <= high + slack:
                return 0.0, scale  # at a kink, any slope between those of its two sides is one
            return abs(central - by_hand), scale

        steps = (STEP_SINGLE,) if self.single else (STEP, *SHORTER)
        return smallest_error(difference, steps, rounding, self.tolerance)

    def matters(self, name: str) -> bool:
        """Whether the loss depends on an input."""
        value = self.value(name)
        slopes = (self.slopes(name, v, k, STEP)[0] for k, v in enumerate(directions(value.shape)))
        return bool(value.ndim) and any(abs(slope) > 1e-6 * max(1.0, abs(self.height)) for slope in slopes)

    @cached_property
    def height(self) -> float:
        """The loss where nothing is changed."""
        return self.loss()

    def full(self, target: Target) -> Array:
        """The whole gradient, entry by entry; NaN at entries of a large one that were not tried, and at kinks."""
        key = target if isinstance(target, str) else target.order
        if key not in self._full:
            self._full[key] = self._entries(target, None)
        return self._full[key]

    def past(self, target: Target, held: Version) -> Array:
        """The gradient without the path through a later value, which is held where it was."""
        return self._entries(target, held)

    def _entries(self, target: Target, held: Version | None) -> Array:
        value = self.value(target)
        gradient = np.full(value.shape, np.nan)
        flat = np.arange(value.size)
        if value.size > LARGE:
            flat = np.sort(np.random.default_rng(0).choice(value.size, SAMPLED, replace=False))
        step = STEP_SINGLE if self.single else STEP
        h = step * _size(value)
        for index in flat:
            delta = np.zeros(value.shape)
            delta.flat[index] = h
            gradient.flat[index] = (self.moved(target, delta, held) - self.moved(target, -delta, held)) / (2 * h)
        return gradient


def _size(value: Array) -> float:
    """The root of a value's mean square, 1 at least."""
    return max(1.0, float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))))


def directions(shape: tuple[int, ...]) -> list[Array]:
    """Random directions, always the same for a shape."""
    rng = np.random.default_rng([1, *shape])
    drawn: list[NDArray[Any]] = [np.asarray(rng.standard_normal(shape)) for _ in range(DIRECTIONS)]
    return [v / max(1e-12, float(np.linalg.norm(v))) * math.sqrt(max(1, v.size)) for v in drawn]
