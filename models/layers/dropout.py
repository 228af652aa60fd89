"""Dropout by hand, in its inverted form: what is kept is scaled up, so that evaluation needs no dropout at all.

Source: Srivastava et al. 2014; the scale 1 / (1 - p) in training is what torch does.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


def keep_mask(rng: np.random.Generator, shape: tuple[int, ...], p: float, dtype: DTypeLike) -> Array:
    """0 with probability p, else 1 / (1 - p): its mean is 1."""
    kept = rng.random(shape, np.float32) >= p
    return np.asarray(kept * np.asarray(1 / (1 - p), dtype))


def dropout(x: Array, mask: Array | None) -> tuple[Array, Callable[[Array], Array]]:
    """y = x ⊙ mask, backward(dy) -> dx = dy ⊙ mask; None lets everything pass.

    The mask is an argument, so that the same one serves a twin or a repeated step.
    """

    def backward(dy: Array) -> Array:
        return dy if mask is None else dy * mask

    return x if mask is None else x * mask, backward
