"""What is wrong with a gradient, found by trying: each mistake that people make is held against the truth."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations, product

import numpy as np

from duograd.runner.gradcheck.factors import broadcast, elementwise, mistaken
from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.scope import CLOSE, Cause, Fits, Scope, is_plain, is_said, named
from duograd.runner.gradcheck.trace import Array, Version
from duograd.runner.gradcheck.truth import LARGE

MOST_PATHS = 24  # intermediate values whose path is tried


def explain(judgement: Judgement, version: Version) -> Cause:
    """The first explanation that fits; `wrong; cosine 0.98` where none does."""
    twin = judgement.twin.get(version.order)
    if twin is None:
        return Cause("unknown", "wrong")
    g, scope = version.value, Scope.of(judgement, version)
    if not np.isfinite(g).all():
        return Cause("nan", "has values that are NaN or infinite")
    t = judgement.truth.full(twin)
    tried = np.isfinite(t)
    if g.shape != t.shape and g.size == t.size and isinstance(twin, Version):
        g = g.reshape(t.shape)  # a value of the way, laid out otherwise
    if g.shape != t.shape:
        return _shape(g, t) or Cause("shape", f"has shape {g.shape}, but its value has shape {t.shape}")
    for cause in _tries(judgement, version, twin, g, t, tried, scope):
        return cause
    a, b = g[tried].ravel(), t[tried].ravel()
    cosine = float(a @ b) / max(1e-300, float(np.linalg.norm(a) * np.linalg.norm(b)))
    return Cause("unknown", f"wrong; cosine {cosine:.2f}")


def _tries(
    judgement: Judgement, version: Version, twin: Version | str, g: Array, t: Array, tried: Array, scope: Scope
) -> Iterator[Cause]:
    scale = max(1e-300, float(np.abs(t[tried]).max()))
    whole = bool(tried.all())

    def fits(a: Array, b: Array = t) -> bool:
        if np.shape(a) != np.shape(b):
            return False
        return bool(np.abs((a - b)[tried]).max() <= CLOSE * max(scale, 1e-300))

    if not np.abs(g).max() > 1e-12 * scale:
        yield Cause("zero", "is zero: nothing that it is made of reaches it")
        return
    yield from _constant(g, t, tried, fits, scope)
    if whole:
        yield from _other_input(judgement, twin, g)
        yield from _arranged(g, t, fits)
        yield from _overwritten(version, scope, fits)
    yield from elementwise(g, t, fits, scope)
    yield from mistaken(g, fits, scope)
    if g.size > 1:  # of a single number, anything is a multiple
        yield from _terms(g, t, tried, fits, scope)
    if whole and t.size <= LARGE:
        yield from _paths(judgement, version, twin, g, t, fits, scope)
    if whole:
        yield from _reduced(g, t, fits, scope)
    yield from _somewhere(g, t, tried, scale, scope)


def _shape(g: Array, t: Array) -> Cause | None:
    scale = CLOSE * max(1e-300, float(np.nanmax(np.abs(t))))

    def fits(a: Array) -> bool:
        return a.shape == t.shape and bool(np.nanmax(np.abs(a - t)) <= scale)

    if g.ndim == t.ndim == 2 and fits(g.T):
        return Cause("transpose", "is transposed")
    for axes, keep in product(_axes(g), (False, True)):
        if fits(np.asarray(g.sum(axis=axes, keepdims=keep))):
            return Cause("sum", f"is not summed over axis {_listed(axes)}")
        if fits(np.asarray(g.mean(axis=axes, keepdims=keep))):
            return Cause("mean", f"is not averaged over axis {_listed(axes)}")
    for axes, keep in product(_axes(t), (False, True)):
        summed = np.asarray(t.sum(axis=axes, keepdims=keep))
        if summed.shape == g.shape and np.nanmax(np.abs(summed - g)) <= 1e2 * scale:
            return Cause("sum", f"is summed over axis {_listed(axes)}, which its value has")
    if g.size == t.size and fits(g.reshape(t.shape)):
        return Cause("shape", f"has shape {g.shape}, but its value has shape {t.shape}")
    return None


def _constant(g: Array, t: Array, tried: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    a, b = g[tried].ravel(), t[tried].ravel()
    if not b.any():
        return
    c = float(a @ b) / float(b @ b)
    if c and fits(g / c) and (g.size > 1 or is_said(c, scope)):
        if abs(c + 1) < CLOSE:
            yield Cause("sign", "has the wrong sign")
        else:
            yield Cause("factor", f"is {named(c, scope)} times what it should be")


def _other_input(judgement: Judgement, twin: Version | str, g: Array) -> Iterator[Cause]:
    for output in judgement.outputs:
        same_shape = output.name != twin and judgement.truth.value(output.name).shape == g.shape
        if same_shape and judgement.truth.agrees(g, output.name) < judgement.truth.tolerance:
            yield Cause("swapped", f"is the gradient of {output.name}")


def _arranged(g: Array, t: Array, fits: Fits) -> Iterator[Cause]:
    if 1 < g.ndim <= 5:
        for order in permutations(range(g.ndim)):
            if order != tuple(range(g.ndim)) and fits(g.transpose(order)):
                moved = [axis for axis in range(g.ndim) if order[axis] != axis]
                yield Cause("transpose", "is transposed" if g.ndim == 2 else f"has its axes {_listed(moved)} exchanged")
    for axes in _axes(g):
        if fits(np.flip(g, axes)):
            yield Cause("reversed", f"is reversed along axis {_listed(axes)}")
    for axis in range(g.ndim):
        for shift in (1, -1):
            if g.shape[axis] > 2 and fits(np.roll(g, shift, axis)):
                yield Cause("shift", f"is shifted by one along axis {axis}")


def _overwritten(version: Version, scope: Scope, fits: Fits) -> Iterator[Cause]:
    states = [v for v in scope.states if v.line == version.line and v.value.shape == version.value.shape]
    if len(states) > 1 and fits(np.sum([v.value for v in states], axis=0)):
        yield Cause("overwrite", "is overwritten at each step where it should add up")


def _reduced(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """A sum or a mean over an axis that should not be, or one that is not there, where shapes do not tell."""
    for axes in _axes(g):
        if all(g.shape[axis] == 1 for axis in axes):
            continue
        over = f"over axis {_listed(axes)}"
        sum_, mean, true_sum, true_mean = (
            np.broadcast_to(reduced, g.shape)
            for array in (g, t)
            for reduced in (array.sum(axis=axes, keepdims=True), array.mean(axis=axes, keepdims=True))
        )
        for name, version in scope.arrays.items():
            v = broadcast(version.value, g)
            if v is not None and fits(g - v * sum_):
                yield Cause("path", f"`{name}` times its sum {over} is not taken off")
        if fits(g - mean):
            yield Cause("mean", f"its mean {over} is not taken off")
        if fits(sum_):
            yield Cause("sum", f"is not summed {over}")
        if fits(mean):
            yield Cause("mean", f"is not averaged {over}")
        if fits(g, true_sum):
            yield Cause("sum", f"is summed {over} once too often")
        if fits(g, true_mean):
            yield Cause("mean", f"is averaged {over}")


def _terms(g: Array, t: Array, tried: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """A term that is missing, or too many: a value in scope times a number that has a name."""
    left = np.where(tried, t - g, 0.0)
    for name, version in scope.arrays.items():
        v = version.value
        if v.shape != t.shape or not np.abs(v).max() > 0:
            continue
        for shape, word in ((v, name), (np.sign(v), f"sign({name})")):
            inner = np.where(tried, shape, 0.0).ravel()
            c = float(left.ravel() @ inner) / max(1e-300, float(inner @ inner))
            if c and fits(g + c * shape):
                number = named(abs(c), scope).rpartition(" = ")[2]
                if number[0].isdigit() and not is_plain(abs(c), scope) and number not in ("1",):
                    yield Cause("term", f"its term in `{word}` is wrong by {number} * {word}")
                    return
                term = word if number == "1" else f"{number} * {word}"
                if c > 0:
                    yield Cause("term", f"the term `{term}` is missing")
                else:
                    yield Cause("term", f"has the term `{term}` too many")
                return


def _paths(
    judgement: Judgement, version: Version, twin: Version | str, g: Array, t: Array, fits: Fits, scope: Scope
) -> Iterator[Cause]:
    """One of several ways from the value to the output is left out, or counted too often."""
    after = -1 if isinstance(twin, str) else twin.order
    later = [v for v in judgement.forward if v.order > after and v.line and str(v.access[0])[:6] != "return"]
    done: set[str] = set()
    wrong = g - t
    for v in later[:MOST_PATHS]:
        if v.name in done and len(later) > MOST_PATHS // 2:
            continue
        done.add(v.name)
        through = t - judgement.truth.past(twin, v)
        size = float(np.vdot(through, through))
        if size <= (CLOSE * float(np.linalg.norm(t))) ** 2 or fits(through):
            continue
        times = float(np.vdot(wrong, through)) / size
        if times and fits(g - times * through) and (abs(times + 1) < CLOSE or is_said(times + 1, scope)):
            yield Cause("path", f"right but for the path through {v.name} (line {v.line}){_times(times, scope)}")
            return


def _times(times: float, scope: Scope) -> str:
    counted = times + 1
    if abs(counted) < CLOSE:
        return ""
    if abs(counted - 2) < CLOSE:
        return ", which counts twice"
    if abs(counted + 1) < CLOSE:
        return ", which has the wrong sign"
    return f", which counts {named(counted, scope)} times"


def _somewhere(g: Array, t: Array, tried: Array, scale: float, scope: Scope) -> Iterator[Cause]:
    """Right but at some places: an index, or where something in scope is so or so."""
    bad = np.where(tried, np.abs(g - np.where(tried, t, 0.0)) > CLOSE * scale, False)
    good = tried & ~bad
    if not good.any() or not bad.any():
        return
    for name, version in scope.arrays.items():
        v = broadcast(version.value, g)
        if v is None:
            continue
        for mask, words in (
            (v > 0, f"`{name}` > 0"),
            (v <= 0, f"`{name}` <= 0"),
            (v < 1, f"`{name}` < 1"),
            (v >= 1, f"`{name}` >= 1"),
            (np.abs(v) < 1, f"|{name}| < 1"),
            (v != 0, f"`{name}` is not 0"),
            (v == 0, f"`{name}` is 0"),
        ):
            if not (mask & bad).any() and (mask & good).sum() > 0.9 * good.sum() and (~mask & bad).any():
                yield Cause("mask", f"right only where {words}")
                return
    for axis in range(g.ndim):
        size = g.shape[axis]
        is_wrong = bad.any(axis=tuple(k for k in range(g.ndim) if k != axis))
        for word, places, fewest in (("wrong", is_wrong, 2), ("right", ~is_wrong, 3)):
            if places.sum() == 1 and size >= fewest:
                index = int(places.argmax())
                yield Cause("index", f"{word} only at index {index} of axis {axis}{_which(index, size)}")
                return
    yield Cause("index", f"right at {int(good.sum())} of {int(tried.sum())} entries")


def _which(index: int, size: int) -> str:
    return ", the first" if index == 0 else ", the last" if index == size - 1 else ""


def _axes(array: Array) -> Iterator[tuple[int, ...]]:
    """One axis, two, … all of them, in every way."""
    return chain.from_iterable(combinations(range(array.ndim), count) for count in range(1, array.ndim + 1))


def _listed(axes: Sequence[int]) -> str:
    return " and ".join(map(str, axes))
