"""Strips: the rows of images, laid out so that the columns a convolution multiplies are matrices as they lie in memory.

A strip is one row of the padded images, copied once for each column of the kernel, (C KW, n OW). KH strips on top of
one another are the columns of one output row; neighbouring output rows share most of them, so a pixel is copied KW
times, not KH KW.

Legend: n images, C channels, F filters, H, W image, KH, KW kernel, SH, SW stride, PH, PW padding, OH, OW output,
J = ⌈KH / SH⌉ output rows that meet one input row.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from duograd.models.arrays import Array
from duograd.models.layers.sliding import Sliding


def cut(x: Array, sliding: Sliding) -> Array:
    """x (n, C, H, W) -> strips (H + 2 PH, C, KW, n, OW)."""
    n, C, H, _ = x.shape
    PH, _ = sliding.padding
    strips = np.zeros((H + 2 * PH, C, sliding.size[1], n, sliding.positions[1]), x.dtype)
    inside = strips[PH : PH + H]
    for l, (positions, columns) in enumerate(meetings(sliding)):
        inside[:, :, l, :, positions] = rows_first(x)[..., columns]
    return strips


def fold(d_strips: Array, sliding: Sliding, out: Array) -> None:
    """The reverse of cut: adds the error of strips (rows, C, KW, n, OW), the first of which is the image's first row,
    to that of the pixels they were copied from, out (n, C, H, W)."""
    pixels = rows_first(out)[: len(d_strips)]
    for l, (positions, columns) in enumerate(meetings(sliding)):
        pixels[..., columns] += d_strips[: len(pixels), :, l, :, positions]


def rows_first(a: Array) -> Array:
    """(n, C, H, W) -> (H, C, n, W), a view."""
    return a.transpose(2, 1, 0, 3)


def stacks(rows: Array, height: int, step: int) -> Array:
    """rows (R, K, N) -> (m, height K, N), a view: matrix i is rows i step … i step + height on top of one another."""
    R, K, N = rows.shape
    count = (R - height) // step + 1
    strides = step * rows.strides[0], *rows.strides[1:]
    return as_strided(rows, (count, height * K, N), strides, writeable=False)


def by_row(W: Array) -> Array:
    """W (F, C, KH, KW) -> (F, KH C KW): what columns of strips are multiplied by."""
    return W.transpose(0, 2, 1, 3).reshape(len(W), -1)


def by_phase(W: Array, SH: int) -> Array:
    """W (F, C, KH, KW) -> (SH, C KW, J F): what J rows of dy are multiplied by, for strips q SH + 0, 1, … SH - 1.

    The kernel's rows stand in reverse, and zeros where there is no row of that phase any more.
    """
    F, C, KH, KW = W.shape
    J = -(-KH // SH)
    whole = np.zeros((F, C, J * SH, KW), W.dtype)
    whole[:, :, :KH] = W
    return whole.reshape(F, C, J, SH, KW)[:, :, ::-1].transpose(3, 1, 4, 2, 0).reshape(SH, C * KW, J * F)


def meetings(sliding: Sliding) -> Iterator[tuple[slice, slice]]:
    """For each column of the kernel: the positions at which it lies on the image, and the image's columns there."""
    (_, W), (_, KW), (_, SW), (_, PW), (_, OW) = sliding
    for l in range(KW):
        first = max(0, -(-(PW - l) // SW))
        end = max(first, min(OW, (W - 1 + PW - l) // SW + 1))
        start = first * SW + l - PW
        yield slice(first, end), slice(start, start + (end - first) * SW, SW)
