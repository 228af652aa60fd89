"""The range of values that an axis shows, linear or logarithmic, and its ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duograd.runner.plots.style import FAINT, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

DECADE = 10.0
STEPS = (1, 2, 5, 10)  # between ticks, times a power of ten
UNSHOWABLE = 1e100  # a value beyond it belongs to a diverged run, and no axis can show it


@dataclass(frozen=True)
class Scale:
    """The range of values that an axis shows."""

    low: float
    high: float
    log: bool

    @property
    def note(self) -> str:
        """What a subtitle says of it."""
        return "logarithmic" if self.log else ""


def drawable(values: ArrayLike) -> Floats:
    """Values of any shape as floats, NaN for what no axis can show."""
    y = np.array(values, np.float64)
    y[~(np.abs(y) < UNSHOWABLE)] = np.nan
    return y


def scale_for(values: Sequence[Floats], scaling: Literal["linear", "auto"], deepest: float = 0.0) -> Scale:
    """A range with a little air around all finite values; "auto" is logarithmic for positive values over a decade.

    A logarithmic range goes no lower than `deepest` times the largest value.
    """
    every = np.concatenate([np.empty(0), *values])
    every = every[np.isfinite(every)]
    if not len(every):
        return Scale(0.0, 1.0, log=False)
    low, high = float(every.min()), float(every.max())
    if scaling == "auto" and low > 0 and high > DECADE * low:
        low = max(low, deepest * high)
        air = (high / low) ** 0.04
        return Scale(low / air, high * air, log=True)
    air = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    return Scale(low - air, high + air, log=False)


def show_steps(axes: "Axes", steps: int, name: str, ticks: int = 8) -> None:
    """Whole numbers from 1 to `steps` along the bottom; `name` says of what, such as epoch."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    one = steps == 1  # no range to show: the one step stands in the middle
    axes.set_xlim((0.5, 1.5) if one else (1, steps))
    axes.xaxis.set_major_locator(FixedLocator([1]) if one else MaxNLocator(ticks, integer=True, steps=STEPS))
    axes.set_xlabel(name, fontsize=SMALL, color=FAINT)


def show_values(axes: "Axes", scale: Scale, ticks: int = 7) -> None:
    """The scale up the side, with plain numbers at its ticks; over few decades also at 2 and 5."""
    axes.set_yscale("log" if scale.log else "linear")
    _number_ticks(axes.yaxis, scale, ticks, few=1e3)
    axes.set_ylim(scale.low, scale.high)


def show_numbers(axes: "Axes", scale: Scale) -> None:
    """The scale along the bottom."""
    axes.set_xscale("log" if scale.log else "linear")
    _number_ticks(axes.xaxis, scale, 5, few=1e2)
    axes.set_xlim(scale.low, scale.high)


def _number_ticks(axis: Any, scale: Scale, ticks: int, few: float) -> None:
    """At most so many ticks, whose numbers differ; a logarithmic axis of `few` decades has them at 2 and 5 as well."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if scale.log:
        subs = (1, 2, 5) if scale.high < few * scale.low else (1,)
        axis.set_major_locator(LogLocator(subs=subs, numticks=ticks + 1))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(ticks, steps=STEPS))
    span = (scale.high - scale.low) / max(abs(scale.low), abs(scale.high))
    digits = 6 if scale.log else min(15, max(6, 2 - math.floor(math.log10(span))))  # enough to tell ticks apart
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{digits}g}"))
