"""The mistakes of which a classifier is most sure: images with what they are and what was said of them.

Legend: K images, H height, W width.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from duograd.runner.figures.grid import Images, fit_side, tile
from duograd.runner.figures.page import LABEL_GAP, Panel, beside, draw_page, letter, stack
from duograd.runner.figures.png import Pixels
from duograd.runner.figures.style import INK, SMALL

COLUMNS = 5
MOST = 25  # images
SIDE = 192  # pixels of an image
CELL = 216  # pixels of a column: a label is wrapped to it
GAP = 22  # pixels between cells


def mistakes(
    images: Images,
    labels: Sequence[str],
    counts: tuple[int, int],
    measure: str,
    path: Path,
    title: str,
    footer: str = "",
) -> Path:
    """Draw images (K, H, W, 3) or (K, H, W) in [0, 1], the worst first, each under its label; returns `path`.

    counts: how many samples are wrong, and of how many; measure: what tells the worst, in words. The first 25 are
    shown. Without a mistake the page says so.
    """
    wrong, total = counts
    if not wrong:
        return draw_page([], path, title, f"None: each of the {total} images is taken for what it is.", footer)
    shown = f"the {min(wrong, MOST)} surest first" if wrong > 1 else ""
    notes = (f"{wrong} of {total} images are taken for something else", shown, measure)
    cells = [_cell(image, label) for image, label in zip(images[:MOST], labels[:MOST], strict=True)]
    rows = [beside(cells[start : start + COLUMNS], GAP) for start in range(0, len(cells), COLUMNS)]
    page: Pixels = np.asarray(stack(rows, GAP))
    return draw_page([[Panel("", page)]], path, title, " · ".join(filter(None, notes)), footer)


def _cell(image: Images, label: str) -> Image.Image:
    """An image under its label; as wide as a column, so that all rows keep to them."""
    picture = Image.fromarray(fit_side(tile(image[None]), SIDE)).convert("RGB")
    return stack([letter(label, SMALL, INK, CELL), picture], LABEL_GAP)
