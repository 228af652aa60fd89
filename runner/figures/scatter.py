"""A number against each of several parameters: a dot for each run, where values form no grid.

Legend: K runs, in the order in which they began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import Scale, scale_for, show_values
from duograd.runner.figures.canvas import save, say_empty, sheet
from duograd.runner.figures.curves import drawable
from duograd.runner.figures.lettering import line_height
from duograd.runner.figures.panels import Place, blank, box, charts, cut
from duograd.runner.figures.style import COLOURS, FAINT, INK, LABEL, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

BELOW = line_height(SMALL) + line_height(LABEL) + 30
EARLY = "#a6cee3"  # the colour of the first run; the last has the first of the house's
SPREAD = 0.12  # of a category's width: dots of equal value stand beside each other


@dataclass(frozen=True)
class Cloud:
    """A parameter: its name, and the value of each run (K,), all numbers or all words."""

    name: str
    values: Sequence[float] | Sequence[str]


def scatter(
    panels: Sequence[Cloud],
    reached: Floats,
    whole: NDArray[np.bool_],
    path: Path,
    title: str,
    what: str,
    footer: str = "",
) -> Path:
    """Draw what runs reached (K,) over each parameter, the later the darker; returns `path`.

    whole (K,): false for runs that were ended early, which are hollow. Axes are logarithmic where all values are
    positive and span more than a decade. `what` says what is drawn.
    """
    places, body = charts(len(panels), BELOW)
    y = drawable(reached)
    scale = scale_for([y], "auto")
    figure, axes = sheet(body, title, _says(what, scale, whole), footer)
    blank(axes, body)
    for panel, place in zip(panels, places, strict=True):
        _draw(box(axes, body, place), panel, place, y, whole, scale)
    return save(figure, path)


def _says(what: str, scale: Scale, whole: NDArray[np.bool_]) -> str:
    hollow = "" if whole.all() else "hollow: ended early, with what it had reached"
    notes = [what, "logarithmic" if scale.log else "", "a dot is a run, the later the darker", hollow]
    return " · ".join(note for note in notes if note)


def _draw(axes: "Axes", panel: Cloud, place: Place, y: Floats, whole: NDArray[np.bool_], scale: Scale) -> None:
    x = _show_parameter(axes, panel)
    show_values(axes, scale)
    axes.tick_params(labelleft=place.left)
    shades = _shades(len(y))
    faces = np.where(whole[:, None], shades, 0.0)
    axes.scatter(x, y, s=34, c=faces, edgecolors=list(map(tuple, shades)), linewidths=1.2, zorder=3)
    if not np.isfinite(y).any():
        say_empty(axes)


def _shades(runs: int) -> Floats:
    """A colour (K, 4) for each run."""
    from matplotlib.colors import to_rgba

    early, late = np.array(to_rgba(EARLY), np.float64), np.array(to_rgba(COLOURS[0]), np.float64)
    share = np.linspace(0.0, 1.0, runs)[:, None]
    shades: Floats = early + share * (late - early)
    return shades


def _show_parameter(axes: "Axes", panel: Cloud) -> Floats:
    """Labels the axis along the bottom; where the runs stand on it (K,)."""
    words = list(dict.fromkeys(v for v in panel.values if isinstance(v, str)))
    note = ""
    if words:
        x = np.array([words.index(str(value)) for value in panel.values], np.float64)
        x += SPREAD * np.sin(2.4 * np.arange(len(x)))  # the same at each drawing
        axes.set_xlim(-0.5, len(words) - 0.5)
        axes.set_xticks(range(len(words)), [cut(word, 12) for word in words], parse_math=False)
        axes.tick_params(axis="x", labelcolor=INK)
    else:
        x = np.array(panel.values, np.float64)
        note = _show_numbers(axes, scale_for([x], "auto"))
    axes.set_xlabel(cut(panel.name) + note, fontsize=LABEL, color=FAINT, parse_math=False)
    return x


def _show_numbers(axes: "Axes", scale: Scale) -> str:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_xlim(scale.low, scale.high)
    if scale.log:
        axes.set_xscale("log")
        few = scale.high < 1e2 * scale.low
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(scale.low, scale.high)
    return " (logarithmic)" if scale.log else ""
