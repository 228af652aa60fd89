"""The loss and its terms over epochs."""

from collections.abc import Sequence
from pathlib import Path

from duograd.runner.plots.curves import History, curves_by_metric, draw_over_epochs
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.style import DASHES
from duograd.runner.plots.text import Output


def draw_loss(history: History, out: Output, terms: Sequence[str]) -> Path:
    """Draw the loss and its `terms` (such as mse, l2, kl) for every split that has them; returns the path.

    The axis is logarithmic where all values are positive and span more than a decade. A term that is 0 throughout
    (lambda = 0) is left out, and the subtitle says so.
    """
    names = [f"{split}/{term}" for term in ("loss", *terms) for split in DASHES if f"{split}/{term}" in history]
    curves = curves_by_metric(history, names)
    zero = [curve.name for curve in curves if not (curve.measured.any() or curve.name.endswith("/loss"))]
    shown = [curve for curve in curves if curve.name not in zero]
    note = f"left out, 0 throughout: {', '.join(zero)}" if zero else ""
    return draw_over_epochs(shown, out, ("loss and its terms", note), "auto")


def _draw(run: FinishedRun) -> None:
    history = run.history()
    names = [name.removeprefix("train/") for name in history if name.startswith("train/")]
    terms = [name for name in names if name not in ("loss", "accuracy")]
    draw_loss(history, run.output("loss_curve", f"Loss: {run.title}"), terms)


FIGURE = Figure(_draw)
