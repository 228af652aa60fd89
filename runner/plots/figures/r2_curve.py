"""R² over epochs: how much better the values are said than by the mean target."""

from duograd.runner.plots.curves import draw_metrics
from duograd.runner.plots.figure import Figure, FinishedRun


def _draw(run: FinishedRun) -> None:
    history = run.history()
    names = [name for name in history if name.endswith("/r2")]
    draw_metrics(history, names, run.output("r2_curve", f"R²: {run.title}"), "R²: 1 is perfect, 0 the mean target")


FIGURE = Figure(_draw, needs=["values"])
