"""Recurrent layers on top of one another, many to one: the answer is the last layer's h after the last step.

Legend: T time, B batch, I input, H hidden.
"""

from collections.abc import Callable, Sequence

import numpy as np

from duograd.models.arrays import Array
from duograd.models.layers.dense import dropout
from duograd.models.layers.recurrence import Recurrence, Watch
from duograd.models.layers.unroll import Weights

Backward = Callable[..., list[Weights]]


def stacked(
    layers: Sequence[Recurrence], weights: Sequence[Weights], x: Array, masks: Sequence[Array | None], keep: bool = True
) -> tuple[Array, Backward]:
    """x (B, T, I) -> h (B, H), backward(dh, truncate=None, watch=None) -> each layer's gradients.

    masks (B, T, H) are dropout's, one between each two layers. The gradient flows back through the last `truncate`
    steps, or all. keep=False remembers nothing to go back with.
    """
    h = units_first(x)
    backs, drops = [], []
    for layer, w, mask in zip(layers, weights, [None, *masks], strict=True):
        h, drop = dropout(h, None if mask is None else units_first(mask))
        h, back = layer.forward(h, w, keep)
        backs.append(back)
        drops.append(drop)

    def backward(dh: Array, truncate: int | None = None, watch: Watch | None = None) -> list[Weights]:
        first = max(0, x.shape[1] - truncate) if truncate else 0
        top = len(layers) - 1
        dx, grads = backs[top](dh.T, None, first, top > 0, watch)  # the error enters at the last step only,
        by_layer = [grads]
        for l in reversed(range(top)):
            assert dx is not None
            dx, grads = backs[l](np.zeros_like(dh.T), drops[l + 1](dx), first, l > 0)  # and below at every step
            by_layer.append(grads)
        return by_layer[::-1]

    return h[-1].T, backward


def units_first(a: Array) -> Array:
    """(B, T, units) -> (T, units, B)."""
    return a.transpose(1, 2, 0)
