"""Strips: images laid out so that what a convolution multiplies are matrices as they lie in memory.

The strip at one place along a row is all that a kernel sees which moves down from there: the image's rows, KW pixels of
each, (R, KW, C). Any KH rows of it on end are one window, KH KW C numbers in a row; neighbouring windows share most of
theirs, so a pixel is copied KW times, not KH KW.

Legend: n images, C channels, F filters, H, W image, KH, KW kernel, R rows of a strip, OH, OW output.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from duograd.models.arrays import Array

SMALL = 10**6  # multiplications of a product: OpenBLAS has faster kernels up to here (AVX-512). Part of results


class Reach(NamedTuple):
    """Where a kernel of a size stands along one axis: at `places` places, `first`, first + stride, …; outside is 0."""

    first: int
    stride: int
    places: int
    size: int

    @property
    def length(self) -> int:
        """From the first place to the end of the kernel at the last one."""
        return (self.places - 1) * self.stride + self.size


def cut(x: Array, rows: Reach, columns: Reach) -> Array:
    """x (n, C, H, W) -> strips (n, OW, R, KW, C). Pixels are copied in runs: KW C where channels lie last, else OW."""
    n, C, _, _ = x.shape
    padded, last = _padded(x, rows, columns)
    image, channel, row, pixel = padded.strides
    shape = n, columns.places, rows.length, columns.size, C
    strips = as_strided(padded, shape, (image, columns.stride * pixel, row, pixel, channel), writeable=False)
    return strips.copy() if last else strips.transpose(2, 3, 4, 0, 1).copy().transpose(3, 4, 0, 1, 2)


def windows(strips: Array, rows: Reach, filters: int) -> Array:
    """strips (n, OW, R, KW, C) -> (OH, G, N, KH KW C), a view: each matrix is what a kernel sees along one output row
    of N / OW images, which are as many as make a small product with so many filters, but at least one."""
    n, OW, _, KW, C = strips.shape
    K = rows.size * KW * C
    together = next(g for g in range(max(n, 1), 0, -1) if n % g == 0 and (g == 1 or g * OW * K * filters <= SMALL))
    image, place, row, _, channel = strips.strides
    shape = rows.places, n // together, together * OW, K
    return as_strided(strips, shape, (rows.stride * row, together * image, place, channel), writeable=False)


def _padded(x: Array, rows: Reach, columns: Reach) -> tuple[Array, bool]:
    """The part of x that the kernel meets, with zeros around, in x's own order; whether channels lie last."""
    n, C, H, W = x.shape
    last = C > 1 and abs(x.strides[1]) < abs(x.strides[3])
    shape = n, rows.length, columns.length, C
    padded = np.zeros(shape, x.dtype).transpose(0, 3, 1, 2) if last else np.zeros((n, C, *shape[1:3]), x.dtype)
    (to_rows, from_rows), (to_columns, from_columns) = _meeting(rows, H), _meeting(columns, W)
    padded[:, :, to_rows, to_columns] = x[:, :, from_rows, from_columns]
    return padded, last


def _meeting(reach: Reach, size: int) -> tuple[slice, slice]:
    """Where the image lies within the reach, and what part of the image that is."""
    start = max(reach.first, 0)
    end = max(start, min(reach.first + reach.length, size))
    return slice(start - reach.first, end - reach.first), slice(start, end)
