"""A number over each of several swept axes, a panel an axis in one scale: lines through means, or a dot for each run.

Legend: V values of an axis, K runs: at one value, or of all, in the order in which they began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duograd.runner.plots.chart import Chart, say_empty
from duograd.runner.plots.scale import DECADE, Floats, Scale, drawable, scale_for, show_numbers, show_values
from duograd.runner.plots.style import COLOURS, INK, SMALL
from duograd.runner.plots.text import Output, cut, joined, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, NARROW, HEIGHT = 900, 420, 400  # pixels of a panel that stands alone, and of one among others
ACROSS = 3  # panels in a row
CLOSEST = 0.07  # of the axis: values closer than that would print their labels over each other
EARLY = "#a6cee3"  # the colour of the first run; the last has the first of the house's
SPREAD = 0.12  # of a category's width: dots of equal value stand beside each other


@dataclass(frozen=True)
class AxisRuns:
    """An axis: its name, its values (numbers, or labels) and what the runs reached at each of them, (K,) each.

    whiskers: the ends of a bar about the mean at each value, (2,) or empty.
    """

    name: str
    values: Sequence[float | str]
    runs: Sequence[Floats]
    whiskers: Sequence[Floats]


@dataclass(frozen=True)
class Parameter:
    """An axis without a grid: its name, and the value of each run (K,), all numbers or all words."""

    name: str
    values: Sequence[float] | Sequence[str]


def lines_by_axis(panels: Sequence[AxisRuns], out: Output, what: str, whiskers: str) -> Path:
    """Draw a dot for each run and a line through the means, with a bar about each; returns the path.

    Numbers stand where they belong, on a logarithmic axis where they span more than a decade; numbers that find no
    room so (0, 1e-5, 1e-3), and names, are spaced evenly. `what` says what is drawn, `whiskers` what the bars are:
    those of two runs, which can be very long, may leave the axis.
    """
    runs = [values[np.isfinite(values)] for panel in panels for values in map(drawable, panel.runs)]
    ends = [
        ends for panel in panels for values, ends in zip(panel.runs, panel.whiskers, strict=True) if len(values) > 2
    ]
    log = scale_for(runs, "auto").log
    scale = scale_for([*runs, *(end[end > 0] if log else end for end in ends)], "auto")
    several = any(len(values) > 1 for values in runs)
    dots = f"dots: runs; line: their mean, {whiskers}" if several else ""
    chart = _chart(len(panels), out, joined(what, scale.note, dots))
    for axes, panel in zip(chart.axes, panels, strict=True):
        _draw_means(chart, axes, panel, scale)
    return chart.save()


def scatter(panels: Sequence[Parameter], reached: Floats, whole: NDArray[np.bool_], out: Output, what: str) -> Path:
    """Draw what runs reached (K,) over each parameter, the later the darker; returns the path.

    whole (K,): false for runs that were ended early, which are hollow. Axes are logarithmic where all values are
    positive and span more than a decade. `what` says what is drawn.
    """
    y = drawable(reached)
    scale = scale_for([y], "auto")
    hollow = "" if whole.all() else "hollow: ended early, with what it had reached"
    chart = _chart(len(panels), out, joined(what, scale.note, "a dot is a run, the later the darker", hollow))
    shades = _shades(len(y))
    faces = np.where(whole[:, None], shades, 0.0)
    for axes, panel in zip(chart.axes, panels, strict=True):
        x = _show_parameter(chart, axes, panel)
        show_values(axes, scale)
        axes.scatter(x, y, s=34, c=faces, edgecolors=list(map(tuple, shades)), linewidths=1.2, zorder=3)
        if not np.isfinite(y).any():
            say_empty(axes)
    return chart.save()


def _chart(panels: int, out: Output, subtitle: str) -> Chart:
    size = (WIDE if panels == 1 else NARROW, HEIGHT)
    chart = Chart(out, subtitle, size, panels, across=min(ACROSS, panels))
    for k, axes in enumerate(chart.axes):
        axes.tick_params(labelleft=chart.is_left(k))
    return chart


# -- means -------------------------------------------------------------------------------------------------------------


def places_of(values: Sequence[float | str]) -> tuple[Floats, str]:
    """Where the values stand, from 0 to 1, and how: `linear`, `log` or `even`."""
    even = np.linspace(0.0, 1.0, len(values)) if len(values) > 1 else np.array([0.5])
    if len(values) < 2 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return even, "even"
    x = np.array(values, np.float64)
    if not np.isfinite(x).all():
        return even, "even"
    log = bool(x.min() > 0 and x.max() > DECADE * x.min())
    x = np.log(x) if log else x
    x = (x - x.min()) / (np.ptp(x) or 1.0)
    roomy = np.diff(np.sort(x)).min() > CLOSEST
    return (x, "log" if log else "linear") if roomy else (even, "even")


def _draw_means(chart: Chart, axes: "Axes", panel: AxisRuns, scale: Scale) -> None:
    x, how = places_of(panel.values)
    runs = [values[np.isfinite(values)] for values in map(drawable, panel.runs)]
    axes.set_xlim(-0.05, 1.05)
    _show_words(chart, axes, x, [value if isinstance(value, str) else f"{value:g}" for value in panel.values])
    chart.label(axes, panel.name, note=" (logarithmic)" if how == "log" else "")
    show_values(axes, scale)
    means = np.array([values.mean() if len(values) else np.nan for values in runs])
    order = np.argsort(x)
    order = order[np.isfinite(means[order])]
    line = "-" if isinstance(panel.values[0], int | float) else "none"  # names have no order to join them in
    axes.plot(x[order], means[order], marker="o", markersize=5, linestyle=line, color=COLOURS[0], linewidth=1.6)
    for at, values, mean, ends in zip(x, runs, means, panel.whiskers, strict=True):
        if len(values) > 1:
            axes.plot([at] * len(values), values, "o", color=COLOURS[0], markersize=3.5, alpha=0.35, markeredgewidth=0)
        if len(ends):
            axes.errorbar(at, mean, yerr=np.abs(ends - mean)[:, None], color=COLOURS[0], linewidth=1.2, capsize=5)
    if not np.isfinite(means).any():
        say_empty(axes)


def _show_words(chart: Chart, axes: "Axes", x: Floats, words: Sequence[str]) -> None:
    """Labels at places x along the bottom, turned where they would touch if they stood upright. Limits must be set."""
    labels = list(map(cut, words))
    low, high = axes.get_xlim()
    apart = np.diff(np.sort(x)).min() / (high - low) * chart.size[0] if len(x) > 1 else chart.size[0]
    axes.set_xticks(x, labels, parse_math=False)
    turned = apart < text_width(labels, SMALL) + 12
    axes.tick_params(axis="x", labelcolor=INK, labelrotation=90 if turned else 0)


# -- dots --------------------------------------------------------------------------------------------------------------


def _shades(runs: int) -> Floats:
    """A colour (K, 4) for each run."""
    from matplotlib.colors import to_rgba

    early, late = np.array(to_rgba(EARLY)), np.array(to_rgba(COLOURS[0]))
    shades: Floats = early + np.linspace(0.0, 1.0, runs)[:, None] * (late - early)
    return shades


def _show_parameter(chart: Chart, axes: "Axes", panel: Parameter) -> Floats:
    """Labels the axis along the bottom; where the runs stand on it (K,)."""
    words = list(dict.fromkeys(value for value in panel.values if isinstance(value, str)))
    if not words:
        x = np.array(panel.values, np.float64)
        scale = scale_for([x], "auto")
        show_numbers(axes, scale)
        chart.label(axes, panel.name, note=" (logarithmic)" if scale.log else "")
        return x
    axes.set_xlim(-0.5, len(words) - 0.5)
    _show_words(chart, axes, np.arange(len(words), dtype=np.float64), words)
    chart.label(axes, panel.name)
    place = np.array([words.index(str(value)) for value in panel.values], np.float64)
    place += SPREAD * np.sin(2.4 * np.arange(len(place)))  # the same at each drawing
    return place
