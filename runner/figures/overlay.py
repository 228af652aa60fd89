"""Learning curves of several runs over each other: a panel a split in one scale, one legend for all.

Legend: E epochs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import Scale, scale_for, show_steps, show_values
from duograd.runner.figures.canvas import Body, save, say_empty, sheet
from duograd.runner.figures.curves import Curve, draw_curves, drawable, trace
from duograd.runner.figures.legend import lay_out
from duograd.runner.figures.panels import Gaps, blank, box, in_rows, title_room, write_title
from duograd.runner.figures.style import COLOURS, DASHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

WIDTH = {2: 620, 3: 460}  # pixels of a panel, by how many stand beside each other
HEIGHT = 460
LEFT = 110  # for tick labels
BELOW = 70
PATTERNS = tuple(DASHES.values())
BEGINNING = 0.05  # of all epochs: where losses may fall from a height that would flatten everything after
FLAT = 1 / 3  # of the axis, below which that is what they do
FEWEST = 10  # epochs that have a beginning
MOST = len(COLOURS) * len(PATTERNS)  # runs that colour and dashes can tell apart


@dataclass(frozen=True)
class Line:
    """A run's values (E,), NaN for gaps; a colour and a dash pattern, from 0 on. Lines of one name share a look."""

    name: str
    values: Floats
    colour: int
    dash: int

    @property
    def there(self) -> bool:
        """Whether there is anything to draw."""
        return bool(np.isfinite(drawable(self.values)).any())

    @property
    def style(self) -> dict[str, Any]:
        return {
            "color": COLOURS[self.colour % len(COLOURS)],
            "linestyle": PATTERNS[self.dash % len(PATTERNS)],
            "linewidth": 1.4,
        }


def overlay(
    panels: Mapping[str, Sequence[Line]],
    path: Path,
    title: str,
    what: str,
    footer: str = "",
    wanted: Literal["linear", "auto"] = "auto",
) -> Path:
    """Draw lines over epochs, in a panel for each name such as `train` and `val`; returns `path`.

    A single panel whose lines all have their own names labels them at their ends, with their last values. The scale
    is logarithmic where all values are positive and span more than a decade, unless `wanted` is linear.
    """
    shown = {name: [line for line in lines if line.there] for name, lines in panels.items()}
    empty = dict.fromkeys(line.name for lines in panels.values() for line in lines if not line.there)
    scale, cut = _scale([drawable(line.values) for lines in shown.values() for line in lines], wanted)
    nothing = f"nothing to draw of {', '.join(empty)}" if empty else ""
    subtitle = " · ".join(note for note in (what, "logarithmic" if scale.log else "", cut, nothing) if note)
    epochs = max([1, *(len(line.values) for lines in shown.values() for line in lines)])
    [first, *more] = shown.values()
    if not more and len({line.name for line in first}) == len(first):
        curves = [Curve(l.name, drawable(l.values), l.style["color"], l.style["linestyle"]) for l in first]
        return draw_curves(curves, scale, ("epoch", epochs), path, title, subtitle, footer)
    return _draw_panels(shown, scale, epochs, path, title, subtitle, footer)


def _scale(curves: list[Floats], wanted: Literal["linear", "auto"]) -> tuple[Scale, str]:
    """The range to show, and a note where it leaves out the beginning: the height from which losses fall at first."""
    whole = scale_for(curves, wanted)
    epochs = max((len(values) for values in curves), default=0)
    if wanted == "linear" or epochs < FEWEST:
        return whole, ""
    later = scale_for([values[max(1, int(BEGINNING * epochs)) :] for values in curves], wanted)
    lowest = min(float(np.nanmin(values)) for values in curves)
    flattened = _height(later, whole.log) < FLAT * _height(whole, whole.log)
    if not flattened or later.low > lowest or (later.log and not whole.log):
        return whole, ""
    return Scale(later.low, later.high, later.log), "the first epochs begin above the axis"


def _height(scale: Scale, log: bool) -> float:
    return math.log(scale.high / scale.low) if log else scale.high - scale.low


def _draw_panels(
    panels: Mapping[str, Sequence[Line]], scale: Scale, epochs: int, path: Path, title: str, subtitle: str, footer: str
) -> Path:
    width = WIDTH.get(len(panels), 900)
    names = {line.name: line.style for lines in panels.values() for line in lines}
    total = len(panels) * (LEFT + width)
    legend = lay_out(list(names), list(names.values()), total - LEFT)
    gaps = Gaps(LEFT, BELOW, title_room(list(panels), width))
    places = in_rows(len(panels), len(panels), width, HEIGHT, gaps, legend.height)
    body = Body(total, places[-1].y + HEIGHT + BELOW, 0, 20)
    figure, axes = sheet(body, title, subtitle, footer)
    blank(axes, body)
    legend.draw(axes)
    for (name, lines), place in zip(panels.items(), places, strict=True):
        write_title(axes, name, place)
        inside = box(axes, body, place)
        show_steps(inside, epochs, "epoch")
        show_values(inside, scale)
        inside.tick_params(labelleft=place.left)
        _draw_lines(inside, lines)
    return save(figure, path)


def _draw_lines(axes: "Axes", lines: Sequence[Line]) -> None:
    for line in lines:
        epoch, y, dots = trace(drawable(line.values))
        axes.plot(epoch, y, marker="o", markersize=3, markevery=dots, **line.style)
    if not lines:
        say_empty(axes)
