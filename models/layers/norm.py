"""Group and layer norm by hand, of features (B, D) and of images (B, C, H, W) alike.

    x̂ = (x - μ) / √(σ² + eps),   y = weight ⊙ x̂ + bias
    dx = (dx̂ - mean(dx̂) - x̂ ⊙ mean(dx̂ ⊙ x̂)) / √(σ² + eps)   with   dx̂ = weight ⊙ dy

Group norm takes μ, σ² and the means over the channels and pixels of each group of each sample; layer norm is group norm
with one group. (`batch_norm` takes them over batch and pixels of a channel.) Scale and shift belong to channels.
Sources: Ba, Kiros and Hinton 2016; Wu and He 2018.

Legend: B batch, C channels (features D, where there are no pixels), H, W image, P = H W pixels (1 where there are
none), G groups, M = (C / G) P values of a group.
"""

import math
from collections.abc import Callable

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.threads import Threads, map_parts, ordered_sum, sample_shares

Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""dy -> dx, {weight, bias}."""
VALUES = 2**18  # of a share, so that it stays in cache. Part of the result.


def group_norm(
    x: Array, groups: int, weight: Array, bias: Array, eps: float = 1e-5, *, threads: Threads | None = None
) -> tuple[Array, Backward]:
    """x (B, C, H, W) or (B, D), weight, bias (C,) -> y, backward(dy) -> dx, {weight, bias}.

    Raises ValueError: groups that do not divide the channels; x of integers; weight or bias that has not one value for
    each channel.
    """
    check_vectors(x.shape[1], "channel", weight=weight, bias=bias)
    if x.shape[1] % groups:
        raise ValueError(f"{groups} groups do not divide {x.shape[1]} channels: choose one of {_divisors(x.shape[1])}")
    flat, parts, shape = _flat(x), sample_shares(x, VALUES), x.shape
    y, x_hat = np.empty_like(flat), np.empty_like(flat)

    def forward(part: slice) -> Array:
        hat, inv_std = _standardised(_grouped(flat[part], groups), eps)
        x_hat[part] = hat.reshape(flat[part].shape)
        _affine(x_hat[part], weight, bias, out=y[part])
        return inv_std

    inv_stds = map_parts(threads, forward, parts)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        d, dx = _flat(dy), np.empty_like(x_hat)

        def back(part: slice, inv_std: Array) -> tuple[Array, Array]:
            d_hat = _grouped(d[part] * weight[:, None], groups)
            dx[part] = _standardised_backward(d_hat, _grouped(x_hat[part], groups), inv_std).reshape(dx[part].shape)
            return _dots(d[part], x_hat[part]), _sums(d[part])

        dw, db = (ordered_sum(sums) for sums in zip(*map_parts(threads, back, parts, inv_stds), strict=True))
        return dx.reshape(shape), {"weight": dw, "bias": db}

    return y.reshape(shape), backward


def layer_norm(
    x: Array, weight: Array, bias: Array, eps: float = 1e-5, *, threads: Threads | None = None
) -> tuple[Array, Backward]:
    """Group norm with one group: each sample by all of its features. Of images, scale and shift belong to channels."""
    return group_norm(x, 1, weight, bias, eps, threads=threads)


# -- one share of samples, by group: x (n, G, M) -----------------------------------------------------------------------


def _standardised(x: Array, eps: float) -> tuple[Array, Array]:
    """x̂ and 1 / √(σ² + eps) (n, G, 1), over M."""
    centred = x - x.mean(axis=2, keepdims=True)
    inv_std = 1 / np.sqrt(np.einsum("ngm,ngm->ng", centred, centred) / x.shape[2] + eps)[..., None]
    centred *= inv_std
    return centred, inv_std


def _standardised_backward(d_hat: Array, x_hat: Array, inv_std: Array) -> Array:
    """dx of dx̂."""
    M = x_hat.shape[2]
    dx: Array = d_hat - d_hat.mean(axis=2, keepdims=True)
    dx -= x_hat * (np.einsum("ngm,ngm->ng", d_hat, x_hat) / M)[..., None]
    dx *= inv_std
    return dx


# -- shapes and sums ---------------------------------------------------------------------------------------------------


def _flat(x: Array) -> Array:
    """(B, C, H, W) or (B, D) -> (B, C, P)."""
    check_floating("input of a normalisation", x)
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _grouped(x: Array, groups: int) -> Array:
    """(n, C, P) -> (n, G, M)."""
    return x.reshape(len(x), groups, x.shape[1] // groups * x.shape[2])


def _affine(x_hat: Array, weight: Array, bias: Array, out: Array) -> Array:
    """weight ⊙ x̂ + bias, by channel."""
    return np.add(np.multiply(x_hat, weight[:, None], out=out), bias[:, None], out=out)


def _sums(a: Array) -> Array:
    """Σ over samples and pixels: (n, C, P) -> (C,)."""
    return np.asarray(np.einsum("ncp->c", a))


def _dots(a: Array, b: Array) -> Array:
    """Σ over samples and pixels of a ⊙ b: (n, C, P) -> (C,)."""
    return np.asarray(np.einsum("ncp,ncp->c", a, b))


def _divisors(n: int) -> str:
    return ", ".join(str(d) for d in range(1, n + 1) if n % d == 0)
