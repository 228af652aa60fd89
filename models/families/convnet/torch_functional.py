"""Layers without parameters, as torch functions.

Legend: B batch, C channels, H height, W width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from duograd.models.families.convnet.architecture import Activation, Dropout, Flatten, GlobalPool, Layer, Pool

ACTIVATIONS = {"relu": torch.relu, "leaky_relu": F.leaky_relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


class Masks:
    """Dropout's masks, handed out in order; without any, dropout lets everything pass."""

    def __init__(self, given: Sequence[Tensor]) -> None:
        self._remaining = iter(given)

    def drop(self, x: Tensor) -> Tensor:
        """x ⊙ the next mask."""
        mask = next(self._remaining, None)
        return x if mask is None else x * mask


def functional(layer: Layer, x: Tensor, masks: Masks) -> Tensor:
    """What the layer makes of x (B, C, H, W) or (B, D)."""
    match layer:
        case Activation(_, kind):
            return ACTIVATIONS[kind](x)
        case Dropout():
            return masks.drop(x)
        case Pool("max", size, stride):
            return F.max_pool2d(x, size, stride)
        case Pool(_, size, stride):
            return F.avg_pool2d(x, size, stride)
        case GlobalPool():
            return x.mean(dim=(2, 3))
        case Flatten():
            return x.flatten(1)
    raise AssertionError(f"{layer} has parameters")
