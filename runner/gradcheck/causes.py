"""What is wrong with a gradient, found by trying: each mistake that people make is held against the truth."""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from duograd.runner.gradcheck.judge import Judgement
from duograd.runner.gradcheck.scope import Scope, formulas, named
from duograd.runner.gradcheck.trace import Array, Version
from duograd.runner.gradcheck.truth import LARGE

CLOSE = 1e-5  # relative to the truth's largest entry: differences are good to 1e-8, explanations are exact
MOST_PATHS = 24  # intermediate values whose path is tried


Fits = Callable[..., bool]


class Cause(NamedTuple):
    """kind: one word for programs. text: for people, after `source line — `."""

    kind: str
    text: str


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
    yield from _elementwise(g, t, fits, scope)
    yield from _mistaken(g, t, fits, scope)
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
    for count in range(1, g.ndim + 1):
        for axes in combinations(range(g.ndim), count):
            for keep in (False, True):
                if fits(np.asarray(g.sum(axis=axes, keepdims=keep))):
                    return Cause("sum", f"is not summed over axis {_listed(axes)}")
                if fits(np.asarray(g.mean(axis=axes, keepdims=keep))):
                    return Cause("mean", f"is not averaged over axis {_listed(axes)}")
    for count in range(1, t.ndim + 1):
        for axes in combinations(range(t.ndim), count):
            for keep in (False, True):
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
    if c and fits(g / c) and (g.size > 1 or _said(c, scope)):
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
    for count in range(1, g.ndim + 1):
        for axes in combinations(range(g.ndim), count):
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


def _elementwise(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    with np.errstate(all="ignore"):
        tried: list[tuple[Array, str, str, int]] = []
        for a, version in scope.arrays.items():
            v = _broadcast(version.value, g)
            if v is None or np.ptp(v) == 0:
                continue
            forms = (
                (v, f"`{a}` is missing as a factor", "missing factor"),
                (1 / v, f"is multiplied by `{a}` once too often", "extra factor"),
                (v * (1 - v), f"`{a} * (1 - {a})` is missing as a factor", "missing factor"),
                (1 - v * v, f"`1 - {a}**2` is missing as a factor", "missing factor"),
                (1 - v, f"`1 - {a}` is missing as a factor", "missing factor"),
                (1 / (1 - v), f"`1 - {a}` is a factor too many", "extra factor"),
                (1 / (v * (1 - v)), f"`{a} * (1 - {a})` is a factor too many", "extra factor"),
                (1 / (1 - v * v), f"`1 - {a}**2` is a factor too many", "extra factor"),
                (v * v, f"`{a}**2` is missing as a factor", "missing factor"),
                (1 / (v * v), f"is multiplied by `{a}` twice too often", "extra factor"),
                ((1 - v) / v, f"has `{a}` for `1 - {a}`", "wrong factor"),
                (v / (1 - v), f"has `1 - {a}` for `{a}`", "wrong factor"),
                ((1 - v * v) / (v * (1 - v)), f"has `{a} * (1 - {a})` for `1 - {a}**2`", "wrong factor"),
                ((v * (1 - v)) / (1 - v * v), f"has `1 - {a}**2` for `{a} * (1 - {a})`", "wrong factor"),
                ((1 - v * v) / (1 - v), f"has `1 - {a}` for `1 - {a}**2`", "wrong factor"),
                ((v > 0) / v, f"has `{a}` for `{a} > 0`", "wrong factor"),
                ((1 - v * v) / v, f"has `{a}` for `1 - {a}**2`", "wrong factor"),
                (v * (1 - v) / v**2, f"has `{a}**2` for `{a} * (1 - {a})`", "wrong factor"),
                (v > 0, f"is not stopped where `{a}` is not positive", "mask"),
                (v < 0, f"is not stopped where `{a}` is not negative", "mask"),
                (v != 0, f"is not stopped where `{a}` is 0", "mask"),
                (np.abs(v), f"`|{a}|` is missing as a factor", "missing factor"),
                (np.exp(v), f"`exp({a})` is missing as a factor", "missing factor"),
                (np.sqrt(v), f"`sqrt({a})` is missing as a factor", "missing factor"),
                (1 / np.sqrt(v), f"`1/sqrt({a})` is missing as a factor", "missing factor"),
            )
            tried += [(form, text, kind, order) for order, (form, text, kind) in enumerate(forms)]
        for factor, text, kind, _ in sorted(tried, key=lambda form: form[3]):  # what is simplest first, of any name
            product = g * factor
            if not np.isfinite(product).all():
                continue
            if fits(product):
                yield Cause(kind, text)
                return
            if (c := _only_constant(product, t)) and _plain(c, scope):
                also = (
                    ", and its sign is wrong"
                    if abs(c + 1) < CLOSE
                    else f", and it is {named(c, scope)} times too large"
                )
                yield Cause(kind, text + also)
                return


SHAPES: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("{}", lambda v: v),
    ("{0} * (1 - {0})", lambda v: v * (1 - v)),
    ("1 - {}**2", lambda v: 1 - v * v),
    ("1 - {}", lambda v: 1 - v),
    ("{} > 0", lambda v: (v > 0).astype(float)),
)


def _mistaken(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """One value in the place of another, in one of the forms that derivatives have."""
    fitting = [(name, v) for name, version in scope.arrays.items() if (v := _broadcast(version.value, g)) is not None]
    with np.errstate(all="ignore"):
        for form, function in SHAPES:
            made = [(name, function(v)) for name, v in fitting]
            for (has, v), (wants, w) in permutations(made, 2):
                product = g * w / v
                if np.isfinite(product).all() and fits(product):
                    yield Cause("wrong value", f"has `{form.format(has)}` where `{form.format(wants)}` belongs")
                    return


def _only_constant(a: Array, t: Array) -> float | None:
    """c with a = c t, where there is one."""
    tried = np.isfinite(t)
    x, y = np.asarray(a)[tried].ravel(), t[tried].ravel()
    c = float(x @ y) / max(1e-300, float(y @ y))
    return c if c and np.abs(x - c * y).max() <= CLOSE * max(1e-300, np.abs(x).max()) else None


def _plain(c: float, scope: Scope) -> bool:
    return any(math.isclose(number, c, rel_tol=1e-5) for number, _ in formulas(scope))


def _broadcast(v: Array, g: Array) -> Array | None:
    try:
        return np.broadcast_to(v, g.shape) if np.broadcast_shapes(v.shape, g.shape) == g.shape else None
    except ValueError:
        return None


def _reduced(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """A sum or a mean over an axis that should not be, or one that is not there, where shapes do not tell."""
    for count in range(1, g.ndim + 1):
        for axes in combinations(range(g.ndim), count):
            if all(g.shape[axis] == 1 for axis in axes):
                continue
            for name, version in scope.arrays.items():
                v = _broadcast(version.value, g)
                if v is not None and fits(g - v * g.sum(axis=axes, keepdims=True)):
                    yield Cause("path", f"`{name}` times its sum over axis {_listed(axes)} is not taken off")
            if fits(g - g.mean(axis=axes, keepdims=True)):
                yield Cause("mean", f"its mean over axis {_listed(axes)} is not taken off")
            if fits(np.broadcast_to(g.sum(axis=axes, keepdims=True), g.shape)):
                yield Cause("sum", f"is not summed over axis {_listed(axes)}")
            if fits(np.broadcast_to(g.mean(axis=axes, keepdims=True), g.shape)):
                yield Cause("mean", f"is not averaged over axis {_listed(axes)}")
            summed = np.broadcast_to(t.sum(axis=axes, keepdims=True), g.shape)
            if fits(g, summed):
                yield Cause("sum", f"is summed over axis {_listed(axes)} once too often")
            if fits(g, np.broadcast_to(t.mean(axis=axes, keepdims=True), g.shape)):
                yield Cause("mean", f"is averaged over axis {_listed(axes)}")


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
                if number[0].isdigit() and not _plain(abs(c), scope) and number not in ("1",):
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
        if times and fits(g - times * through) and (abs(times + 1) < CLOSE or _said(times + 1, scope)):
            yield Cause("path", f"right but for the path through {v.name} (line {v.line}){_times(times, scope)}")
            return


def _said(c: float, scope: Scope) -> bool:
    """Whether a factor is one that people write: of small numbers, or of sizes and numbers in scope."""
    fraction = Fraction(c).limit_denominator(12)
    return math.isclose(float(fraction), c, rel_tol=1e-5, abs_tol=1e-6) or _plain(c, scope)


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
        v = _broadcast(version.value, g)
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
        others = tuple(k for k in range(g.ndim) if k != axis)
        wrong_at = np.flatnonzero(bad.any(axis=others))
        if len(wrong_at) == 1 and g.shape[axis] > 1:
            yield Cause(
                "index", f"wrong only at index {wrong_at[0]} of axis {axis}{_which(int(wrong_at[0]), g.shape[axis])}"
            )
            return
        right_at = np.flatnonzero(~bad.any(axis=others))
        if len(right_at) == 1 and g.shape[axis] > 2:
            yield Cause(
                "index", f"right only at index {right_at[0]} of axis {axis}{_which(int(right_at[0]), g.shape[axis])}"
            )
            return
    yield Cause("index", f"right at {int(good.sum())} of {int(tried.sum())} entries")


def _which(index: int, size: int) -> str:
    return ", the first" if index == 0 else ", the last" if index == size - 1 else ""


def _listed(axes: Sequence[int]) -> str:
    return " and ".join(map(str, axes))
