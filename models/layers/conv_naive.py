"""2-D convolution as plain loops, as its definition reads: the oracle of `conv`, which its speed is measured against.

Legend: B batch, C channels, F filters, H, W image, KH, KW kernel, OH, OW output.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.models.layers.conv import Backward, conv_sliding
from duograd.models.layers.sliding import Pair, Sliding

Array = NDArray[Any]


def conv2d_naive(
    x: Array, W: Array, b: Array | None, stride: int | Pair = 1, padding: int | Pair = 0, *, needs_dx: bool = True
) -> tuple[Array, Backward]:
    """y[n, f, i, j] = b[f] + Σ window(n, i, j) ⊙ W[f]; arguments, results and errors are those of `conv2d`."""
    sliding = conv_sliding(x, W, stride, padding)
    padded = _pad(x, sliding)
    y = np.zeros((len(x), len(W), *sliding.positions), x.dtype)
    for n, f, i, j in np.ndindex(y.shape):
        y[n, f, i, j] = np.sum(padded[n][_window(sliding, i, j)] * W[f]) + (0 if b is None else b[f])

    def backward(dy: Array) -> tuple[Array | None, dict[str, Array]]:
        d_padded, dW, db = np.zeros_like(padded), np.zeros_like(W), np.zeros(len(W), W.dtype)
        for n, f, i, j in np.ndindex(dy.shape):
            window = _window(sliding, i, j)
            dW[f] += dy[n, f, i, j] * padded[n][window]
            db[f] += dy[n, f, i, j]
            if needs_dx:
                d_padded[n][window] += dy[n, f, i, j] * W[f]
        return _unpad(d_padded, sliding) if needs_dx else None, {"weight": dW} | ({} if b is None else {"bias": db})

    return y, backward


def _window(sliding: Sliding, i: int, j: int) -> tuple[slice, slice, slice]:
    """The pixels (C, KH, KW) under the kernel for output pixel (i, j)."""
    (SH, SW), (KH, KW) = sliding.stride, sliding.size
    return slice(None), slice(i * SH, i * SH + KH), slice(j * SW, j * SW + KW)


def _pad(x: Array, sliding: Sliding) -> Array:
    """A border of zeros around each image."""
    PH, PW = sliding.padding
    return np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)))


def _unpad(padded: Array, sliding: Sliding) -> Array:
    (H, W), (PH, PW) = sliding.image, sliding.padding
    return padded[:, :, PH : PH + H, PW : PW + W]
