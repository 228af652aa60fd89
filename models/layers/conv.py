"""2-D convolution by hand, fast: images cut into strips, then matrix products for each row of the output.

    y[b, f, i, j] = bias[f] + Σ_c Σ_k Σ_l W[f, c, k, l] x_padded[b, c, i SH + k, j SW + l]
    y[row i] (N, F) = windows[i] (N, KH KW C) · taps (KH KW C, F)                         in terms of `strips`

Backward: d_taps = Σ_i windows[i]ᵀ · dy[row i]; and dx is dy convolved with the kernel turned round, or, with a
stride, what each window's error leaves on the pixels that it saw. `naive` says the same as plain loops.

Legend: B batch, n images of a share, C channels, F filters, H, W image, KH, KW kernel, SH, SW stride, PH, PW padding,
OH, OW output, N places of a product.
"""

from collections.abc import Callable
from itertools import product

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.lines import images, lines
from duograd.models.layers.sliding import Pair, Sliding, slide
from duograd.models.layers.strips import Reach, cut, windows
from duograd.models.layers.threads import FEW, Threads, map_parts, ordered_sum, shares

Backward = Callable[[Array], tuple[Array | None, dict[str, Array]]]
"""dy -> dx (None where nobody needs it), gradients by name."""
COLUMNS = 512  # n·OW of a share at most, so that it stays in a core's cache. Part of results
KEEP = 64 * 2**20  # bytes of strips (KW / SW times x's) that wait for the way back; more than that are cut again


def conv2d(
    x: Array,
    W: Array,
    b: Array | None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    *,
    needs_dx: bool = True,
    threads: Threads | None = None,
) -> tuple[Array, Backward]:
    """x (B, C, H, W), W (F, C, KH, KW), b (F,) -> y (B, F, OH, OW), backward(dy) -> dx, {weight, bias}.

    What torch computes (a cross-correlation). needs_dx=False spares a first layer the gradient that nobody asks for;
    x must stay as it is until backward. Raises ValueError: what `conv_sliding` says.
    """
    sliding = conv_sliding(x, W, b, stride, padding)
    rows, columns = _reaches(sliding)
    parts = shares(len(x), max(1, COLUMNS // columns.places), FEW)
    y = np.empty((rows.places, len(x), columns.places, len(W)), x.dtype)
    taps, bias = _taps(W), None if b is None else np.tile(b, columns.places)
    keep = len(x) * x.shape[1] * rows.length * columns.size * columns.places * x.itemsize <= KEEP

    def forward(part: slice) -> Array | None:
        strips = cut(x[part], rows, columns)
        _add_bias(_correlate(strips, taps, rows), bias, out=y[:, part])
        return strips if keep else None

    strips_of_parts = map_parts(threads, forward, parts)

    def backward(dy: Array) -> tuple[Array | None, dict[str, Array]]:
        back_to_pixels = _turned(W, sliding) if sliding.stride == (1, 1) else _spread(W, sliding)
        dx = np.empty_like(x) if needs_dx else None

        def back(part: slice, strips: Array | None) -> tuple[Array, Array]:
            d = lines(dy[part])
            if dx is not None:
                dx[part] = back_to_pixels(d)
            return _gradients(d, cut(x[part], rows, columns) if strips is None else strips, rows)

        d_taps, db = (ordered_sum(sums) for sums in zip(*map_parts(threads, back, parts, strips_of_parts), strict=True))
        dW = np.ascontiguousarray(d_taps.reshape(*W.shape[2:], W.shape[1], len(W)).transpose(3, 2, 0, 1))
        grads = {"weight": dW} if b is None else {"weight": dW, "bias": db}
        return dx, grads

    return images(y), backward


def conv_sliding(x: Array, W: Array, b: Array | None, stride: int | Pair, padding: int | Pair) -> Sliding:
    """Where the kernel stands. Raises ValueError: a kernel larger than the padded input, or of other channels; x of
    integers; a bias that has not one value for each filter."""
    check_floating("input of a convolution", x)
    check_floating("kernel", W)
    check_vectors(len(W), "filter", bias=b)
    if x.shape[1] != W.shape[1]:
        raise ValueError(f"the kernel is for {W.shape[1]} channels, the input has {x.shape[1]}: both must be the same")
    return slide("kernel", x.shape[2:], W.shape[2:], stride, padding)


def _turned(W: Array, sliding: Sliding) -> Callable[[Array], Array]:
    """d (OH, n, OW, F) -> dx (n, C, H, W), for a stride of 1: d convolved with the kernel turned round."""
    image, size, _, padding, _ = sliding
    rows, columns = (Reach(p - k + 1, 1, i, k) for i, k, p in zip(image, size, padding, strict=True))
    taps = _taps(W[:, :, ::-1, ::-1].swapaxes(0, 1))
    return lambda d: images(_correlate(cut(images(d), rows, columns), taps, rows))


def _spread(W: Array, sliding: Sliding) -> Callable[[Array], Array]:
    """d (OH, n, OW, F) -> dx (n, C, H, W), for any stride: each output's error spread over what its window saw."""
    taps, (H, W_), (KH, KW), (SH, SW), (PH, PW), (OH, OW) = _taps(W), *sliding
    C = W.shape[1]

    def spread(d: Array) -> Array:
        n = d.shape[1]
        windows_error = taps @ d.reshape(OH, n * OW, len(W)).swapaxes(1, 2)
        by_tap = windows_error.reshape(OH, KH, KW, C, n, OW)
        padded = np.zeros((H + 2 * PH, C, n, W_ + 2 * PW), d.dtype)
        for k, l in product(range(KH), range(KW)):
            padded[k : k + (OH - 1) * SH + 1 : SH, ..., l : l + (OW - 1) * SW + 1 : SW] += by_tap[:, k, l]
        return padded[PH : PH + H, ..., PW : PW + W_].transpose(2, 1, 0, 3)

    return spread


def _reaches(sliding: Sliding) -> list[Reach]:
    """Of rows and columns."""
    _, size, stride, padding, positions = sliding
    return [Reach(-p, s, count, k) for p, s, count, k in zip(padding, stride, positions, size, strict=True)]


def _taps(W: Array) -> Array:
    """W (F, C, KH, KW) -> (KH KW C, F): what windows are multiplied by."""
    return W.transpose(2, 3, 1, 0).reshape(-1, len(W))


def _correlate(strips: Array, taps: Array, rows: Reach) -> Array:
    """strips (n, OW, R, KW, C), taps (KH KW C, F) -> (OH, n, OW, F)."""
    n, OW = strips.shape[:2]
    return (windows(strips, rows, taps.shape[1]) @ taps).reshape(rows.places, n, OW, taps.shape[1])


def _add_bias(y: Array, bias: Array | None, out: Array) -> None:
    """out = y + the bias, which is repeated for every pixel of a line: by line, loops are long."""
    OH, n, OW, F = y.shape
    np.add(y.reshape(OH, n, OW * F), 0 if bias is None else bias, out=out.reshape(OH, n, OW * F))


def _gradients(d: Array, strips: Array, rows: Reach) -> tuple[Array, Array]:
    """d_taps (KH KW C, F) and db (F,) of a share; d (OH, n, OW, F)."""
    OH, n, OW, F = d.shape
    seen = windows(strips, rows, F)  # (OH, G, N, KH KW C)
    d_taps = (seen.swapaxes(2, 3) @ d.reshape(*seen.shape[:3], F)).sum(axis=(0, 1))
    return d_taps, (np.ones(n * OW, d.dtype) @ d.reshape(OH, n * OW, F)).sum(axis=0)
