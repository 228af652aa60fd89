"""Dropout's masks as functions of seed and step: both backends draw the same, and a resumed run draws them again."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from duograd.models.families.convnet.architecture import Dropout, Layer
from duograd.models.layers.dense import keep_mask

Array = NDArray[Any]
DROPOUT = 1  # sets the masks' random numbers apart from those of the initial weights, which have the same seed


def masks(layers: Iterable[Layer], B: int, seed: int, step: int, dtype: DTypeLike) -> list[Array]:
    """One mask (B, …) a dropout layer, in order."""
    rng = np.random.default_rng((seed, step, DROPOUT))
    acting = (layer for layer in layers if isinstance(layer, Dropout))
    return [keep_mask(rng, (B, *layer.shape), layer.p, dtype) for layer in acting]
