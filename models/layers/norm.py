"""Normalisation by hand: batch, layer and group norm, of features (B, D) and of images (B, C, H, W) alike.

    x̂ = (x - μ) / √(σ² + eps),   y = weight ⊙ x̂ + bias
    dx = (dx̂ - mean(dx̂) - x̂ ⊙ mean(dx̂ ⊙ x̂)) / √(σ² + eps)   with   dx̂ = weight ⊙ dy

Batch norm takes μ, σ² and the means over the batch and the pixels of each channel; group norm over the channels and
pixels of each group of each sample; layer norm is group norm with one group. Scale and shift belong to channels.
Sources: Ioffe and Szegedy 2015; Ba, Kiros and Hinton 2016; Wu and He 2018.

Legend: B batch, C channels (features D, where there are no pixels), H, W image, P = H W pixels (1 where there are
none), N = B P values of a channel, G groups, M = (C / G) P values of a group.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.threads import Threads, map_parts, ordered_sum, sample_shares

Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""dy -> dx, {weight, bias}."""
VALUES = 2**18  # of a share, so that it stays in cache. Part of the result.


def batch_norm(
    x: Array,
    weight: Array,
    bias: Array,
    running: Mapping[str, Array] | None,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
    threads: Threads | None = None,
) -> tuple[Array, Backward]:
    """x (B, D) or (B, C, H, W), weight, bias (C,) -> y, backward(dy) -> dx, {weight, bias}.

    Training normalises by the batch, and moves the running averages {mean, var} (C,) towards it, in place:
    r = (1 - momentum) r + momentum · batch, with the unbiased variance, as in torch. (The report, like cs231n, calls
    momentum the part that is kept: its 0.9 is 0.1 here; and its running variance is the biased one.) Evaluation
    normalises by the running averages; where none are kept, it too by the batch. An empty batch moves nothing. Raises
    ValueError: no variance, since each channel has one value only; x of integers; weight, bias or an average that has
    not one value for each channel.
    """
    check_vectors(x.shape[1], "channel", weight=weight, bias=bias, **(running or {}))
    flat, shape = _flat(x), x.shape
    if not training and running is not None:
        y, backward = _by_running(flat, weight, bias, running, eps)
    else:
        mean, var, y, backward = _by_batch(flat, weight, bias, eps, threads)
        if training and running is not None and x.size:
            N = x.size // x.shape[1]
            _move(running["mean"], mean, momentum)
            _move(running["var"], var * (N / (N - 1)), momentum)
    return y.reshape(shape), lambda dy: _shaped(backward(_flat(dy)), shape)  # which does not keep x


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
        return _shaped((dx, {"weight": dw, "bias": db}), shape)

    return y.reshape(shape), backward


def layer_norm(
    x: Array, weight: Array, bias: Array, eps: float = 1e-5, *, threads: Threads | None = None
) -> tuple[Array, Backward]:
    """Group norm with one group: each sample by all of its features. Of images, scale and shift belong to channels."""
    return group_norm(x, 1, weight, bias, eps, threads=threads)


# -- batch norm, of x (B, C, P) ----------------------------------------------------------------------------------------


def _by_batch(
    x: Array, weight: Array, bias: Array, eps: float, threads: Threads | None
) -> tuple[Array, Array, Array, Backward]:
    """μ (C,), σ² (C,), y, backward."""
    N, parts = x.shape[0] * x.shape[2], sample_shares(x, VALUES)
    if N == 1:
        raise ValueError("batch norm of one value per channel, which has no variance: use a larger batch")
    y, x_hat = np.empty_like(x), np.empty_like(x)
    N = max(N, 1)  # of an empty batch, 0 / 1
    mean = ordered_sum(map_parts(threads, lambda part: _sums(x[part]), parts)) / N

    def centre(part: slice) -> Array:
        centred = np.subtract(x[part], mean[:, None], out=x_hat[part])
        return _dots(centred, centred)

    var = ordered_sum(map_parts(threads, centre, parts)) / N
    inv_std = 1 / np.sqrt(var + eps)

    def scale(part: slice) -> None:
        x_hat[part] *= inv_std[:, None]
        _affine(x_hat[part], weight, bias, out=y[part])

    map_parts(threads, scale, parts)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        sums = map_parts(threads, lambda part: (_dots(dy[part], x_hat[part]), _sums(dy[part])), parts)
        dw, db = (ordered_sum(sum_) for sum_ in zip(*sums, strict=True))
        dx = np.empty_like(dy)

        def back(part: slice) -> None:  # mean(dx̂) = weight db / N, mean(dx̂ x̂) = weight dw / N
            np.multiply(x_hat[part], -(dw / N)[:, None], out=dx[part])
            dx[part] += dy[part]
            dx[part] -= (db / N)[:, None]
            dx[part] *= (weight * inv_std)[:, None]

        map_parts(threads, back, parts)
        return dx, {"weight": dw, "bias": db}

    return mean, var, y, backward


def _by_running(
    x: Array, weight: Array, bias: Array, running: Mapping[str, Array], eps: float
) -> tuple[Array, Backward]:
    """y, backward: the averages are constants, to which no error goes."""
    inv_std = 1 / np.sqrt(running["var"] + eps)
    x_hat = (x - running["mean"][:, None]) * inv_std[:, None]

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        return dy * (weight * inv_std)[:, None], {"weight": _dots(dy, x_hat), "bias": _sums(dy)}

    return _affine(x_hat, weight, bias, out=np.empty_like(x)), backward


def _move(average: Array, towards: Array, momentum: float) -> None:
    average *= 1 - momentum
    average += momentum * towards


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


def _shaped(result: tuple[Array, dict[str, Array]], shape: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
    """dx in x's shape."""
    dx, grads = result
    return dx.reshape(shape), grads


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
