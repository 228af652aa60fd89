"""Which of several steps of a difference is believed: the best, but of shorter ones only those that can tell."""

from collections.abc import Callable, Sequence
from math import inf

CLEAR = 0.1  # a shorter step can tell where its rounding is at most this part of what the longer one left


def smallest_error(
    difference: Callable[[float], tuple[float, float]],
    steps: Sequence[float],
    rounding: float,
    tolerance: float,
) -> float:
    """The relative error of a slope by hand at the best of the steps, from long to short.

    difference: of a step, |numerical − by hand| and what it is large or small against. rounding: of a difference, times
    its step. A kink (ReLU at 0) between the points spoils a difference, and a shorter step rarely meets one; but it
    rounds more, and a wrong slope that its rounding hides is not right. Where rounding alone is left, it counts as the
    tolerance at most.
    """
    error = least = inf
    for step in steps:
        noise = rounding / step
        if error < tolerance or noise > CLEAR * least:
            break
        least, scale = difference(step)
        error = min(error, least / max(scale, noise / tolerance if least <= noise else 0.0))
    return error
