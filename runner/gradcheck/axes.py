"""What is wrong along axes: exchanged, reversed or shifted, a sum too few or too many, wrong at some places alone."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations, product

import numpy as np

from duograd.runner.gradcheck.comparison import Comparison
from duograd.runner.gradcheck.factors import values_around
from duograd.runner.gradcheck.scope import CLOSE, Cause
from duograd.runner.gradcheck.versions import Array


def another_shape(g: Array, t: Array) -> Cause:
    """Why a gradient may have another shape than its value."""
    scale = CLOSE * max(1e-300, float(np.nanmax(np.abs(t))))

    def fits(a: Array) -> bool:
        return a.shape == t.shape and bool(np.nanmax(np.abs(a - t)) <= scale)

    if g.ndim == t.ndim == 2 and fits(g.T):
        return Cause("transpose", "is transposed")
    for axes, keep in product(_choices(g), (False, True)):
        if fits(np.asarray(g.sum(axis=axes, keepdims=keep))):
            return Cause("sum", f"is not summed over axis {_listed(axes)}")
        if fits(np.asarray(g.mean(axis=axes, keepdims=keep))):
            return Cause("mean", f"is not averaged over axis {_listed(axes)}")
    for axes, keep in product(_choices(t), (False, True)):
        summed = np.asarray(t.sum(axis=axes, keepdims=keep))
        if summed.shape == g.shape and np.nanmax(np.abs(summed - g)) <= 1e2 * scale:
            return Cause("sum", f"is summed over axis {_listed(axes)}, which its value has")
    return Cause("shape", f"has shape {g.shape}, but its value has shape {t.shape}")


def arranged(c: Comparison) -> Cause | None:
    """The right entries, at other places."""
    g, axes = c.g, range(c.g.ndim)
    for order in permutations(axes) if 1 < g.ndim <= 5 else ():
        if order != tuple(axes) and c.fits(g.transpose(order)):
            moved = [axis for axis in axes if order[axis] != axis]
            return Cause("transpose", "is transposed" if g.ndim == 2 else f"has its axes {_listed(moved)} exchanged")
    for some in _choices(g):
        if c.fits(np.flip(g, some)):
            return Cause("reversed", f"is reversed along axis {_listed(some)}")
    for axis, shift in product(axes, (1, -1)):
        if g.shape[axis] > 2 and c.fits(np.roll(g, shift, axis)):
            return Cause("shift", f"is shifted by one along axis {axis}")
    return None


def reduced(c: Comparison) -> Cause | None:
    """A sum or a mean over an axis that should not be, or one that is not there, where shapes do not tell."""
    for axes in _choices(c.g):
        if all(c.g.shape[axis] == 1 for axis in axes):
            continue
        over = f"over axis {_listed(axes)}"
        sum_, mean, true_sum, true_mean = (
            np.broadcast_to(reduce(axis=axes, keepdims=True), c.g.shape)
            for reduce in (c.g.sum, c.g.mean, c.t.sum, c.t.mean)
        )
        for name, v in values_around(c):
            if c.fits(c.g - v * sum_):
                return Cause("path", f"`{name}` times its sum {over} is not taken off")
        for kind, made, expected, text in (
            ("mean", c.g - mean, c.t, f"its mean {over} is not taken off"),
            ("sum", sum_, c.t, f"is not summed {over}"),
            ("mean", mean, c.t, f"is not averaged {over}"),
            ("sum", c.g, true_sum, f"is summed {over} once too often"),
            ("mean", c.g, true_mean, f"is averaged {over}"),
        ):
            if c.fits(made, expected):
                return Cause(kind, text)
    return None


def somewhere(c: Comparison) -> Cause | None:
    """Right but at some places: an index, or where something in scope is so or so."""
    wrong = np.where(c.known, np.abs(c.g - np.where(c.known, c.t, 0.0)) > CLOSE * c.scale, False)
    right = c.known & ~wrong
    if not right.any() or not wrong.any():
        return None
    for name, v in values_around(c):
        for mask, words in (
            (v > 0, f"`{name}` > 0"),
            (v <= 0, f"`{name}` <= 0"),
            (v < 1, f"`{name}` < 1"),
            (v >= 1, f"`{name}` >= 1"),
            (np.abs(v) < 1, f"|{name}| < 1"),
            (v != 0, f"`{name}` is not 0"),
            (v == 0, f"`{name}` is 0"),
        ):
            if not (mask & wrong).any() and (mask & right).sum() > 0.9 * right.sum() and (~mask & wrong).any():
                return Cause("mask", f"right only where {words}")
    for axis, size in enumerate(c.g.shape):
        is_wrong = wrong.any(axis=tuple(k for k in range(c.g.ndim) if k != axis))
        for word, places, fewest in (("wrong", is_wrong, 2), ("right", ~is_wrong, 3)):
            if places.sum() == 1 and size >= fewest:
                index = int(places.argmax())
                end = ", the first" if index == 0 else ", the last" if index == size - 1 else ""
                return Cause("index", f"{word} only at index {index} of axis {axis}{end}")
    return Cause("index", f"right at {int(right.sum())} of {int(c.known.sum())} entries")


def _choices(array: Array) -> Iterator[tuple[int, ...]]:
    """One axis, two, … all of them, in every way."""
    return chain.from_iterable(combinations(range(array.ndim), count) for count in range(1, array.ndim + 1))


def _listed(axes: Sequence[int]) -> str:
    return " and ".join(map(str, axes))
