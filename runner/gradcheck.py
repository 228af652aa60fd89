"""Proof of a gradient: by hand against numerical differences, and against autograd. Meant for float64."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Batch
from runner.engines import Engine

Array = NDArray[Any]
# Five points: the formula's own error is ~step⁴, rounding ~1e-16 / step; both are near 1e-12 for the first step. A
# kink (ReLU at 0) between the points spoils a difference; the second step, less exact, rarely meets one. The better of
# both counts.
STEPS = (1e-4, 1e-6)
FLOOR = 1e-8  # of the denominator, as in the report's metric |x − y| / max(1e-8, |x| + |y|)


def against_differences(
    engine: Engine, batch: Batch, rng: np.random.Generator, directions: int = 5
) -> dict[str, float]:
    """The largest relative error per parameter of dL/dw · v against differences of L along random unit directions v.

    A few evaluations a direction, whatever the parameter's size; a single wrong entry shows in nearly every direction.
    """
    start = engine.params()
    _, grads = engine.loss_and_grad(batch)
    errors = {}
    for name, g in grads.items():
        units = (v / np.linalg.norm(v) for v in rng.standard_normal((directions, *g.shape)))
        errors[name] = max(min(_error(engine, batch, start, name, g, step * v, step) for step in STEPS) for v in units)
    engine.set_params(start)
    return errors


def against_engine(engine: Engine, other: Engine, batch: Batch) -> dict[str, float]:
    """The largest difference per parameter between two engines' gradients, relative to the gradient's norm.

    Both are given the first engine's parameters.
    """
    other.set_params(engine.params())
    _, grads = engine.loss_and_grad(batch)
    _, others = other.loss_and_grad(batch)
    return {name: _relative(g, others[name]) for name, g in grads.items()}


def _error(
    engine: Engine, batch: Batch, start: Mapping[str, Array], name: str, g: Array, move: Array, step: float
) -> float:
    """The relative error of the slope along `move`, which is `step` long."""

    def loss(times: int) -> float:
        engine.set_params({**start, name: start[name] + times * move})
        terms, _ = engine.loss_and_grad(batch)
        return float(terms["loss"])

    numerical = (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / (12 * step)
    by_hand = float(np.vdot(g, move)) / step
    # A direction can be nearly level by chance; the typical slope is then what an error is large or small against.
    typical = float(np.linalg.norm(g)) / math.sqrt(g.size)
    return abs(numerical - by_hand) / max(FLOOR, abs(numerical) + abs(by_hand), typical)


def _relative(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a - b)) / max(FLOOR, float(np.linalg.norm(a)) + float(np.linalg.norm(b)))
