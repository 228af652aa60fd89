"""Pooling by hand, fast: a tap is the pixel at one place of every window, and each tap of all images is a strided view.

Views are short runs in memory: they are copied once, together, and all arithmetic is done on the copies. What comes out
lies in memory as the images do.

Windows may overlap, or leave pixels between them and behind them. `naive` says the same as plain loops.

Legend: B batch, C channels, H, W image, KH, KW window, OH, OW output.
"""

from collections.abc import Callable, Iterator

import numpy as np

from duograd.models.arrays import Array, check_floating, whole_numbers
from duograd.models.layers.sliding import Pair, Sliding, slide
from duograd.models.layers.threads import FEW, Threads, enough, map_parts, sample_shares

Backward = Callable[[Array], Array]
PIXELS = 2**18  # of a share, so that it stays in cache


def max_pool2d(
    x: Array, size: int | Pair, stride: int | Pair | None = None, *, threads: Threads | None = None
) -> tuple[Array, Backward]:
    """The greatest of each window: x (B, C, H, W) -> y (B, C, OH, OW), backward(dy) -> dx. stride None: the size.

    The error goes to a window's first greatest pixel, row by row, or to its last that is no number, as in torch. What
    is left over at the border is not seen: sizes round down. Raises ValueError: a window larger than the image; x of
    integers.
    """
    sliding = pool_sliding(x, size, stride)
    y = np.empty_like(x, shape=(*x.shape[:2], *sliding.positions))
    winner = np.zeros_like(y, np.min_scalar_type(sliding.size[0] * sliding.size[1]))  # the tap that was greatest
    parts = sample_shares(x, PIXELS, FEW)

    def forward(part: slice) -> None:
        greatest, views = y[part], enumerate(taps(x[part], sliding))
        greatest[...] = next(views)[1]
        for t, view in views:
            tap = view.copy(order="K")
            ahead = (tap > greatest) * winner.dtype.type(t)
            np.maximum(winner[part], ahead, out=winner[part])  # t only grows, so that the latest to lead wins
            np.maximum(greatest, tap, out=greatest)
        if np.isnan(greatest).any():
            for t, tap in enumerate(taps(x[part], sliding)):
                winner[part][np.isnan(tap)] = t

    map_parts(enough(threads, x.size), forward, parts)

    def backward(dy: Array) -> Array:
        bits = whole_numbers(_laid_like(y, dy))
        return _back(x, sliding, threads, lambda part, t: (bits[part], winner[part] == t))

    return y, backward


def average_pool2d(
    x: Array, size: int | Pair, stride: int | Pair | None = None, *, threads: Threads | None = None
) -> tuple[Array, Backward]:
    """The mean of each window: x (B, C, H, W) -> y (B, C, OH, OW), backward(dy) -> dx. Otherwise as `max_pool2d`."""
    sliding = pool_sliding(x, size, stride)
    y = np.zeros((*x.shape[:2], *sliding.positions), x.dtype)
    share = x.dtype.type(1 / (sliding.size[0] * sliding.size[1]))

    def forward(part: slice) -> None:
        for tap in taps(x[part], sliding):
            y[part] += tap
        y[part] *= share

    map_parts(enough(threads, x.size), forward, sample_shares(x, PIXELS, FEW))

    def backward(dy: Array) -> Array:
        return _back(x, sliding, threads, lambda part, _: (dy[part], share))

    return y, backward


def global_average_pool(x: Array) -> tuple[Array, Backward]:
    """The mean of each channel: x (B, C, H, W) -> y (B, C), backward(dy) -> dx."""
    check_floating("input of a pool", x)
    pixels = x.shape[2] * x.shape[3]

    def backward(dy: Array) -> Array:
        dx = np.empty_like(x)
        dx[...] = (dy / pixels)[:, :, None, None]
        return dx

    return x.mean(axis=(2, 3)), backward


def pool_sliding(x: Array, size: int | Pair, stride: int | Pair | None) -> Sliding:
    """Where the windows stand; one beside the other if no stride is given. Raises ValueError: larger than the image; x
    of integers."""
    check_floating("input of a pool", x)
    return slide("pooling window", x.shape[2:], size, size if stride is None else stride)


def taps(x: Array, sliding: Sliding) -> Iterator[Array]:
    """Views (B, C, OH, OW) of x: the first pixel of every window, the second, …, row by row."""
    (KH, KW), (SH, SW), (OH, OW) = sliding.size, sliding.stride, sliding.positions
    for k in range(KH):
        for l in range(KW):
            yield x[:, :, k : k + (OH - 1) * SH + 1 : SH, l : l + (OW - 1) * SW + 1 : SW]


def _laid_like(y: Array, dy: Array) -> Array:
    """dy, in y's precision and order in memory: arithmetic on mixed orders takes many times as long."""
    if dy.dtype == y.dtype and dy.strides == y.strides:
        return dy
    laid = np.empty_like(y)
    laid[...] = dy
    return laid


def _back(
    x: Array, sliding: Sliding, threads: Threads | None, error: Callable[[slice, int], tuple[Array, Array]]
) -> Array:
    """dx: the product of what `error` gives for a share of the batch, as numbers or as their bits, to each tap."""
    dx = np.zeros_like(x)
    apart = all(k <= s for k, s in zip(sliding.size, sliding.stride, strict=True))

    def back(part: slice) -> None:
        for t, tap in enumerate(taps(dx[part], sliding)):
            a, b = error(part, t)
            product = np.multiply(a, b).view(x.dtype)
            if apart:  # no pixel is met twice
                tap[...] = product
            else:
                tap += product

    map_parts(enough(threads, x.size), back, sample_shares(x, PIXELS, FEW))
    return dx
