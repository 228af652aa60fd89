"""A factor that is missing, too many, or another's: a value in scope, or a slope that is made of one."""

from collections.abc import Callable, Iterator
from itertools import permutations, product

import numpy as np

from duograd.runner.gradcheck.scope import CLOSE, Cause, Fits, Scope, is_plain, named
from duograd.runner.gradcheck.trace import Array

# What people multiply by, made of a value v: slopes, masks and their parts.
FORMS: dict[str, Callable[[Array], Array]] = {
    "": np.ones_like,
    "{v}": lambda v: v,
    "{v} * (1 - {v})": lambda v: v * (1 - v),
    "1 - {v}**2": lambda v: 1 - v * v,
    "1 - {v}": lambda v: 1 - v,
    "{v} > 0": lambda v: (v > 0).astype(float),
    "{v} < 0": lambda v: (v < 0).astype(float),
    "{v} != 0": lambda v: (v != 0).astype(float),
    "{v}**2": lambda v: v * v,
    "|{v}|": np.abs,
    "exp({v})": np.exp,
    "sqrt({v})": np.sqrt,
    "1/sqrt({v})": lambda v: 1 / np.sqrt(v),
}
# Pairs of what stands there and what belongs there, of one value; what is simplest comes first.
MISTAKES = (
    *(("", "{v}"), ("{v}", ""), ("", "{v} * (1 - {v})"), ("", "1 - {v}**2"), ("", "1 - {v}")),
    *(("1 - {v}", ""), ("{v} * (1 - {v})", ""), ("1 - {v}**2", ""), ("", "{v}**2"), ("{v}**2", "")),
    *(("{v}", "1 - {v}"), ("1 - {v}", "{v}")),
    *(("{v} * (1 - {v})", "1 - {v}**2"), ("1 - {v}**2", "{v} * (1 - {v})"), ("1 - {v}", "1 - {v}**2")),
    *(("{v}", "{v} > 0"), ("{v}", "1 - {v}**2"), ("{v}**2", "{v} * (1 - {v})")),
    *(("", "{v} > 0"), ("", "{v} < 0"), ("", "{v} != 0")),
    *(("", "|{v}|"), ("", "exp({v})"), ("", "sqrt({v})"), ("", "1/sqrt({v})")),
)
OFTEN = {"{v}": "is multiplied by `{v}` once too often", "{v}**2": "is multiplied by `{v}` twice too often"}
STOPPED = {"{v} > 0": "not positive", "{v} < 0": "not negative", "{v} != 0": "0"}
OF_TWO = ("{v}", "{v} * (1 - {v})", "1 - {v}**2", "1 - {v}", "{v} > 0")  # forms in which two values are confused


def elementwise(g: Array, t: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """One value that is missing as a factor, or a factor too many, or in another form than it should be."""
    names = [(name, v) for name, v in _values(g, scope) if np.ptp(v)]
    with np.errstate(all="ignore"):
        for (has, belongs), (name, v) in product(MISTAKES, names):
            factors = g * (FORMS[belongs](v) / FORMS[has](v))
            if not np.isfinite(factors).all():
                continue
            kind, text = _mistake(has, belongs)
            if fits(factors):
                yield Cause(kind, text.format(v=name))
                return
            if (c := _only_constant(factors, t)) and is_plain(c, scope):
                also = "its sign is wrong" if abs(c + 1) < CLOSE else f"it is {named(c, scope)} times too large"
                yield Cause(kind, f"{text.format(v=name)}, and {also}")
                return


def _mistake(has: str, belongs: str) -> tuple[str, str]:
    """The kind of a mistake, and what is said of it."""
    if has and belongs:
        return "wrong factor", f"has `{has}` for `{belongs}`"
    if has:
        return "extra factor", OFTEN.get(has, f"`{has}` is a factor too many")
    if belongs in STOPPED:
        return "mask", f"is not stopped where `{{v}}` is {STOPPED[belongs]}"
    return "missing factor", f"`{belongs}` is missing as a factor"


def mistaken(g: Array, fits: Fits, scope: Scope) -> Iterator[Cause]:
    """One value in the place of another, in one of the forms that derivatives have."""
    with np.errstate(all="ignore"):
        for form in OF_TWO:
            made = [(form.format(v=name), FORMS[form](v)) for name, v in _values(g, scope)]
            for (has, v), (belongs, w) in permutations(made, 2):
                factors = g * w / v
                if np.isfinite(factors).all() and fits(factors):
                    yield Cause("wrong value", f"has `{has}` where `{belongs}` belongs")
                    return


def _values(g: Array, scope: Scope) -> list[tuple[str, Array]]:
    """The values around a gradient that may be its factors, in its shape."""
    return [(name, v) for name, version in scope.arrays.items() if (v := broadcast(version.value, g)) is not None]


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
