"""The mistakes of which a classifier is most sure: images with what they are and what was said of them.

Legend: N samples, C classes, K images drawn, H height, W width.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from duograd.runner.classification import targets
from duograd.runner.plots.figure import Array, Figure, FinishedRun
from duograd.runner.plots.images import Images, as_pictures, fit_side, tile
from duograd.runner.plots.page import LABEL_GAP, as_image, beside, letter, save_page, stack
from duograd.runner.plots.scale import Floats
from duograd.runner.plots.style import INK, SMALL
from duograd.runner.plots.text import Output, joined

COLUMNS, MOST = 5, 25  # images in a row, and in all
SIDE = 192  # pixels of an image
CELL = 216  # pixels of a column: a label is wrapped to it
GAP = 22  # pixels between cells


def draw_mistakes(
    images: Images,
    labels: Sequence[str],
    counts: tuple[int, int],
    measure: str,
    out: Output,
) -> Path:
    """Draw images (K, H, W, 3) or (K, H, W) in [0, 1], the worst first, each under its label; returns the path.

    counts: how many samples are wrong, and of how many; measure: what tells the worst, in words. The first 25 are
    shown. Without a mistake the page says so.
    """
    wrong, total = counts
    if not wrong:
        return save_page(stack([], 0), out, f"None: each of the {total} images is taken for what it is.")
    order = f"the {min(wrong, MOST)} surest first" if wrong > 1 else ""
    subtitle = joined(f"{wrong} of {total} images are taken for something else", order, measure)
    cells = [_cell(image, label) for image, label in zip(images[:MOST], labels[:MOST], strict=True)]
    rows = [beside(cells[start : start + COLUMNS], GAP) for start in range(0, len(cells), COLUMNS)]
    return save_page(stack(rows, GAP), out, subtitle)


def _cell(image: Images, label: str) -> Image.Image:
    """An image under its label; as wide as a column, so that all rows keep to them."""
    return stack([letter(label, SMALL, INK, CELL), as_image(fit_side(tile(image[None]), SIDE))], LABEL_GAP)


def probabilities(scores: Array, said: Array) -> Floats:
    """softmax(scores)[said]: scores (N, C), said (N,) -> (N,). In float64, where the surest still differ."""
    z = scores.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    p: Floats = np.exp(z[np.arange(len(z)), said]) / np.exp(z).sum(axis=1)
    return p


def margins(scores: Array, true: Array, said: Array) -> Floats:
    """How far the score of what was said is above that of the true class: scores (N, C) -> (N,)."""
    rows = np.arange(len(scores))
    margin: Floats = scores[rows, said].astype(np.float64) - scores[rows, true]
    return margin


def _draw(run: FinishedRun) -> None:
    name, classes = run.data.held_out, run.data.classes
    split = run.data.splits[name]
    true, scores = targets(split), run.outputs(name)
    said = scores.argmax(axis=1)
    if f"{name}/cross_entropy" in run.metrics:
        sure, form = 100 * probabilities(scores, said), "{:.1f} %".format
        measure = "percent: the probability given to what was said"
    else:
        sure, form = margins(scores, true, said), "{:+.3g}".format
        measure = "number: how far the score of what was said is above that of what it is"
    wrong = np.flatnonzero(said != true)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST]
    labels = [f"{classes[true[i]]} → {classes[said[i]]} {form(float(sure[i]))}" for i in worst]
    out = run.output("mistakes", f"Surest mistakes on {name}: {run.title}")
    counts = len(wrong), len(split)
    draw_mistakes(as_pictures(split.inputs[worst]), labels, counts, measure, out)


FIGURE = Figure(_draw, needs=["classes"])
