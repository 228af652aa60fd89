"""The share of samples whose class is right, over epochs."""

from duograd.runner.plots.curves import draw_metrics
from duograd.runner.plots.figure import Figure, FinishedRun


def _draw(run: FinishedRun) -> None:
    history = run.history()
    names = [name for name in history if name.endswith("/accuracy")]
    draw_metrics(history, names, run.output("accuracy_curve", f"Accuracy: {run.title}"), "share of right classes")


FIGURE = Figure(_draw, needs=["classes"])
