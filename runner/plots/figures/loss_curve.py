"""The loss and its terms over epochs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from duograd.runner.plots.curves import History, curves_by_metric, overlay
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.scale import drawable
from duograd.runner.plots.style import DASHES
from duograd.runner.plots.text import Output
from duograd.runner.registry import higher_is_better

SAME = 1e-6  # of the loss: less than any line's width


def draw_loss(history: History, out: Output, terms: Sequence[str]) -> Path:
    """Draw the loss and its `terms` (such as mse, l2, kl) for every split that has them; returns the path.

    The axis is logarithmic where all values are positive and span more than a decade. A term that is 0 throughout
    (lambda = 0) is left out, and so is one that is all of the loss; the subtitle says so.
    """
    splits = [split for split in DASHES if f"{split}/loss" in history]
    whole = [term for term in terms if all(_is_loss(history, split, term) for split in splits)]
    parts = ("loss", *(term for term in terms if term not in whole))
    names = [f"{split}/{term}" for term in parts for split in DASHES if f"{split}/{term}" in history]
    curves = curves_by_metric(history, names)
    zero = [curve.name for curve in curves if not (curve.measured.any() or curve.name.endswith("/loss"))]
    rest = [curve for curve in curves if curve.name not in zero]
    left_out = f"left out, 0 throughout: {', '.join(zero)}" if zero else ""
    what = f"the loss is {whole[0]}" if whole else "loss and its terms"
    return overlay({"": rest}, out, what, "auto", left_out, beginning=True)


def _is_loss(history: History, split: str, term: str) -> bool:
    values, loss = (drawable(history.get(f"{split}/{name}", [])) for name in (term, "loss"))
    return values.shape == loss.shape and np.allclose(values, loss, rtol=SAME, atol=0, equal_nan=True)


def _draw(run: FinishedRun) -> None:
    history = run.history()
    names = [name.removeprefix("train/") for name in history if name.startswith("train/")]
    terms = [name for name in names if name != "loss" and not higher_is_better(name)]
    draw_loss(history, run.output("loss_curve", f"Loss: {run.title}"), terms)


FIGURE = Figure(_draw)
