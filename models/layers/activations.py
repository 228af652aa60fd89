"""Elementwise activations in place, each with its slope written in terms of its own output.

A slope that needs only the output y lets a network drop the pre-activation z: y overwrites z, and dz overwrites dy.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from duograd.models.arrays import Array, check_floating, whole_numbers

LEAK = 0.01  # slope of the leaky ReLU below 0: torch's


class Activation(NamedTuple):
    """forward(z, b): z becomes y = f(z + b). backward(dy, y): dy becomes dz; y is left as scrap. Both are returned.

    The bias b comes with the activation since a pass over a large z costs as much as the arithmetic in it.
    """

    forward: Callable[..., Array]
    backward: Callable[[Array, Array], Array]


def sigmoid(z: Array, b: Array | None = None) -> Array:
    """y = 1 / (1 + exp(-(z + b))). Beyond float range exp becomes inf and y an exact 0, which is the right limit."""
    np.subtract(0 if b is None else -b, z, out=z)  # np.negative in place is wrong on strided views (NumPy 2.4.6)
    with np.errstate(over="ignore"):
        np.exp(z, out=z)
    z += 1
    return np.divide(1, z, out=z)  # in half the time of np.reciprocal


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """dz = dy y (1 - y)."""
    dy *= y
    dy *= np.subtract(1, y, out=y)
    return dy


def tanh(z: Array, b: Array | None = None) -> Array:
    """y = tanh(z + b)."""
    return np.tanh(z if b is None else np.add(z, b, out=z), out=z)


def tanh_backward(dy: Array, y: Array) -> Array:
    """dz = dy (1 - y²)."""
    y *= y
    dy *= np.subtract(1, y, out=y)
    return dy


def relu(z: Array, b: Array | None = None) -> Array:
    """y = max(z + b, 0)."""
    return np.maximum(z if b is None else np.add(z, b, out=z), 0, out=z)


def relu_backward(dy: Array, y: Array) -> Array:
    """dz = dy where z > 0, else 0, also of dy = ∞: the slope at z = 0 is 0, as in torch."""
    bits = whole_numbers(dy)
    bits *= (y > 0).view(np.uint8)
    return dy


def leaky_relu(z: Array, b: Array | None = None) -> Array:
    """y = z + b where that is positive, else 0.01 (z + b)."""
    if b is not None:
        z += b
    return np.maximum(z, LEAK * z, out=z)


def leaky_relu_backward(dy: Array, y: Array) -> Array:
    """dz = dy where z > 0, else 0.01 dy: the slope at z = 0 is 0.01, as in torch. y has the sign of z."""
    return np.multiply(dy, LEAK, out=dy, where=y <= 0)


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_backward),
    "tanh": Activation(tanh, tanh_backward),
    "relu": Activation(relu, relu_backward),
    "leaky_relu": Activation(leaky_relu, leaky_relu_backward),
}


def activation(name: str, z: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = f(z) of any shape, backward(dy) -> dz. Leaves its arguments as they are, where the above work in place.

    Raises ValueError: z of integers.
    """
    check_floating(name, z)
    function = ACTIVATIONS[name]
    y = function.forward(z.copy())
    return y, lambda dy: function.backward(dy.copy(), y.copy())
