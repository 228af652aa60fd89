"""How layers of images lay out what they make: (B, C, H, W) by shape, but (H, B, W, C) in memory, here called lines.

Channels lie last, so that a row of all images is a matrix (B W, C): what a convolution's products read and write.

Legend: B batch, C channels, H, W image.
"""

import numpy as np

from duograd.models.arrays import Array


def lines(x: Array) -> Array:
    """x (B, C, H, W) as (H, B, W, C), its lines contiguous: a view where it lies in memory like that, else a copy."""
    rows = x.transpose(2, 0, 3, 1)
    return rows if rows[0].flags.c_contiguous else np.ascontiguousarray(rows)


def images(rows: Array) -> Array:
    """The reverse, a view."""
    return rows.transpose(1, 3, 0, 2)
