"""Axes for curves: epochs or time steps along the bottom, a linear or logarithmic scale up the side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.style import FAINT, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DECADE = 10.0
STEPS = (1, 2, 5, 10)  # between ticks, times a power of ten
DEEPEST = 1e-6  # of the largest value: a term that dies away must not flatten all others


@dataclass(frozen=True)
class Scale:
    """The range of values that an axis shows."""

    low: float
    high: float
    log: bool


def scale_for(curves: Sequence[NDArray[np.float64]], wanted: Literal["linear", "auto"]) -> Scale:
    """A range with a little air around all finite values; "auto" is logarithmic for positive values over a decade."""
    values = np.concatenate([np.empty(0), *curves])
    values = values[np.isfinite(values)]
    if not len(values):
        return Scale(0.0, 1.0, log=False)
    low, high = float(values.min()), float(values.max())
    if wanted == "auto" and low > 0 and high > DECADE * low:
        low = max(low, DEEPEST * high)
        air = (high / low) ** 0.04
        return Scale(low / air, high * air, log=True)
    air = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    return Scale(low - air, high + air, log=False)


def show_steps(axes: "Axes", steps: int, name: str, ticks: int = 8) -> None:
    """Whole numbers from 1 to `steps`; `name` says of what, such as epoch."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    one = steps == 1  # no range to show: the one step stands in the middle
    axes.set_xlim((0.5, 1.5) if one else (1, steps))
    axes.xaxis.set_major_locator(FixedLocator([1]) if one else MaxNLocator(ticks, integer=True, steps=STEPS))
    axes.set_xlabel(name, fontsize=SMALL, color=FAINT)


def show_values(axes: "Axes", scale: Scale, ticks: int = 7) -> None:
    """The scale, with plain numbers at its ticks; over few decades also at 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if scale.log:
        few = scale.high < 1e3 * scale.low
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    axes.set_ylim(scale.low, scale.high)
