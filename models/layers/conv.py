"""2-D convolution by hand, fast: images cut into strips, then one matrix product for each row of the output.

    y[b, f, i, j] = bias[f] + Σ_c Σ_k Σ_l W[f, c, k, l] x_padded[b, c, i SH + k, j SW + l]
    y[row i] = taps (F, KH C KW) · strips[i SH … i SH + KH] (KH C KW, n OW)                   in terms of `strips`

Backward: d_taps = Σ_i dy[row i] · strips[…]ᵀ. Strip q SH + r met the kernel's rows r, r + SH, r + 2 SH, … for the
output rows q, q - 1, q - 2, …: neighbours, which are a matrix as they lie, so that d_strips takes one product as well,
whatever the stride. `naive` says the same as plain loops.

Legend: B batch, n images of a share, C channels, F filters, H, W image, KH, KW kernel, SH, SW stride, PH, PW padding,
OH, OW output, J = ⌈KH / SH⌉.
"""

from collections.abc import Callable

import numpy as np

from duograd.models.arrays import Array, check_floating, check_vectors
from duograd.models.layers.sliding import Pair, Sliding, slide
from duograd.models.layers.strips import by_phase, by_row, cut, fold, rows_first, stacks
from duograd.models.layers.threads import Threads, map_parts, ordered_sum, shares

Backward = Callable[[Array], tuple[Array | None, dict[str, Array]]]
"""dy -> dx (None where nobody needs it), gradients by name."""
COLUMNS = 512  # n·OW of a share: wide enough for a product's full speed, narrow enough for the cache. Part of results
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
    parts = shares(len(x), max(1, COLUMNS // sliding.positions[1]))
    y = np.empty((len(x), len(W), *sliding.positions), x.dtype)
    taps = by_row(W)
    keep = _bytes_of_strips(x, sliding) <= KEEP

    def forward(part: slice) -> Array | None:
        strips = cut(x[part], sliding)
        _multiply(taps, strips, b, sliding, out=y[part])
        return strips if keep else None

    strips_of_parts = map_parts(threads, forward, parts)

    def backward(dy: Array) -> tuple[Array | None, dict[str, Array]]:
        dx = np.zeros_like(x) if needs_dx else None
        phases = by_phase(W, sliding.stride[0])

        def back(part: slice, strips: Array | None) -> tuple[Array, Array]:
            d = _with_margins(dy[part], sliding)
            if dx is not None:
                _multiply_back(phases, d, sliding, out=dx[part])
            return _gradients(d, cut(x[part], sliding) if strips is None else strips, sliding)

        d_taps, db = (ordered_sum(sums) for sums in zip(*map_parts(threads, back, parts, strips_of_parts), strict=True))
        F, C, KH, KW = W.shape
        dW = np.ascontiguousarray(d_taps.reshape(F, KH, C, KW).transpose(0, 2, 1, 3))
        return dx, {"weight": dW} if b is None else {"weight": dW, "bias": db}

    return y, backward


def conv_sliding(x: Array, W: Array, b: Array | None, stride: int | Pair, padding: int | Pair) -> Sliding:
    """Where the kernel stands. Raises ValueError: a kernel larger than the padded input, or of other channels; x of
    integers; a bias that has not one value for each filter."""
    check_floating("input of a convolution", x)
    check_floating("kernel", W)
    check_vectors(len(W), "filter", bias=b)
    if x.shape[1] != W.shape[1]:
        raise ValueError(f"the kernel is for {W.shape[1]} channels, the input has {x.shape[1]}: both must be the same")
    return slide("kernel", x.shape[2:], W.shape[2:], stride, padding)


def _multiply(taps: Array, strips: Array, b: Array | None, sliding: Sliding, out: Array) -> None:
    """out (n, F, OH, OW) = taps · the strips of each output row, + b."""
    n, F, OH, OW = out.shape
    y = taps @ stacks(_matrices(strips), sliding.size[0], sliding.stride[0])  # (OH, F, n OW)
    if b is not None:
        y += b[:, None]
    rows_first(out)[...] = y.reshape(OH, F, n, OW)


def _with_margins(dy: Array, sliding: Sliding) -> Array:
    """dy (n, F, OH, OW), row by row between J - 1 rows of zeros: (OH + 2 J - 2, F, n OW)."""
    n, F, OH, OW = dy.shape
    margin = _margin(sliding)
    d = np.zeros((OH + 2 * margin, F, n, OW), dy.dtype)
    d[margin : margin + OH] = rows_first(dy)
    return d.reshape(len(d), F, n * OW)


def _gradients(d: Array, strips: Array, sliding: Sliding) -> tuple[Array, Array]:
    """d_taps (F, KH C KW) and db (F,) of a share."""
    margin = _margin(sliding)
    d = d[margin : margin + sliding.positions[0]]
    columns = stacks(_matrices(strips), sliding.size[0], sliding.stride[0])
    return (d @ columns.swapaxes(1, 2)).sum(axis=0), (d @ np.ones(d.shape[2], d.dtype)).sum(axis=0)


def _multiply_back(phases: Array, d: Array, sliding: Sliding, out: Array) -> None:
    """dx into out (n, C, H, W), from d of _with_margins. Rows of padding are left out.

    Phases with J - 1 rows of the kernel leave out the first of J: 0 · dy would be NaN where dy is not finite.
    """
    (H, _), SH, PH, F = sliding.image, sliding.stride[0], sliding.padding[0], d.shape[1]
    rows = stacks(d, _margin(sliding) + 1, 1)[PH // SH : (PH + H - 1) // SH + 1, None]
    full = sliding.size[0] - _margin(sliding) * SH
    d_strips = np.empty((len(rows), *phases.shape[:2], d.shape[2]), d.dtype)  # (q, SH, C KW, n OW)
    np.matmul(phases[:full], rows, out=d_strips[:, :full])
    np.matmul(phases[full:, :, F:], rows[:, :, F:], out=d_strips[:, full:])
    shape = len(rows) * SH, out.shape[1], sliding.size[1], out.shape[0], sliding.positions[1]
    fold(d_strips.reshape(shape)[PH % SH :], sliding, out)


def _matrices(strips: Array) -> Array:
    """(rows, C, KW, n, OW) -> (rows, C KW, n OW)."""
    rows, C, KW, n, OW = strips.shape
    return strips.reshape(rows, C * KW, n * OW)


def _margin(sliding: Sliding) -> int:
    """J - 1."""
    return -(-sliding.size[0] // sliding.stride[0]) - 1


def _bytes_of_strips(x: Array, sliding: Sliding) -> int:
    rows = len(x) * x.shape[1] * (x.shape[2] + 2 * sliding.padding[0])
    return int(rows * sliding.size[1] * sliding.positions[1] * x.itemsize)
