"""A factor that is missing, too many, or another's: a value in scope, or a slope that is made of one."""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from duograd.runner.gradcheck.scope import CLOSE, Cause, Fits, Scope, is_plain, named
from duograd.runner.gradcheck.trace import Array

SHAPES: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("{}", lambda v: v),
    ("{0} * (1 - {0})", lambda v: v * (1 - v)),
    ("1 - {}**2", lambda v: 1 - v * v),
    ("1 - {}", lambda v: 1 - v),
    ("{} > 0", lambda v: (v > 0).astype(float)),
)


def elementwise(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    with np.errstate(all="ignore"):
        tried: list[tuple[Array, str, str, int]] = []
        for a, version in scope.arrays.items():
            v = broadcast(version.value, g)
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
            if (c := _only_constant(product, t)) and is_plain(c, scope):
                also = (
                    ", and its sign is wrong"
                    if abs(c + 1) < CLOSE
                    else f", and it is {named(c, scope)} times too large"
                )
                yield Cause(kind, text + also)
                return


def mistaken(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """One value in the place of another, in one of the forms that derivatives have."""
    fitting = [(name, v) for name, version in scope.arrays.items() if (v := broadcast(version.value, g)) is not None]
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


def broadcast(v: Array, g: Array) -> Array | None:
    try:
        return np.broadcast_to(v, g.shape) if np.broadcast_shapes(v.shape, g.shape) == g.shape else None
    except ValueError:
        return None
