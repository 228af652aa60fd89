"""Proof of a gradient: by hand against numerical differences, and against autograd. Meant for float64."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Batch
from duograd.runner.engines import Engine

Array = NDArray[Any]
# Five points: the formula's own error is ~step⁴, rounding ~1e-16 / step; both are near 1e-12 for the first step. A
# kink (ReLU at 0) between the points spoils a difference; the shorter steps, less exact, rarely meet one. The best
# counts, and one that is good enough ends the search for it.
STEPS = (1e-4, 1e-6, 1e-8)
GOOD = 1e-8
ROUNDING = 16 * np.finfo(np.float64).eps  # of a loss, relatively
MEASURABLE = 1e-6  # a slope is measurable where rounding leaves it within this
FLOOR = 1e-8  # of the denominator, as in the report's metric |x − y| / max(1e-8, |x| + |y|)


def against_differences(
    engine: Engine, batch: Batch, rng: np.random.Generator, directions: int = 5
) -> dict[str, float]:
    """The largest relative error per parameter of dL/dw · v against differences of L along random unit directions v.

    A few evaluations a direction, whatever the parameter's size; a single wrong entry shows in nearly every direction.
    """
    start = engine.weights()
    terms, grads = engine.loss_and_grad(batch)
    surface = Surface(engine, batch, start, float(terms["loss"]))
    errors = {}
    for name, g in grads.items():
        units = (v / np.linalg.norm(v) for v in (rng.standard_normal(g.shape) for _ in range(directions)))
        errors[name] = max(surface.error(name, g, v) for v in units)
    engine.set_weights(start)
    return errors


def against_engine(engine: Engine, other: Engine, batch: Batch) -> dict[str, float]:
    """The largest difference per parameter between two engines' gradients, relative to the gradient's norm.

    Both are given the first engine's weights.
    """
    other.set_weights(engine.weights())
    _, grads = engine.loss_and_grad(batch)
    _, others = other.loss_and_grad(batch)
    zero = FLOOR * float(np.sqrt(sum(np.vdot(g, g) for g in grads.values())))  # beside all others, by rounding alone
    return {name: _relative(g, others[name], zero) for name, g in grads.items()}


class Surface(NamedTuple):
    """The loss over the weights around those at which the gradient was taken."""

    engine: Engine
    batch: Batch
    start: Mapping[str, Array]
    height: float  # there

    def error(self, name: str, g: Array, v: Array) -> float:
        """How far the slope along a unit direction v of one parameter is from g · v, relatively."""
        errors: list[float] = []
        for step in STEPS:
            errors.append(self._error(name, g, v, step))
            if errors[-1] < GOOD:
                break
        return min(errors)

    def _error(self, name: str, g: Array, v: Array, step: float) -> float:
        def loss(times: int) -> float:
            self.engine.set_weights({**self.start, name: self.start[name] + times * step * v})
            terms, _ = self.engine.loss_and_grad(self.batch)
            return float(terms["loss"])

        numerical = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * step)
        by_hand = float(np.vdot(g, v))
        # A direction can be nearly level by chance; the typical slope is then what an error is large or small against.
        typical = float(np.linalg.norm(g)) / math.sqrt(g.size)
        # A slope can also be zero by nature (of a bias before batch norm), where a difference sees rounding alone.
        measurable = ROUNDING * abs(self.height) / step / MEASURABLE
        return abs(numerical - by_hand) / max(FLOOR, measurable, abs(numerical) + abs(by_hand), typical)


def _relative(a: Array, b: Array, zero: float) -> float:
    return float(np.linalg.norm(a - b)) / max(FLOOR, zero, float(np.linalg.norm(a)) + float(np.linalg.norm(b)))
