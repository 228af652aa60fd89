"""Values that were predicted against the true ones, and the residuals beside them, a page a value.

Legend: N samples, V values of a sample.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duograd.runner.classification import targets
from duograd.runner.plots.chart import Chart
from duograd.runner.plots.figure import Facts, Figure, FinishedRun
from duograd.runner.plots.scale import Floats, scale_for, show_numbers, show_values
from duograd.runner.plots.style import COLOURS, FAINT
from duograd.runner.plots.text import Output

SIDE = 520  # pixels of a panel
MOST = 6  # values that have a page each
DOTS = 2000  # samples that a page shows: the first so many


def draw_predicted(true: Floats, predicted: Floats, out: Output, what: str) -> Path:
    """Draw predicted (N,) against true (N,) values, and predicted − true against true; returns the path."""
    residuals = predicted - true
    left = f", the first {DOTS} drawn" if len(true) > DOTS else ""
    rmse = np.sqrt((residuals**2).mean())
    chart = Chart(out, f"{len(true)} samples{left} · root mean squared error {rmse:.4g}", (SIDE, SIDE), 2, 2)
    both, error = chart.axes
    along, up = scale_for([true, predicted], "linear"), scale_for([residuals, np.zeros(1)], "linear")
    both.axline((along.low, along.low), slope=1, color=FAINT, linewidth=1)
    error.axhline(0, color=FAINT, linewidth=1)
    for axes, y, scale in ((both, predicted, along), (error, residuals, up)):
        axes.scatter(true[:DOTS], y[:DOTS], s=10, alpha=0.5, color=COLOURS[0], linewidths=0)
        show_numbers(axes, along)
        show_values(axes, scale)
    chart.label(both, f"true {what}", "predicted")
    chart.label(error, f"true {what}", "predicted − true")
    return chart.save()


def in_own_units(values: NDArray[np.floating], run: FinishedRun) -> Floats:
    """Values (N, V) as the data had them before they were standardised."""
    mean, std = np.array(run.data.scales or [(0.0, 1.0)]).T
    return np.asarray(values * std + mean, np.float64)


def _facts(run: FinishedRun) -> Facts:
    """Of each split, the mean absolute and the root mean squared error of each value, in its own units."""
    errors: dict[str, Floats] = {
        name: in_own_units(run.outputs(name), run) - in_own_units(targets(split), run)
        for name, split in run.data.splits.items()
    }
    return {
        "mae": {name: _by_value(run, np.abs(e).mean(axis=0)) for name, e in errors.items()},
        "rmse": {name: _by_value(run, np.sqrt((e**2).mean(axis=0))) for name, e in errors.items()},
    }


def _by_value(run: FinishedRun, errors: Floats) -> dict[str, float]:
    return dict(zip(run.data.values, errors.tolist(), strict=True))


def _draw(run: FinishedRun) -> None:
    name = run.data.held_out
    true, predicted = in_own_units(targets(run.data.splits[name]), run), in_own_units(run.outputs(name), run)
    for v, what in enumerate(run.data.values[:MOST]):
        page = "predicted_against_true" if len(run.data.values) == 1 else f"predicted_against_true_{v + 1}"
        draw_predicted(true[:, v], predicted[:, v], run.output(page, f"Predicted on {name}: {run.title}"), what)


FIGURE = Figure(_draw, _facts, needs=["values"])
