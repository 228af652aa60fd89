"""Numbers as text: four significant digits, or as many as it takes to tell different values apart."""

import math
from collections.abc import Iterable

FEWEST, MOST = 4, 7


def digits_for(values: Iterable[float]) -> int:
    """The significant digits, 4 to 7, at which different values look different, as far as 7 can show it."""
    finite = {value for value in values if math.isfinite(value)}
    for digits in range(FEWEST, MOST):
        if len({f"{value:.{digits}g}" for value in finite}) == len(finite):
            return digits
    return MOST


def number(value: float, digits: int = FEWEST) -> str:
    """The value to so many significant digits, trailing zeros among them, so that columns line up; a dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value:#.{digits}g}".rstrip(".") if value else "0"
