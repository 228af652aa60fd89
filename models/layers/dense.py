"""Dense layers by hand: affine maps, and the ReLU and dropout between them.

Legend: B batch, I inputs, O outputs. Weights are (O, I), as torch keeps them.
"""

from collections.abc import Callable
from typing import overload

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.activations import activation
from duograd.models.layers.threads import Threads, map_parts, shares

Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""dy -> dx, gradients by name."""
FirstBackward = Callable[[Array], tuple[Array | None, dict[str, Array]]]
"""The same, where dx is None if nobody needs it."""
LARGE = 2**22  # multiplications, from which on a product is worth sharing. Part of the result.


@overload
def affine(x: Array, W: Array, b: Array | None) -> tuple[Array, Backward]: ...
@overload
def affine(
    x: Array, W: Array, b: Array | None, *, needs_dx: bool = True, threads: Threads | None = None
) -> tuple[Array, FirstBackward]: ...
def affine(
    x: Array, W: Array, b: Array | None, *, needs_dx: bool = True, threads: Threads | None = None
) -> tuple[Array, FirstBackward]:
    """y = x Wᵀ + b. x (B, I), W (O, I), b (O,) or None -> y (B, O), backward(dy) -> dx, {weight, bias}.

    Large products are shared out by columns of what they give, so that nothing is left to be added up.
    Raises ValueError: x of integers; a bias that has not one value for each output.
    """
    check_floating("input of a dense layer", x)
    check_vectors(len(W), "output", bias=b)
    large = x.size * len(W) >= LARGE
    outputs, inputs = (shares(n, n) if large else [slice(n)] for n in W.shape)
    y = np.empty((len(x), len(W)), x.dtype)
    map_parts(threads, lambda o: np.matmul(x, W[o].T, out=y[:, o]), outputs)
    if b is not None:
        y += b

    def backward(dy: Array) -> tuple[Array | None, dict[str, Array]]:
        dx, dW = np.empty_like(x) if needs_dx else None, np.empty_like(W)
        if dx is not None:
            map_parts(threads, lambda i: np.matmul(dy, W[:, i], out=dx[:, i]), inputs)
        map_parts(threads, lambda o: np.matmul(dy[:, o].T, x, out=dW[o]), outputs)
        return dx, {"weight": dW} if b is None else {"weight": dW, "bias": dy.sum(axis=0)}

    return y, backward


def relu(z: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = max(z, 0), of any shape, backward(dy) -> dz; the slope at z = 0 is 0, as in torch."""
    return activation("relu", z)


def keep_mask(rng: np.random.Generator, shape: tuple[int, ...], p: float, dtype: DTypeLike) -> Array:
    """0 with probability p, else 1 / (1 - p): its mean is 1."""
    keep = rng.random(shape, np.float32) >= p
    return np.asarray(keep * np.asarray(1 / (1 - p), dtype))


def dropout(x: Array, mask: Array | None) -> tuple[Array, Callable[[Array], Array]]:
    """y = x ⊙ mask, backward(dy) -> dx = dy ⊙ mask; None lets everything pass (Srivastava et al. 2014).

    What is kept is scaled up in training, as in torch, so that evaluation needs no dropout at all. The mask is an
    argument, so that the same one serves a twin or a repeated step.
    """

    def backward(dy: Array) -> Array:
        return dy if mask is None else dy * mask

    return x if mask is None else x * mask, backward


def hidden(x: Array, W: Array, b: Array, mask: Array | None = None) -> tuple[Array, Backward]:
    """y = dropout(relu(x Wᵀ + b)): x (B, I) -> y (B, O), backward(dy) -> dx, {weight, bias}. mask (B, O)."""
    z, affine_backward = affine(x, W, b)
    rectified, relu_backward = relu(z)
    y, dropout_backward = dropout(rectified, mask)
    return y, lambda dy: affine_backward(relu_backward(dropout_backward(dy)))
