"""The loss at every optimizer step of mini-batch training: noise and all, with its running mean.

Legend: S steps, P points drawn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.curves import WIDTH, Curve, label_ends
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.scale import Floats, drawable, scale_for, show_steps, show_values
from duograd.runner.plots.style import DPI
from duograd.runner.plots.text import Output, joined

WINDOWS = 40  # the running mean's window is a 40th of all steps: wide enough to read, narrow enough to follow
MOST_MARKS = 20  # epochs marked; with more of them, every 2nd, 5th, 10th, …
MARK = "#c5cad3"
TWO_PIXELS = 2 * 72 / DPI  # in points: a sharp line
FAINT_LOSS = "#b3d0e4"  # the first colour, thinned


def draw_steps(steps: ArrayLike, losses: ArrayLike, epoch_ends: Sequence[int], out: Output) -> Path:
    """Draw the losses (S,) of steps (S,), counted from 1, and their running mean; returns the path.

    epoch_ends: the last step of each epoch, marked by vertical lines. What is not finite is left out.
    """
    x, y = np.asarray(steps, np.float64), drawable(losses)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    window = max(1, len(y) // WINDOWS)
    mean = Curve(f"mean of {window} steps" if window > 1 else "loss", running_mean(y, window))
    marks, note = _marks(epoch_ends)
    scale = scale_for([y], "auto")
    chart = Chart(out, joined("train/loss of every step", scale.note, note))
    [axes] = chart.axes
    show_steps(axes, int(max([1, *x[-1:]])), "step")
    show_values(axes, scale)
    axes.xaxis.grid(visible=False)  # the vertical lines are the epochs
    axes.vlines(marks, scale.low, scale.high, colors=MARK, linewidth=TWO_PIXELS, snap=True, zorder=1)
    axes.plot(*envelope(x, y), color=FAINT_LOSS, linewidth=0.8, zorder=2)
    axes.plot(x, mean.y, zorder=3, marker="o" if len(y) == 1 else "", **mean.style)
    label_ends(chart, [mean] if len(y) else [])
    return chart.save()


def running_mean(y: Floats, window: int) -> Floats:
    """The mean of the `window` values around each of y (S,), of fewer where y begins and ends: (S,)."""
    sums = np.concatenate([[0.0], np.cumsum(y)])
    k = np.arange(len(y))
    first = np.maximum(k - (window - 1) // 2, 0)
    last = np.minimum(k + window // 2 + 1, len(y))
    means: Floats = (sums[last] - sums[first]) / (last - first)
    return means


def envelope(x: Floats, y: Floats, columns: int = WIDTH) -> tuple[Floats, Floats]:
    """Points (P,) that draw the same as x, y (S,): of very many, only the lowest and highest in each pixel column."""
    if len(y) <= 4 * columns:
        return x, y
    edges = np.linspace(0, len(y), columns + 1).astype(np.intp)[:-1]
    lowest, highest = np.minimum.reduceat(y, edges), np.maximum.reduceat(y, edges)
    return x[edges].repeat(2), np.column_stack([lowest, highest]).ravel()


def _marks(epoch_ends: Sequence[int]) -> tuple[Sequence[int], str]:
    """The steps to mark, and what the marks mean."""
    fitting = (every * decade for decade in (1, 10, 100, 1000, 10_000) for every in (1, 2, 5))
    every = next((n for n in fitting if len(epoch_ends) <= n * MOST_MARKS), len(epoch_ends))
    what = "each epoch" if every == 1 else f"every {every} epochs"
    marks: Any = epoch_ends[every - 1 :: every]
    return marks, f"a vertical line ends {what}" if len(marks) else ""


def _draw(run: FinishedRun) -> None:
    """Nothing for full batches, whose steps are the epochs."""
    losses = run.folder.step_losses()
    if losses:
        steps, values = zip(*losses, strict=True)
        in_epoch = steps[-1] // len(run.history()["epoch"])
        ends = range(in_epoch, steps[-1] + 1, in_epoch)
        draw_steps(steps, values, ends, run.output("step_curve", f"Loss by step: {run.title}"))


FIGURE = Figure(_draw)
