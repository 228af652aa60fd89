"""Some images of each class, a row a class.

Legend: K images of a class, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from duograd.runner.classification import targets
from duograd.runner.plots.figure import Figure, FinishedRun
from duograd.runner.plots.images import Images, as_pictures, fit_side, tile
from duograd.runner.plots.page import as_image, beside, letter, save_page, stack
from duograd.runner.plots.style import INK, LABEL, PAPER
from duograd.runner.plots.text import Output, joined, text_width

COLUMNS, MOST = 10, 20  # images of a class, and classes
SIDE = 1000  # pixels of a row
NARROWEST, WIDEST = 60, 240  # pixels of the column of names
GAP = 6  # pixels between rows
BESIDE = 16  # between a name and its row


def draw_samples(by_class: Mapping[str, Images], out: Output, subtitle: str = "") -> Path:
    """Draw the first 10 images of each class, (K, H, W, 3) or (K, H, W) in [0, 1]; returns the path.

    All images are of one size. A class without any keeps its row, which says so.
    """
    width = round(min(WIDEST, max(NARROWEST, text_width(by_class, LABEL))))
    rows = [_row(name, images, width) for name, images in by_class.items()]
    return save_page(stack(rows, GAP), out, subtitle)


def _row(name: str, images: Images, width: int) -> Image.Image:
    """A class's name in the middle beside its images, filled up with paper where there are fewer than a row takes."""
    cells = np.ones((COLUMNS, *images.shape[1:]))
    cells[: len(images)] = images[:COLUMNS]
    pictures = as_image(fit_side(tile(cells, COLUMNS), SIDE))
    text = letter(name if len(images) else f"{name}: none", LABEL, INK, width)
    column = Image.new("RGB", (width, max(pictures.height, text.height)), PAPER)
    column.paste(text, (0, (column.height - text.height) // 2))
    return beside([column, pictures], BESIDE)


def _draw(run: FinishedRun) -> None:
    train, rng = run.data.train, np.random.default_rng(run.seed)
    order = rng.permutation(len(train))
    classes = run.data.classes
    of_class = {c: order[targets(train)[order] == k][:COLUMNS] for k, c in enumerate(classes[:MOST])}
    by_class = {name: as_pictures(train.inputs[np.sort(index)]) for name, index in of_class.items()}
    more = f"the first {MOST} of {len(classes)} classes" if len(classes) > MOST else ""
    subtitle = joined(f"{len(train)} images to train on", more)
    draw_samples(by_class, run.output("samples", "Images by class"), subtitle)


FIGURE = Figure(_draw, needs=["classes"])
