"""How a search went: what each trial reached, in order, with the best so far; and which parameters mattered.

Legend: K trials.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.plots.bars import draw_bars
from duograd.runner.plots.chart import Chart, say_empty
from duograd.runner.plots.scale import Floats, drawable, scale_for, show_steps, show_values
from duograd.runner.plots.style import COLOURS, FAINT
from duograd.runner.plots.text import Output, cut, joined

SIZE = (900, 400)  # pixels of the panel


def search_history(reached: Floats, whole: NDArray[np.bool_], rises: bool, out: Output, what: str) -> Path:
    """Draw a dot for each trial's value (K,), NaN for none, and a line for the best so far; returns the path.

    whole (K,): false for trials that were ended early, which are hollow and do not count for the best. rises: whether
    the larger value is the better one. `what` names the value.
    """
    y = drawable(reached)
    scale = scale_for([y[whole] if np.isfinite(y[whole]).any() else y], "auto")
    beyond = y > scale.high if not rises else y < scale.low  # only trials that ended early
    hollow = "" if whole[np.isfinite(y)].all() else "hollow: ended early"
    outside = "triangles: beyond the axis" if beyond.any() else ""
    subtitle = joined(what, scale.note, "a dot is a trial; line: the best so far", hollow, outside)
    chart = Chart(out, subtitle, SIZE)
    [axes] = chart.axes
    show_steps(axes, max(1, len(y)), "trial")
    axes.set_xlim(0.5, max(1, len(y)) + 0.5)
    show_values(axes, scale)
    trial = np.arange(1.0, len(y) + 1)
    best = best_so_far(np.where(whole, y, np.nan), rises)
    axes.step(trial, best, where="post", color=COLOURS[1], linewidth=1.6)
    axes.plot(trial[whole], y[whole], "o", color=COLOURS[0], markersize=5)
    hollow_ones: dict[str, Any] = {"color": FAINT, "markersize": 5, "markerfacecolor": "none", "linestyle": "none"}
    axes.plot(trial[~whole & ~beyond], y[~whole & ~beyond], marker="o", **hollow_ones)
    rim, marker = (scale.low, "v") if rises else (scale.high, "^")
    axes.plot(trial[beyond], np.full(beyond.sum(), rim), marker=marker, clip_on=False, in_layout=False, **hollow_ones)
    if not np.isfinite(y).any():
        say_empty(axes)
    return chart.save()


def best_so_far(values: Floats, rises: bool) -> Floats:
    """The best of values (K,) up to each of them; NaN before the first."""
    accumulate = np.fmax.accumulate if rises else np.fmin.accumulate
    return np.asarray(accumulate(values), np.float64)


def share_bars(shares: Mapping[str, float], out: Output, what: str) -> Path:
    """Draw a bar for each parameter's share, 0 to 1, the largest first; returns the path. At least one parameter."""
    ordered = [(cut(name), share) for name, share in sorted(shares.items(), key=lambda item: -item[1])]
    return draw_bars(ordered, out, what, lambda share: f"{100 * share:.0f} %", longest=1.0)
