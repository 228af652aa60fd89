"""A factor that is missing, too many, or another's: a value in scope, or a slope that is made of one."""

from collections.abc import Callable
from itertools import permutations, product

import numpy as np

from duograd.runner.gradcheck.comparison import Comparison
from duograd.runner.gradcheck.scope import CLOSE, Cause, is_plain, named
from duograd.runner.gradcheck.versions import Array

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


def elementwise(c: Comparison) -> Cause | None:
    """One value that is missing as a factor, or a factor too many, or in another form than it should be."""
    names = [(name, v) for name, v in values_around(c) if np.ptp(v)]
    with np.errstate(all="ignore"):
        for (has, belongs), (name, v) in product(MISTAKES, names):
            right = c.g * (FORMS[belongs](v) / FORMS[has](v))
            if not np.isfinite(right).all():
                continue
            kind, text = _mistake(has, belongs)
            if c.fits(right):
                return Cause(kind, text.format(v=name))
            if (times := _only_constant(right, c)) and is_plain(times, c.scope):
                is_sign = abs(times + 1) < CLOSE
                also = "its sign is wrong" if is_sign else f"it is {named(times, c.scope)} times too large"
                return Cause(kind, f"{text.format(v=name)}, and {also}")
    return None


def _mistake(has: str, belongs: str) -> tuple[str, str]:
    """The kind of a mistake, and what is said of it."""
    if has and belongs:
        return "wrong factor", f"has `{has}` for `{belongs}`"
    if has:
        return "extra factor", OFTEN.get(has, f"`{has}` is a factor too many")
    if belongs in STOPPED:
        return "mask", f"is not stopped where `{{v}}` is {STOPPED[belongs]}"
    return "missing factor", f"`{belongs}` is missing as a factor"


def mistaken(c: Comparison) -> Cause | None:
    """One value in the place of another, in one of the forms that derivatives have."""
    with np.errstate(all="ignore"):
        for form in OF_TWO:
            made = [(form.format(v=name), FORMS[form](v)) for name, v in values_around(c)]
            for (has, v), (belongs, w) in permutations(made, 2):
                right = c.g * w / v
                if np.isfinite(right).all() and c.fits(right):
                    return Cause("wrong value", f"has `{has}` where `{belongs}` belongs")
    return None


def values_around(c: Comparison) -> list[tuple[str, Array]]:
    """The values around a gradient that may be its factors, in its shape."""
    values = ((name, version.value) for name, version in c.scope.arrays.items())
    return [(name, np.broadcast_to(v, c.g.shape)) for name, v in values if _broadcasts(v.shape, c.g.shape)]


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def _only_constant(a: Array, c: Comparison) -> float | None:
    """The factor between an array and the truth, where there is one."""
    x, (_, y) = a[c.known].ravel(), c.pair
    times = float(x @ y) / max(1e-300, float(y @ y))
    return times if times and np.abs(x - times * y).max() <= CLOSE * max(1e-300, np.abs(x).max()) else None
