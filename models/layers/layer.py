"""What a layer by hand is, a function of x that gives y and backward; and layers put together.

A network hands its layers their parameters, and takes gradients by the parameters' names.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from duograd.models.arrays import Array

Grads = dict[str, Array]
Back = Callable[[Array], tuple[Array | None, Grads]]
"""dy -> dx (None where nobody needs it), gradients by the parameter's name."""
Layer = Callable[[Array], tuple[Array, Back]]
"""x -> y, backward."""


def chain(layers: Iterable[Layer]) -> Layer:
    """One after the other, and back in reverse: each is let go as soon as it is done, with the arrays that it keeps.

    So backward serves once. It ends at the first layer that gives no dx.
    """

    def layer(x: Array) -> tuple[Array, Back]:
        backs: list[Back] = []
        for each in layers:
            x, back = each(x)
            backs.append(back)

        def backward(d: Array | None) -> tuple[Array | None, Grads]:
            grads: Grads = {}
            while backs and d is not None:
                d, of_layer = backs.pop()(d)
                grads |= of_layer
            return d, grads

        return x, backward

    return layer


def residual(inner: Layer) -> Layer:
    """y = x + f(x): the error goes back both ways. f is to give a new array, as its dx is to be."""

    def layer(x: Array) -> tuple[Array, Back]:
        y, back = inner(x)
        y += x

        def backward(dy: Array) -> tuple[Array | None, Grads]:
            dx, grads = back(dy)
            assert dx is not None
            dx += dy
            return dx, grads

        return y, backward

    return layer


def plain(function: Callable[[Array], tuple[Array, Callable[[Array], Array]]]) -> Layer:
    """A layer without parameters, of a function whose backward gives dx alone."""

    def layer(x: Array) -> tuple[Array, Back]:
        y, back = function(x)
        return y, lambda dy: (back(dy), {})

    return layer


def named(name: str, inner: Layer) -> Layer:
    """A layer whose gradients bear its name."""

    def layer(x: Array) -> tuple[Array, Back]:
        y, back = inner(x)

        def backward(dy: Array) -> tuple[Array | None, Grads]:
            dx, grads = back(dy)
            return dx, {f"{name}.{key}": g for key, g in grads.items()}

        return y, backward

    return layer


def flatten(x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """x (B, …) -> y (B, all the rest), backward(dy) -> dx, which lies in memory as x does."""

    def backward(dy: Array) -> Array:
        dx = np.empty_like(x, dy.dtype)
        dx[...] = dy.reshape(x.shape)
        return dx

    return x.reshape(len(x), math.prod(x.shape[1:])), backward
