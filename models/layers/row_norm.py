"""Layer norm of rows, fast: sums over short rows are products with a column of ones, which take a fifth of the time.

`norm.layer_norm` says the same of samples of any shape, shared out among threads, and is its oracle.

Legend: N rows, D features.
"""

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.norm import Backward


def row_norm(x: Array, weight: Array, bias: Array, eps: float = 1e-5) -> tuple[Array, Backward]:
    """y = weight ⊙ (x - μ) / √(σ² + eps) + bias: x (N, D), weight, bias (D,), backward(dy) -> dx, {weight, bias}.

    Raises ValueError: x of integers; weight or bias that has not one value for each feature.
    """
    check_floating("input of a normalisation", x)
    N, D = x.shape
    check_vectors(D, "channel", weight=weight, bias=bias)
    rows, mean = np.ones(N, x.dtype), np.full((D, 1), 1 / D, x.dtype)
    x_hat = x - x @ mean
    inv_std = 1 / np.sqrt(np.square(x_hat) @ mean + x.dtype.type(eps))
    x_hat *= inv_std
    y = weight * x_hat
    y += bias

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        product = dy * x_hat
        grads = {"weight": rows @ product, "bias": rows @ dy}
        along = product @ (weight[:, None] * mean)  # mean(dx̂ ⊙ x̂)
        dx = dy * weight
        dx -= dx @ mean
        dx -= np.multiply(x_hat, along, out=product)
        dx *= inv_std
        return dx, grads

    return y, backward
