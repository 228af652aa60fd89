"""Small multiples of sensor windows: what a classifier was given, what it was, and what the classifier said.

Legend: K windows, T time steps, S channels.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.classification import targets
from duograd.runner.plots.chart import Chart, say_empty
from duograd.runner.plots.curves import PATTERNS
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.line import plot_values
from duograd.runner.plots.scale import drawable, scale_for, show_steps, show_values
from duograd.runner.plots.style import COLOURS
from duograd.runner.plots.text import Output, joined

MOST, MOST_WRONG = 12, 6  # windows shown, and those of them that were not recognised
COLUMNS = 3
WIDTH, HIGHEST = 1080, 400  # pixels of a row of panels, and of a panel that stands alone
GUTTER = 16  # between panels, about
FLAT, TALL = 0.5, 0.8  # a panel's height by its width: more channels than colours need more room
TICKS = 4  # on each axis of a small panel

WRONG = COLOURS[1]  # no channel has it
PALE = "#fdf3ec"  # WRONG, thinned to a background on which every line keeps its contrast
LINES = [colour for colour in COLOURS if colour != WRONG]


def draw_windows(
    windows: NDArray[np.floating[Any]],
    channels: Sequence[str],
    units: str,
    true: Sequence[str],
    predicted: Sequence[str],
    out: Output,
) -> Path:
    """Draw windows (K, T, S) in panels of one scale, a line per channel and one legend for all; returns the path.

    true, predicted: each window's class (K,). A window that was recognised is titled by its class; for one that was
    not the title goes on with what was said instead, and the panel is framed in a warm colour.
    channels: the lines' names (S,); units: what is measured, such as "acceleration (g)". The first 12 are shown.
    """
    values = drawable(windows[:MOST])
    count = len(values)
    across = math.ceil(count / math.ceil(count / COLUMNS))  # rows as even as they can be
    width = (WIDTH + GUTTER) // across - GUTTER
    size = width, min(HIGHEST, round((FLAT if len(channels) <= len(LINES) else TALL) * width))
    chart = Chart(out, _subtitle(units, true, predicted), size, count, across)
    styles = [channel_style(channel) for channel in range(len(channels))]
    chart.names = list(zip(channels, styles, strict=True))
    scale = scale_for([values.ravel()], "linear")
    for panel, (axes, window) in enumerate(zip(chart.axes, values, strict=True)):
        lowest, is_wrong = chart.is_lowest(panel), true[panel] != predicted[panel]
        show_steps(axes, len(window), "time step" if lowest else "", TICKS)
        show_values(axes, scale, TICKS)
        axes.tick_params(labelleft=chart.is_left(panel), labelbottom=lowest)
        if is_wrong:
            chart.entitle(axes, f"{true[panel]} → said {predicted[panel]}", WRONG, bold=True)
            axes.set_facecolor(PALE)
            axes.spines[:].set(visible=True, color=WRONG, linewidth=1.2)
        else:
            chart.entitle(axes, true[panel])
        for channel, style in zip(window.T, styles, strict=True):
            plot_values(axes, channel, **style)
        if not np.isfinite(window).any():
            say_empty(axes)
    return chart.save()


def channel_style(channel: int) -> dict[str, Any]:
    """Colours first, then the same ones dashed: 18 lines that differ."""
    dash = PATTERNS[channel // len(LINES) % len(PATTERNS)]
    return {"color": LINES[channel % len(LINES)], "linestyle": dash, "linewidth": 1.1, "markersize": 2.5}


def _subtitle(units: str, true: Sequence[str], predicted: Sequence[str]) -> str:
    pairs = list(zip(true, predicted, strict=True))[:MOST]
    return joined(
        units,
        "one scale for all windows" if len(pairs) > 1 else "",
        f"{sum(name == said for name, said in pairs)} of {len(pairs)} recognised",
        f"the first {len(pairs)} of {len(true)} windows" if len(true) > len(pairs) else "",
    )


def _draw(run: FinishedRun) -> None:
    """Some samples, wrong ones among them where there are any."""
    split = run.data.splits[run.data.held_out]
    predicted = run.outputs(run.data.held_out).argmax(axis=1)
    index = _sample(targets(split), predicted, run.seed)
    classes = np.array(run.data.classes)
    true, said = classes[targets(split)[index]].tolist(), classes[predicted[index]].tolist()
    out = run.output("windows", f"Windows: {run.title}")
    draw_windows(split.inputs[index], run.data.channels, run.data.units, true, said, out)


def _sample(true: NDArray[Any], predicted: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Random samples, the wrong ones among them last."""
    order = np.random.default_rng(seed).permutation(len(true))
    is_right = predicted[order] == true[order]
    wrong = order[~is_right][:MOST_WRONG]
    return np.concatenate([order[is_right][: MOST - len(wrong)], wrong])


FIGURE = Figure(_draw, needs=["classes", "channels"])
