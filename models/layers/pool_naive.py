"""Pooling as plain loops, as its definition reads: the oracle of `pool`, which its speed is measured against.

Legend: B batch, C channels, KH, KW window, OH, OW output.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.models.layers.pool import pool_sliding
from duograd.models.layers.sliding import Pair, Sliding

Array = NDArray[Any]
Backward = Callable[[Array], Array]


def max_pool2d_naive(x: Array, size: int | Pair, stride: int | Pair | None = None) -> tuple[Array, Backward]:
    """The greatest of each window; arguments, results and errors are those of `max_pool2d`."""
    sliding = pool_sliding(x, size, stride)
    y = np.zeros((*x.shape[:2], *sliding.positions), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = np.max(x[n, c][_window(sliding, i, j)])

    def backward(dy: Array) -> Array:
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dy.shape):
            window = x[n, c][_window(sliding, i, j)]
            first = np.unravel_index(np.argmax(window), window.shape)
            dx[n, c][_window(sliding, i, j)][first] += dy[n, c, i, j]
        return dx

    return y, backward


def average_pool2d_naive(x: Array, size: int | Pair, stride: int | Pair | None = None) -> tuple[Array, Backward]:
    """The mean of each window; arguments, results and errors are those of `average_pool2d`."""
    sliding = pool_sliding(x, size, stride)
    y = np.zeros((*x.shape[:2], *sliding.positions), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = np.mean(x[n, c][_window(sliding, i, j)])

    def backward(dy: Array) -> Array:
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dy.shape):
            dx[n, c][_window(sliding, i, j)] += dy[n, c, i, j] / (sliding.size[0] * sliding.size[1])
        return dx

    return y, backward


def _window(sliding: Sliding, i: int, j: int) -> tuple[slice, slice]:
    """The pixels (KH, KW) of output pixel (i, j)."""
    (SH, SW), (KH, KW) = sliding.stride, sliding.size
    return slice(i * SH, i * SH + KH), slice(j * SW, j * SW + KW)
