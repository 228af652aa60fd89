"""The dense layers on a recurrent one as the report went back through them (rows 15, 17).

Legend: B batch, O outputs of a layer, C outputs of the network.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from duograd.models.arrays import Array
from duograd.models.errata.table import BEFORE_RELU, SLOPE

Pair = tuple[Array, Array]
"""Of a layer: weight (O, I) and bias (O,), or their gradients."""


def dense_stack(
    rows: Collection[int], layers: Sequence[Pair], h: Array
) -> tuple[Array, Callable[[Array], tuple[Array, list[Pair]]]]:
    """h (B, H) -> outputs (B, C), backward(doutputs) -> dh, gradients of each layer.

    A ReLU stands after each layer but the last, z -> a.
    """
    *inner, (W, b) = layers
    zs, activations = [], [h]
    for W_inner, b_inner in inner:
        zs.append(activations[-1] @ W_inner.T + b_inner)
        activations.append(np.maximum(zs[-1], 0))

    def backward(d: Array) -> tuple[Array, list[Pair]]:
        features = zs[-1] if BEFORE_RELU in rows and zs else activations[-1]
        grads = [(d.T @ features, d.sum(axis=0))]
        da = d @ W
        for (W_inner, _), z, a in reversed(list(zip(inner, zs, activations[:-1], strict=True))):
            dz = da * (np.clip(z, 0, 1) if SLOPE in rows else z > 0)
            grads.append((dz.T @ a, dz.sum(axis=0)))
            da = dz @ W_inner
        return da, grads[::-1]

    return activations[-1] @ W.T + b, backward
