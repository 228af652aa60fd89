"""Initial values of weights and biases, drawn by NumPy for both backends, so that twins start alike.

Legend: O outputs (fan_out), I inputs (fan_in). Weights are (O, I), as torch keeps them.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from duograd.models.arrays import Array


class Dense(NamedTuple):
    """The two arrays of one dense layer: weight (O, I), bias (O,), float64."""

    weight: Array
    bias: Array


Init = Callable[[list[tuple[int, int]], int], list[Dense]]
"""Draws the layers of shapes [(fan_in, fan_out), …] from a seed."""
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
"""Draws one weight (O, I, …)."""


def report(shapes: list[tuple[int, int]], seed: int) -> list[Dense]:
    """The report's draw: weights and biases ~ U[-w, w], w = sqrt(6 / (fan_in + fan_out)) of their own layer.

    NumPy's legacy generator, in the order W1 (I, O), B1 (1, O), W2, B2, …: the same numbers as the report's.
    """
    rng = np.random.RandomState(seed)
    layers = []
    for fan_in, fan_out in shapes:
        limit = xavier_limit(fan_in, fan_out)
        W = rng.uniform(-limit, limit, (fan_in, fan_out))
        b = rng.uniform(-limit, limit, (1, fan_out))
        layers.append(Dense(np.ascontiguousarray(W.T), b[0]))
    return layers


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """fan_in and fan_out of a weight (O, I, …): a kernel's pixels count in both."""
    return math.prod(shape[1:]), shape[0] * math.prod(shape[2:])


def _uniform(limit: Callable[[int, int], float]) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        w = limit(*fans(shape))
        return rng.uniform(-w, w, shape)

    return draw


def _normal(std: Callable[[int, int], float]) -> Draw:
    return lambda rng, shape: rng.normal(0, std(*fans(shape)), shape)


def _zero_biased(draw: Draw) -> Init:
    """An init that draws each weight (O, I) and sets the biases to zero."""

    def init(shapes: list[tuple[int, int]], seed: int) -> list[Dense]:
        rng = np.random.default_rng(seed)
        return [Dense(draw(rng, (fan_out, fan_in)), np.zeros(fan_out)) for fan_in, fan_out in shapes]

    return init


def xavier_limit(fan_in: int, fan_out: int) -> float:
    """w of U[-w, w] with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    return math.sqrt(6 / (fan_in + fan_out))


def orthogonal(rng: np.random.Generator, n: int) -> Array:
    """A random orthogonal matrix (n, n): Q of a normal draw, with signs that make every one equally likely.

    Source: Saxe et al. 2014; Mezzadri 2007 for the signs.
    """
    Q, R = np.linalg.qr(rng.standard_normal((n, n)))
    return np.asarray(Q * np.sign(np.diag(R)))


DRAWS: dict[str, Draw] = {
    "xavier_uniform": _uniform(xavier_limit),
    "xavier_normal": _normal(lambda i, o: math.sqrt(2 / (i + o))),
    "kaiming_uniform": _uniform(lambda i, o: math.sqrt(6 / i)),  # He et al. 2015, for ReLU
    "kaiming_normal": _normal(lambda i, o: math.sqrt(2 / i)),
}

DenseInit = Literal["torch", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform"]


def dense_layer(rng: np.random.Generator, init: DenseInit, I: int, O: int) -> Dense:
    """Weight and bias as `init` says: those of `DRAWS` with biases of zero, or torch's own default, ± 1/√I for both."""
    if init != "torch":
        return Dense(DRAWS[init](rng, (O, I)), np.zeros(O))
    limit = 1 / math.sqrt(I)
    return Dense(rng.uniform(-limit, limit, (O, I)), rng.uniform(-limit, limit, O))


INITS: dict[str, Init] = {"report": report, **{name: _zero_biased(draw) for name, draw in DRAWS.items()}}
