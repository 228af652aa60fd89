"""Small multiples of sensor windows: what a classifier was given, what it was, and what the classifier said.

Legend: K windows, T time steps, S channels. Lengths are pixels, counted from the body's top left corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import Scale, scale_for, show_steps, show_values
from duograd.runner.figures.canvas import Body, legible, plain, save, say_empty, sheet
from duograd.runner.figures.curves import drawable, trace
from duograd.runner.figures.legend import Style, lay_out
from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.style import COLOURS, DASHES, INK, LABEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

MOST = 12  # windows shown
COLUMNS = 3
WIDTH = 1080  # of all columns
HIGHEST = 400  # a panel that stands alone
FLAT, TALL = 0.5, 0.8  # a panel's height by its width: more channels than colours need more room
GUTTER = 36  # between panels, for the last tick label of one beside the next
LEFT, RIGHT, BOTTOM = 80, 24, 64  # for the tick labels
TOP = 10  # above the legend
UNDER_TITLE = 6
TICKS = 4  # on each axis of a small panel

WRONG = COLOURS[1]  # no channel has it
PALE = "#fdf3ec"  # WRONG, thinned to a background on which every line keeps its contrast
LINES = [colour for colour in COLOURS if colour != WRONG]


@dataclass(frozen=True)
class Panel:
    """One window's place, and its title in lines; the title stands on top of the box."""

    lines: list[str]
    wrong: bool
    x: int
    y: int
    width: int
    height: int
    left: bool  # the first of its row: it has the values' tick labels
    lowest: bool  # the last of its column: it has the steps'


def windows(
    windows: NDArray[np.floating[Any]],
    channels: Sequence[str],
    units: str,
    true: Sequence[str],
    predicted: Sequence[str],
    path: Path,
    title: str,
    footer: str = "",
) -> Path:
    """Draw windows (K, T, S) in panels of one scale, a line per channel and one legend for all; returns `path`.

    true, predicted: each window's class (K,). A window that was recognised is titled by its class; for one that was
    not the title goes on with what was said instead, and the panel is framed in a warm colour.
    channels: the lines' names (S,); units: what is measured, such as "acceleration (g)". The first 12 are shown.
    """
    values = drawable(_checked(np.asarray(windows), channels, true, predicted)[:MOST])
    titles = list(zip(true, predicted, strict=True))[:MOST]
    styles = [_style(channel) for channel in range(len(channels))]
    legend = lay_out(channels, styles, WIDTH)
    panels = _panels(titles, legend.height, FLAT if len(channels) <= len(LINES) else TALL)
    body = Body(WIDTH, panels[-1].y + panels[-1].height, LEFT, RIGHT, TOP, BOTTOM)
    figure, axes = sheet(body, title, _subtitle(units, titles, len(windows)), footer)
    _count_pixels(axes, body)
    legend.draw(axes)
    scale = scale_for([values.ravel()], "linear")
    for panel, window in zip(panels, values, strict=True):
        _write_title(axes, panel)
        _draw_lines(_box(axes, panel, body, scale, len(window)), window, styles)
    return save(figure, path)


def _checked(
    windows: NDArray[Any], channels: Sequence[str], true: Sequence[str], predicted: Sequence[str]
) -> NDArray[Any]:
    if windows.ndim != 3 or 0 in windows.shape:
        raise ValueError(
            f"windows have shape {windows.shape}: expected (windows, time steps, channels), none of them 0"
        )
    for what, names, count in (
        ("channels", channels, windows.shape[2]),
        ("true classes", true, len(windows)),
        ("predicted classes", predicted, len(windows)),
    ):
        if len(names) != count:
            raise ValueError(f"{len(names)} {what} for windows of shape {windows.shape}: expected {count}")
    return windows


def _style(channel: int) -> Style:
    """Colours first, then the same ones dashed: 18 lines that differ."""
    dashes = list(DASHES.values())
    dash = dashes[channel // len(LINES) % len(dashes)]
    return {"color": LINES[channel % len(LINES)], "linestyle": dash, "linewidth": 1.1}


def _subtitle(units: str, titles: Sequence[tuple[str, str]], count: int) -> str:
    right = sum(true == predicted for true, predicted in titles)
    notes = [
        units,
        "one scale for all windows" if len(titles) > 1 else "",
        f"{right} of {len(titles)} recognised",
        f"the first {len(titles)} of {count} windows" if count > len(titles) else "",
    ]
    return " · ".join(note for note in notes if note)


def _panels(titles: Sequence[tuple[str, str]], top: int, shape: float) -> list[Panel]:
    """Panels in rows that are as even as they can be, from `top` down; a row is as high as its longest title needs."""
    columns = math.ceil(len(titles) / math.ceil(len(titles) / COLUMNS))
    width = (WIDTH + GUTTER) // columns - GUTTER
    height = min(HIGHEST, round(shape * width))
    panels: list[Panel] = []
    for start in range(0, len(titles), columns):
        row = titles[start : start + columns]
        lines = [_title(true, predicted, width) for true, predicted in row]
        top += line_height(LABEL) * max(map(len, lines)) + UNDER_TITLE
        for column, (true, predicted) in enumerate(row):
            lowest = start + column + columns >= len(titles)
            x = column * (width + GUTTER)
            panels.append(Panel(lines[column], true != predicted, x, top, width, height, column == 0, lowest))
        top += height + GUTTER
    return panels


def _title(true: str, predicted: str, width: int) -> list[str]:
    """The class, and if it was not recognised what was said: on a line of its own where one is too short for both."""
    if true == predicted:
        return wrap(legible(true), 0.97 * width, font(LABEL))
    face = font(LABEL, bold=True)
    said = legible(f"→ said {predicted}")
    line = f"{legible(true)} {said}"
    return wrap(line if face.getlength(line) <= 0.97 * width else f"{legible(true)}\n{said}", 0.97 * width, face)


def _count_pixels(axes: "Axes", body: Body) -> None:
    """Make the body's axes a blank sheet with pixels for coordinates, downwards from the top left."""
    axes.set_axis_off()
    axes.set_xlim(0, body.width)
    axes.set_ylim(body.height, 0)
    axes.set_autoscale_on(False)


def _write_title(axes: "Axes", panel: Panel) -> None:
    top = panel.y - UNDER_TITLE - line_height(LABEL) * len(panel.lines)
    colour, weight = (WRONG, "bold") if panel.wrong else (INK, "normal")
    for row, line in enumerate(panel.lines):
        y = top + row * line_height(LABEL)
        axes.text(panel.x, y, line, fontsize=LABEL, color=colour, fontweight=weight, va="top", parse_math=False)


def _box(axes: "Axes", panel: Panel, body: Body, scale: Scale, steps: int) -> "Axes":
    """The panel's own axes, with tick labels only at the left and at the bottom."""
    x, y = panel.x / body.width, 1 - (panel.y + panel.height) / body.height
    box = plain(axes.inset_axes((x, y, panel.width / body.width, panel.height / body.height)))
    show_steps(box, steps, "time step" if panel.lowest else "", TICKS)
    show_values(box, scale, TICKS)
    box.tick_params(labelleft=panel.left, labelbottom=panel.lowest)
    if panel.wrong:
        box.set_facecolor(PALE)
        box.spines[:].set(visible=True, color=WRONG, linewidth=1.2)
    return box


def _draw_lines(box: "Axes", window: Floats, styles: Sequence[Style]) -> None:
    """Channels of a window (T, S), with gaps where values are missing."""
    for channel, style in zip(window.T, styles, strict=True):
        step, y, dots = trace(channel)
        box.plot(step, y, marker="o", markersize=2.5, markevery=dots, **style)
    if not np.isfinite(window).any():
        say_empty(box)
