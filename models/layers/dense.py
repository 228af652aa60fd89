"""Dense layers by hand: affine maps and the ReLU between them.

Legend: B batch, I inputs, O outputs. Weights are (O, I), as torch keeps them.
"""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from models.layers.activations import ACTIVATIONS
from models.layers.dropout import dropout

Array = NDArray[Any]
Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""dy -> dx, gradients by name."""


def affine(x: Array, W: Array, b: Array) -> tuple[Array, Backward]:
    """y = x Wᵀ + b. x (B, I), W (O, I), b (O,) -> y (B, O), backward(dy) -> dx, {weight, bias}."""
    y = x @ W.T + b

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        return dy @ W, {"weight": dy.T @ x, "bias": dy.sum(axis=0)}

    return y, backward


def relu(z: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = max(z, 0), of any shape, backward(dy) -> dz; the slope at z = 0 is 0, as in torch."""
    y = ACTIVATIONS["relu"].forward(z.copy())

    def backward(dy: Array) -> Array:
        return ACTIVATIONS["relu"].backward(dy.copy(), y)

    return y, backward


def hidden(x: Array, W: Array, b: Array, mask: Array | None = None) -> tuple[Array, Backward]:
    """y = dropout(relu(x Wᵀ + b)): x (B, I) -> y (B, O), backward(dy) -> dx, {weight, bias}. mask (B, O)."""
    z, affine_backward = affine(x, W, b)
    rectified, relu_backward = relu(z)
    y, dropout_backward = dropout(rectified, mask)
    return y, lambda dy: affine_backward(relu_backward(dropout_backward(dy)))
