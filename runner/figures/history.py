"""How a search went: what each trial reached, in order, and the best so far.

Legend: K trials.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import scale_for, show_steps, show_values
from duograd.runner.figures.canvas import Body, save, say_empty, sheet
from duograd.runner.figures.curves import drawable
from duograd.runner.figures.style import COLOURS, FAINT

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 900, 400  # pixels of the plotting area
LEFT, BOTTOM = 110, 70  # for the tick labels


def search_history(
    reached: Floats, whole: NDArray[np.bool_], rises: bool, path: Path, title: str, what: str, footer: str = ""
) -> Path:
    """Draw a dot for each trial's value (K,), NaN for none, and a line for the best so far; returns `path`.

    whole (K,): false for trials that were ended early, which are hollow and do not count for the best. rises: whether
    the larger value is the better one. `what` names the value.
    """
    y = drawable(reached)
    scale = scale_for([y[whole] if np.isfinite(y[whole]).any() else y], "auto")
    beyond = y > scale.high if not rises else y < scale.low  # only trials that ended early
    best = best_so_far(np.where(whole, y, np.nan), rises)
    hollow = "" if whole[np.isfinite(y)].all() else "hollow: ended early"
    outside = "triangles: beyond the axis" if beyond.any() else ""
    notes = [what, "logarithmic" if scale.log else "", "a dot is a trial; line: the best so far", hollow, outside]
    body = Body(WIDTH, HEIGHT, LEFT, 20, 10, BOTTOM)
    figure, axes = sheet(body, title, " · ".join(note for note in notes if note), footer)
    show_steps(axes, max(1, len(y)), "trial")
    axes.set_xlim(0.5, max(1, len(y)) + 0.5)
    show_values(axes, scale)
    trial = np.arange(1.0, len(y) + 1)
    axes.step(trial, best, where="post", color=COLOURS[1], linewidth=1.6)
    axes.plot(trial[whole], y[whole], "o", color=COLOURS[0], markersize=5)
    hollow_ones: dict[str, Any] = {"color": FAINT, "markersize": 5, "markerfacecolor": "none", "linestyle": "none"}
    axes.plot(trial[~whole & ~beyond], y[~whole & ~beyond], marker="o", **hollow_ones)
    rim, marker = (scale.low, "v") if rises else (scale.high, "^")
    axes.plot(trial[beyond], np.full(beyond.sum(), rim), marker=marker, clip_on=False, **hollow_ones)
    if not np.isfinite(y).any():
        say_empty(axes)
    return save(figure, path)


def best_so_far(values: Floats, rises: bool) -> Floats:
    """The best of values (K,) up to each of them; NaN before the first."""
    accumulate = np.fmax.accumulate if rises else np.fmin.accumulate
    return np.asarray(accumulate(values), np.float64)
