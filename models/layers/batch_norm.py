"""Batch norm by hand, of features (B, D) and of images (B, C, H, W) alike.

    x̂ = (x - μ) / √(σ² + eps),   y = weight ⊙ x̂ + bias
    dx = weight (dy - mean(dy) - x̂ ⊙ mean(dy ⊙ x̂)) / √(σ² + eps)

μ, σ² and the means are those of a channel over batch and pixels. Source: Ioffe and Szegedy 2015.

Values are taken line by line (`lines`): x (R, W C), and what belongs to channels W times over, so that loops are long
where there are few channels.

Legend: B batch, C channels (features D, where there are no pixels), H, W image, R = H B lines,
N = B H W values of a channel.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.lines import images, lines
from duograd.models.layers.norm import Backward
from duograd.models.layers.threads import FEW, Threads, enough, map_parts, ordered_sum, shares

VALUES = 2**18  # of a share, so that it stays in cache. Part of the result


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
    check_floating("input of a normalisation", x)
    check_vectors(x.shape[1], "channel", weight=weight, bias=bias, **(running or {}))
    by_line, shape = _by_line(x), x.shape
    if not training and running is not None:
        y, backward = _by_running(by_line, weight, bias, running, eps)
    else:
        mean, var, y, backward = _by_batch(by_line, weight, bias, eps, threads)
        if training and running is not None and x.size:
            N = x.size // x.shape[1]
            _move(running["mean"], mean, momentum)
            _move(running["var"], var * (N / (N - 1)), momentum)

    def by_shape(dy: Array) -> tuple[Array, dict[str, Array]]:
        dx, grads = backward(_by_line(dy))
        return _shaped(dx, shape), grads

    return _shaped(y, shape), by_shape


def _by_batch(
    x: Array, weight: Array, bias: Array, eps: float, threads: Threads | None
) -> tuple[Array, Array, Array, Backward]:
    """μ (C,), σ² (C,), y, backward."""
    (R, line), C, threads = x.shape, len(weight), enough(threads, x.size)
    N, W = x.size // C, line // C
    if N == 1:
        raise ValueError("batch norm of one value per channel, which has no variance: use a larger batch")
    parts = shares(R, max(1, VALUES // line), FEW)
    y, x_hat = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    N = max(N, 1)  # of an empty batch, 0 / 1
    mean = _of_channels(map_parts(threads, lambda part: _sums(x[part]), parts), C) / N
    means = np.tile(mean, W)

    def centre(part: slice) -> Array:
        centred = np.subtract(x[part], means, out=x_hat[part])
        return _dots(centred, centred)

    var = _of_channels(map_parts(threads, centre, parts), C) / N
    inv_std = 1 / np.sqrt(var + eps)
    inv_stds, weights, biases = (np.tile(v, W) for v in (inv_std, weight, bias))

    def scale(part: slice) -> None:
        x_hat[part] *= inv_stds
        _affine(x_hat[part], weights, biases, out=y[part])

    map_parts(threads, scale, parts)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        sums = map_parts(threads, lambda part: (_dots(dy[part], x_hat[part]), _sums(dy[part])), parts)
        dw, db = (_of_channels(of_parts, C) for of_parts in zip(*sums, strict=True))
        along, shift, factor = (np.tile(v, W) for v in (-dw / N, db / N, weight * inv_std))
        dx = np.empty(dy.shape, dy.dtype)

        def back(part: slice) -> None:
            d = np.multiply(x_hat[part], along, out=dx[part])
            d += dy[part]
            d -= shift
            d *= factor

        map_parts(threads, back, parts)
        return dx, {"weight": dw, "bias": db}

    return mean, var, y, backward


def _by_running(
    x: Array, weight: Array, bias: Array, running: Mapping[str, Array], eps: float
) -> tuple[Array, Backward]:
    """y, backward: the averages are constants, to which no error goes."""
    C, W = len(weight), x.shape[1] // len(weight)
    inv_std = 1 / np.sqrt(running["var"] + eps)
    x_hat = (x - np.tile(running["mean"], W)) * np.tile(inv_std, W)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        grads = {"weight": _of_channels([_dots(dy, x_hat)], C), "bias": _of_channels([_sums(dy)], C)}
        return dy * np.tile(weight * inv_std, W), grads

    return _affine(x_hat, np.tile(weight, W), np.tile(bias, W), out=np.empty(x.shape, x.dtype)), backward


def _move(average: Array, towards: Array, momentum: float) -> None:
    average *= 1 - momentum
    average += momentum * towards


def _affine(x_hat: Array, weight: Array, bias: Array, out: Array) -> Array:
    return np.add(np.multiply(x_hat, weight, out=out), bias, out=out)


# -- lines and sums ----------------------------------------------------------------------------------------------------


def _by_line(x: Array) -> Array:
    """(B, C, H, W), (B, D), or (B, C, T), which are images of one row -> (R, W C)."""
    B, C, *pixels = x.shape
    four = lines(x if len(pixels) == 2 else x.reshape(B, C, 1, math.prod(pixels)))
    return four.reshape(-1, four.shape[2] * C)


def _shaped(by_line: Array, shape: tuple[int, ...]) -> Array:
    """The reverse."""
    B, C, *pixels = shape
    H, W = pixels if len(pixels) == 2 else (1, math.prod(pixels))
    return images(by_line.reshape(H, B, W, C)).reshape(shape)


def _sums(a: Array) -> Array:
    """Σ over lines: (R, W C) -> (W C,)."""
    return np.asarray(np.einsum("rk->k", a))


def _dots(a: Array, b: Array) -> Array:
    """Σ over lines of a ⊙ b: (R, W C) -> (W C,)."""
    return np.asarray(np.einsum("rk,rk->k", a, b))


def _of_channels(parts: Iterable[Array], C: int) -> Array:
    """Σ of the parts, and of each channel over a line: (W C,) each -> (C,)."""
    total = ordered_sum(parts)
    return np.asarray(total.reshape(-1, C).sum(axis=0))
