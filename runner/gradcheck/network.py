"""Proof of a gradient: by hand against numerical differences, and against autograd. Meant for float64."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Batch
from duograd.runner.engines import Engine
from duograd.runner.gradcheck.steps import smallest_error

Array = NDArray[Any]
STEPS = (1e-4, 1e-6, 1e-8)  # of five points: the formula's own error is ~step⁴, rounding ~1e-16 / step
ROUNDING = 16 * np.finfo(np.float64).eps  # of a loss, relatively
SMOOTH = 1e-7  # differences of what is smooth come as close as this; a kink leaves 1e-5 and more
KINK = 0.1  # an error that moving leaves at a tenth or less was the kink's
BESIDE, SMALLEST = 1e-2, 0.1  # how far is moved, as a part of a parameter's size, which counts as this at least
MEASURABLE = 1e-6  # what rounding leaves of a slope that is zero by nature (of a bias before batch norm)
FLOOR = 1e-8  # of the denominator, as in the report's metric |x − y| / max(1e-8, |x| + |y|)


def against_differences(
    engine: Engine, batch: Batch, rng: np.random.Generator, directions: int = 5, kinked: list[str] | None = None
) -> dict[str, float]:
    """The largest relative error per parameter of dL/dw · v against differences of L along random unit directions v.

    A few evaluations a direction, whatever the parameter's size; a single wrong entry shows in nearly every direction.
    A parameter whose slope is not its difference is measured again a little beside these weights, where a kink at them
    is none (a ReLU's input is exactly 0 for black pixels and a bias of 0) and a wrong gradient is as wrong as before.
    kinked: gets the names of those to which that makes the difference.
    """
    start = engine.weights()
    here = Surface.at(engine, batch, start)
    units = {name: [_unit(rng, g.shape) for _ in range(directions)] for name, g in here.grads.items()}
    errors = {name: here.largest_error(name, units[name]) for name in here.grads}
    if suspects := [name for name, error in errors.items() if not error < SMOOTH]:
        beside = Surface.at(engine, batch, _moved(start, list(here.grads)))
        for name in suspects:
            again = beside.largest_error(name, units[name])
            if again < errors[name] * KINK:
                errors[name] = again
                if kinked is not None:
                    kinked.append(name)
    engine.set_weights(start)
    return errors


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    v = rng.standard_normal(shape)
    return np.asarray(v / np.linalg.norm(v))


def _moved(weights: Mapping[str, Array], names: list[str]) -> dict[str, Array]:
    """The weights with those of some names moved at random, by a hundredth of their size."""
    rng = np.random.default_rng(0)

    def move(w: Array) -> Array:
        size = max(float(np.sqrt(np.mean(w * w))), SMALLEST)
        return np.asarray(w + BESIDE * size * rng.standard_normal(w.shape))

    return {name: move(w) if name in names else w for name, w in weights.items()}


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
    grads: Mapping[str, Array]  # there

    @classmethod
    def at(cls, engine: Engine, batch: Batch, weights: Mapping[str, Array]) -> "Surface":
        """Around these weights."""
        engine.set_weights(weights)
        terms, grads = engine.loss_and_grad(batch)
        return cls(engine, batch, weights, float(terms["loss"]), grads)

    def largest_error(self, name: str, units: Sequence[Array]) -> float:
        """How far the slopes along unit directions of one parameter are from g · v, relatively, at most."""
        return max(self._smallest_error(name, v) for v in units)

    def _smallest_error(self, name: str, v: Array) -> float:
        """Along one direction, at the best of the steps."""
        g = self.grads[name]
        by_hand = float(np.vdot(g, v))
        # A direction can be nearly level by chance; the typical slope is then what an error is large or small against.
        typical = float(np.linalg.norm(g)) / math.sqrt(g.size)

        def difference(step: float) -> tuple[float, float]:
            numerical = self._slope(name, v, step)
            return abs(numerical - by_hand), max(FLOOR, abs(numerical) + abs(by_hand), typical)

        return smallest_error(difference, STEPS, ROUNDING * abs(self.height), MEASURABLE)

    def _slope(self, name: str, v: Array, step: float) -> float:
        def loss(times: int) -> float:
            self.engine.set_weights({**self.start, name: self.start[name] + times * step * v})
            terms, _ = self.engine.loss_and_grad(self.batch)
            return float(terms["loss"])

        return (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * step)


def _relative(a: Array, b: Array, zero: float) -> float:
    return float(np.linalg.norm(a - b)) / max(FLOOR, zero, float(np.linalg.norm(a)) + float(np.linalg.norm(b)))
