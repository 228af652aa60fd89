"""Convolution and pooling as plain loops, as their definitions read: the oracles of `conv` and `pool`, and what their
speed is measured against.

Legend: B batch, C channels, F filters, H, W image, KH, KW kernel or window, OH, OW output.
"""

import numpy as np

from duograd.models.arrays import Array
from duograd.models.layers.conv import Backward, conv_sliding
from duograd.models.layers.pool import Backward as PoolBackward
from duograd.models.layers.pool import pool_sliding
from duograd.models.layers.sliding import Pair, Sliding


def conv2d_naive(
    x: Array, W: Array, b: Array | None, stride: int | Pair = 1, padding: int | Pair = 0, *, needs_dx: bool = True
) -> tuple[Array, Backward]:
    """y[n, f, i, j] = b[f] + Σ window(n, i, j) ⊙ W[f]; arguments, results and errors are those of `conv2d`."""
    sliding = conv_sliding(x, W, b, stride, padding)
    PH, PW = sliding.padding
    padded = np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)))
    y = np.zeros((len(x), len(W), *sliding.positions), x.dtype)
    for n, f, i, j in np.ndindex(y.shape):
        y[n, f, i, j] = np.sum(padded[n][:, *_window(sliding, i, j)] * W[f]) + (0 if b is None else b[f])

    def backward(dy: Array) -> tuple[Array | None, dict[str, Array]]:
        d_padded, dW, db = np.zeros_like(padded), np.zeros_like(W), np.zeros(len(W), W.dtype)
        for n, f, i, j in np.ndindex(dy.shape):
            window = slice(None), *_window(sliding, i, j)
            dW[f] += dy[n, f, i, j] * padded[n][window]
            db[f] += dy[n, f, i, j]
            if needs_dx:
                d_padded[n][window] += dy[n, f, i, j] * W[f]
        dx = d_padded[:, :, PH : PH + x.shape[2], PW : PW + x.shape[3]] if needs_dx else None
        return dx, {"weight": dW} | ({} if b is None else {"bias": db})

    return y, backward


def max_pool2d_naive(x: Array, size: int | Pair, stride: int | Pair | None = None) -> tuple[Array, PoolBackward]:
    """The greatest of each window; arguments, results and errors are those of `max_pool2d`."""
    sliding = pool_sliding(x, size, stride)
    y = np.zeros((*x.shape[:2], *sliding.positions), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = np.max(x[n, c][_window(sliding, i, j)])

    def backward(dy: Array) -> Array:
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dy.shape):
            window = x[n, c][_window(sliding, i, j)]
            wrong = np.flatnonzero(np.isnan(window))
            winner = np.unravel_index(wrong[-1] if len(wrong) else np.argmax(window), window.shape)
            dx[n, c][_window(sliding, i, j)][winner] += dy[n, c, i, j]
        return dx

    return y, backward


def average_pool2d_naive(x: Array, size: int | Pair, stride: int | Pair | None = None) -> tuple[Array, PoolBackward]:
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
