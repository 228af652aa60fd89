"""A line over epochs or steps, of values of which some were never measured.

Legend: E epochs.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.runner.plots.scale import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DOTS = 40  # more of them would hide the line that joins them


def plot_values(axes: "Axes", values: Floats, **style: Any) -> None:
    """A line over steps from 1 with gaps where values (E,) are NaN, and a dot where one stands alone."""
    step, y, dots = trace(values)
    axes.plot(step, y, marker="o", markevery=dots, **{"markersize": 3, **style})


def trace(values: Floats) -> tuple[Floats, Floats, list[int]]:
    """Epochs and values to draw, and at which of them a dot, from values (E,) with NaN for gaps.

    A metric that is measured only every few epochs is mostly lone values: they are joined, and dotted if they are few.
    """
    epoch, there = np.arange(1.0, len(values) + 1), np.isfinite(values)
    beside = np.concatenate([[False], there[:-1]]) | np.concatenate([there[1:], [False]])
    lone = there & ~beside
    if 2 * lone.sum() <= there.sum():
        return epoch, values, np.flatnonzero(lone).tolist()
    count = int(there.sum())
    return epoch[there], values[there], list(range(count)) if count <= MOST_DOTS else []
