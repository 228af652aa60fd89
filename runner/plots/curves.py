"""Values over epochs or steps: one panel whose lines are labelled at their ends, or several with a legend for all.

Legend: E epochs. A history maps a metric's name, such as train/loss, to its values (E,); NaN where it was not measured.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from duograd.runner.plots.bars import draw_bars
from duograd.runner.plots.chart import Chart, say_empty
from duograd.runner.plots.line import plot_values
from duograd.runner.plots.scale import Floats, Scale, drawable, scale_for, show_steps, show_values
from duograd.runner.plots.style import COLOURS, DASHES, INK, SMALL
from duograd.runner.plots.text import Output, cut, joined, line_height

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = Mapping[str, ArrayLike]

WIDTH, HEIGHT = 900, 560  # pixels of a panel that stands alone
BESIDE = {2: (620, 460), 3: (460, 460)}  # and of panels beside each other
LEADER = 40  # pixels from the axes to the labels: a piece of each line, which joins it with its name
PATTERNS = tuple(DASHES.values())
MOST_CURVES = len(COLOURS) * len(PATTERNS)  # that colour and dashes can tell apart
DEEPEST = 1e-6  # of the largest value: a term that dies away must not flatten all others
BEGINNING = 0.05  # of all epochs: where losses may fall from a height that would flatten everything after
FLAT = 1 / 3  # of the axis, below which that is what they do
FEWEST = 10  # epochs that have a beginning
SHADE = 0.15  # of a band
LONGEST = 100  # characters of a name beside its curve or bar


@dataclass(frozen=True)
class Band:
    """Around the mean of several runs: its interval (E,). It may leave the axis, whose limits are the curves'."""

    low: Floats
    high: Floats


@dataclass(frozen=True)
class Curve:
    """Values (E,), NaN for gaps; a colour and a dash pattern, from 0 on. Curves of one name share a look."""

    name: str
    values: ArrayLike
    colour: int = 0
    dash: int = 0
    band: Band | None = None

    @property
    def y(self) -> Floats:
        """The values (E,), NaN for what no axis can show."""
        return drawable(self.values)

    @property
    def measured(self) -> Floats:
        """The values that there are, without gaps."""
        return self.y[np.isfinite(self.y)]

    @property
    def style(self) -> dict[str, Any]:
        """Colour and dashes, in matplotlib's words."""
        dash = PATTERNS[self.dash % len(PATTERNS)]
        return {"color": COLOURS[self.colour % len(COLOURS)], "linestyle": dash, "linewidth": 1.4}

    @property
    def label(self) -> str:
        """Its name with its last value."""
        return f"{cut(self.name, LONGEST)}  {self.measured[-1]:.4g}"


def draw_metrics(
    history: History, names: Iterable[str], out: Output, what: str, scaling: Literal["linear", "auto"] = "linear"
) -> Path:
    """Draw the metrics `names` of one or several runs, such as accuracies, over one axis; returns the path.

    Dashes tell splits apart (a word train, val or test in the name), colours the rest of the name; where only the split
    differs, colours tell it too. `scaling="auto"` is logarithmic for positive values that span more than a decade.
    """
    return overlay({"": curves_by_metric(history, names)}, out, what, scaling, beginning=True)


def curves_by_metric(history: History, names: Iterable[str]) -> list[Curve]:
    """One curve a name: colours by metric where there are several, else by split; dashes by split."""
    splits = {name: next((split for split in DASHES if re.search(rf"\b{split}\b", name)), "") for name in names}
    metrics = {name: re.sub(rf"\b{split}\b", "", name) if split else name for name, split in splits.items()}
    keys = metrics if len(set(metrics.values())) > 1 else splits
    order, dashes = list(dict.fromkeys(keys.values())), list(DASHES)
    return [
        Curve(name, history[name], order.index(keys[name]), dashes.index(split) if split else 0)
        for name, split in splits.items()
    ]


def overlay(
    panels: Mapping[str, Sequence[Curve]],
    out: Output,
    what: str,
    scaling: Literal["linear", "auto"] = "auto",
    note: str = "",
    beginning: bool = False,
    along: str = "epoch",
) -> Path:
    """Draw curves, in a panel for each name such as `train` and `val`; returns the path.

    A single panel whose curves all have their own names labels them at their ends, with their last values; one epoch
    is bars. The scale is logarithmic where all values are positive and span more than a decade, unless `scaling` is
    linear; without `beginning` it leaves out the first epochs where they would flatten all others. `note`: what else
    there is to say. `along`: what they go along.
    """
    every = [curve for curves in panels.values() for curve in curves]
    empty = dict.fromkeys(curve.name for curve in every if not len(curve.measured))
    full = {name: [curve for curve in curves if len(curve.measured)] for name, curves in panels.items()}
    values = [curve.y for curves in full.values() for curve in curves]
    scale, left_out = (scale_for(values, scaling, DEEPEST), "") if beginning else scale_of_most(values, scaling)
    nothing = f"nothing to draw of {', '.join(empty)}" if empty else ""
    epochs = max([1, *map(len, values)])
    if epochs == 1 and values:
        named = [(f"{panel} {curve.name}", curve) for panel, curves in full.items() for curve in curves]
        return _draw_numbers(named, out, joined(what, f"after one {along}", note, nothing))
    subtitle = joined(what, scale.note, left_out, note, nothing)
    [first, *more] = full.values()
    if not more and len({curve.name for curve in first}) == len(first):
        return draw_curves(first, scale, (along, epochs), out, subtitle)
    return _draw_beside(full, scale, (along, epochs), out, subtitle)


def _draw_beside(
    panels: Mapping[str, Sequence[Curve]], scale: Scale, along: tuple[str, int], out: Output, subtitle: str
) -> Path:
    """Panels in one scale, with a legend for all."""
    size, count = BESIDE.get(len(panels), (WIDTH, HEIGHT)), len(panels)
    chart = Chart(out, subtitle, size, panels=count, across=count)
    chart.names = list({curve.name: curve.style for curves in panels.values() for curve in curves}.items())
    for panel, (name, curves) in enumerate(panels.items()):
        axes = chart.axes[panel]
        chart.entitle(axes, name)
        axes.tick_params(labelleft=chart.is_left(panel))
        _draw_panel(axes, curves, scale, along)
        if not curves:
            say_empty(axes)
    return chart.save()


def draw_curves(curves: Sequence[Curve], scale: Scale, along: tuple[str, int], out: Output, subtitle: str) -> Path:
    """Draw curves, each with a value to show, over an axis `along` of a name and its last step; returns the path."""
    chart = Chart(out, subtitle, (WIDTH, max(HEIGHT, line_height(SMALL) * len(curves))))
    _draw_panel(chart.axes[0], curves, scale, along)
    label_ends(chart, curves)
    return chart.save()


def _draw_numbers(curves: Sequence[tuple[str, Curve]], out: Output, subtitle: str) -> Path:
    """What one epoch reached: nothing that a line could show."""
    bars = [(cut(name.strip(), LONGEST), float(curve.measured[-1])) for name, curve in curves]
    colours = [curve.style["color"] for _, curve in curves]
    whiskers = [(curve.band.low[-1], curve.band.high[-1]) if curve.band else None for _, curve in curves]
    return draw_bars(bars, out, subtitle, "{:.4g}".format, colours, whiskers=whiskers)


def label_ends(chart: Chart, curves: Sequence[Curve]) -> None:
    """Names at the right, as high as the curves end, moved apart where they would overlap."""
    [axes], (width, height) = chart.axes, chart.size
    if not curves:
        say_empty(axes)
        return
    to_shares = axes.transData + axes.transAxes.inverted()
    ends = np.clip([to_shares.transform((1, curve.measured[-1]))[1] for curve in curves], 0, 1)
    places = spread(ends, line_height(SMALL) / height, 0, 1)
    frame: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    for curve, end, place in zip(curves, ends, places, strict=True):
        axes.plot([1, 1 + LEADER / width], [end, place], **curve.style, **frame)
        text: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "center", "parse_math": False}
        axes.text(1 + 1.2 * LEADER / width, place, curve.label, **text, **frame)


def spread(positions: Floats, gap: float, low: float, high: float) -> Floats:
    """Places (n,) close to the given ones (n,), at least `gap` apart, within [low, high] where they all fit."""
    order = np.argsort(positions, kind="stable")
    step = gap * np.arange(len(positions))
    flat = positions[order] - step  # in these coordinates "at least gap apart" is "not decreasing"
    upwards = np.maximum.accumulate(flat)
    downwards = np.minimum.accumulate(flat[::-1])[::-1]
    placed = np.clip((upwards + downwards) / 2, low, high - step[-1]) + step
    return placed[np.argsort(order)]


def scale_of_most(curves: Sequence[Floats], scaling: Literal["linear", "auto"]) -> tuple[Scale, str]:
    """The range to show, and a note where it leaves out the beginning: the height from which losses fall at first."""
    whole = scale_for(curves, scaling, DEEPEST)
    epochs = max((len(values) for values in curves), default=0)
    if scaling == "linear" or epochs < FEWEST:
        return whole, ""
    later = scale_for([values[max(1, int(BEGINNING * epochs)) :] for values in curves], scaling, DEEPEST)
    lowest = min(float(np.nanmin(values)) for values in curves)
    flattened = _height(later, whole.log) < FLAT * _height(whole, whole.log)
    if not flattened or later.low > lowest or (later.log and not whole.log):
        return whole, ""
    return later, "the first epochs begin above the axis"


def _height(scale: Scale, log: bool) -> float:
    return math.log(scale.high / scale.low) if log else scale.high - scale.low


def _draw_panel(axes: "Axes", curves: Sequence[Curve], scale: Scale, along: tuple[str, int]) -> None:
    name, steps = along
    show_steps(axes, steps, name)
    show_values(axes, scale)
    for curve in curves:
        if curve.band is not None:
            low, high = (drawable(values) for values in (curve.band.low, curve.band.high))
            low = np.where(np.isfinite(high), np.fmax(low, scale.low), np.nan)  # below a logarithmic axis is no value
            shade = {"color": curve.style["color"], "alpha": SHADE, "linewidth": 0}
            axes.fill_between(np.arange(1, len(low) + 1), low, high, **shade)
        plot_values(axes, curve.y, **curve.style)
