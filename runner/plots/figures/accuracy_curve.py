"""The share of samples whose class is right, over epochs."""

from duograd.runner.plots.curves import draw_metrics
from duograd.runner.plots.figure import Figure, FinishedRun


def _draw(run: FinishedRun) -> None:
    history = run.history()
    names = [name for name in history if name.endswith("/accuracy")]
    title, what = f"Accuracy: {run.title}", "share of right classes"
    draw_metrics(history, names, run.path("accuracy_curve"), title, what, run.footer)


FIGURE = Figure(_draw, needs=["classes"])
