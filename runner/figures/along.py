"""A number along swept axes: a line for one, a row of panels in one scale for several (each over all the others).

Legend: V values of an axis, K runs at one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import Scale, scale_for, show_values
from duograd.runner.figures.canvas import save, say_empty, sheet
from duograd.runner.figures.curves import drawable
from duograd.runner.figures.lettering import font, line_height
from duograd.runner.figures.panels import Place, blank, box, chart_width, charts, cut
from duograd.runner.figures.style import COLOURS, FAINT, INK, LABEL, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

DECADE = 10.0
CLOSEST = 0.07  # of the axis: values closer than that would print their labels over each other


@dataclass(frozen=True)
class Along:
    """An axis: its name, its values (numbers, or labels) and the runs at each of them, (K,) each."""

    name: str
    values: Sequence[float | str]
    runs: Sequence[Floats]


def along(panels: Sequence[Along], path: Path, title: str, what: str, footer: str = "") -> Path:
    """Draw a dot for each run and a line through the means, with a bar for ± one standard deviation; returns `path`.

    Numbers stand where they belong, on a logarithmic axis where they span more than a decade; numbers that find no
    room so (0, 1e-5, 1e-3), and names, are spaced evenly. `what` says what is drawn.
    """
    width = chart_width(len(panels))
    below = max(_tick_room(panel, width) for panel in panels) + line_height(LABEL) + 30
    places, body = charts(len(panels), below)
    runs = [drawable(values) for panel in panels for values in panel.runs]
    scale = scale_for(runs, "auto")
    figure, axes = sheet(body, title, _says(what, panels, scale), footer)
    blank(axes, body)
    for panel, place in zip(panels, places, strict=True):
        _draw(box(axes, body, place), panel, place, scale)
    return save(figure, path)


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


def _says(what: str, panels: Sequence[Along], scale: Scale) -> str:
    several = any(np.isfinite(values).sum() > 1 for panel in panels for values in panel.runs)
    notes = [what, "logarithmic" if scale.log else "", "dots: runs; line: their mean ± one standard deviation"]
    return " · ".join(note for note in notes[: 3 if several else 2] if note)


def _label(value: float | str) -> str:
    return cut(value) if isinstance(value, str) else f"{value:g}"


def _needs_turning(panel: Along, width: int) -> bool:
    """Whether the labels would touch if they stood upright."""
    x = np.sort(places_of(panel.values)[0]) * 0.9 * width
    widest = max(font(SMALL).getlength(_label(value)) for value in panel.values)
    return len(x) > 1 and bool(np.diff(x).min() < widest + 12)


def _tick_room(panel: Along, width: int) -> int:
    """Pixels that the labels take below the axis."""
    if not _needs_turning(panel, width):
        return line_height(SMALL)
    return round(1.03 * max(font(SMALL).getlength(_label(value)) for value in panel.values))


def _draw(axes: "Axes", panel: Along, place: Place, scale: Scale) -> None:
    x, how = places_of(panel.values)
    runs = [drawable(values) for values in panel.runs]
    _show_places(axes, panel, x, _needs_turning(panel, place.width), how)
    show_values(axes, scale)
    axes.tick_params(labelleft=place.left)
    means = np.array([values[np.isfinite(values)].mean() if np.isfinite(values).any() else np.nan for values in runs])
    order = np.argsort(x)
    order = order[np.isfinite(means[order])]
    joined = isinstance(panel.values[0], int | float)
    style: dict[str, Any] = {"color": COLOURS[0], "linewidth": 1.6}
    axes.plot(x[order], means[order], marker="o", markersize=5, linestyle="-" if joined else "none", **style)
    for at, values, mean in zip(x, runs, means, strict=True):
        _draw_runs(axes, float(at), values[np.isfinite(values)], float(mean))
    if not np.isfinite(means).any():
        say_empty(axes)


def _draw_runs(axes: "Axes", at: float, values: Floats, mean: float) -> None:
    """The runs at one value, where there are several, with mean ± standard deviation (divisor K - 1)."""
    if len(values) < 2:
        return
    axes.plot(np.full(len(values), at), values, "o", color=COLOURS[0], markersize=3.5, alpha=0.35, markeredgewidth=0)
    deviation = float(values.std(ddof=1))
    axes.errorbar(at, mean, yerr=deviation, color=COLOURS[0], linewidth=1.2, capsize=5)


def _show_places(axes: "Axes", panel: Along, x: Floats, turned: bool, how: str) -> None:
    axes.set_xlim(-0.05, 1.05)
    axes.set_xticks(x, [_label(value) for value in panel.values], parse_math=False)
    axes.tick_params(axis="x", labelcolor=INK, labelrotation=90 if turned else 0)
    note = {"log": " (logarithmic)", "linear": "", "even": ""}[how]
    axes.set_xlabel(cut(panel.name) + note, fontsize=LABEL, color=FAINT, parse_math=False)
