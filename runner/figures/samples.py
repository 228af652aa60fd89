"""Some images of each class, a row a class.

Legend: K images of a class, H height, W width.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from duograd.runner.figures.grid import Images, fit_side, tile
from duograd.runner.figures.lettering import font
from duograd.runner.figures.page import Panel, beside, draw_page, letter, stack
from duograd.runner.figures.png import Pixels
from duograd.runner.figures.style import INK, LABEL, PAPER

COLUMNS = 10
MOST = 20  # classes
SIDE = 1000  # pixels of a row
NARROWEST, WIDEST = 60, 240  # pixels of the column of names
GAP = 6  # pixels between rows
BESIDE = 16  # between a name and its row


def samples(by_class: Mapping[str, Images], path: Path, title: str, subtitle: str = "", footer: str = "") -> Path:
    """Draw the first 10 images of each class, (K, H, W, 3) or (K, H, W) in [0, 1]; returns `path`.

    All images are of one size. A class without any keeps its row, which says so. The first 20 classes are shown.
    """
    shown = dict(list(by_class.items())[:MOST])
    width = round(min(WIDEST, max([NARROWEST, *(1.03 * font(LABEL).getlength(name) for name in shown)])))
    rows = [_row(name, images, width) for name, images in shown.items()]
    page: Pixels = np.asarray(stack(rows, GAP))
    more = f"the first {MOST} of {len(by_class)} classes" if len(by_class) > MOST else ""
    return draw_page([[Panel("", page)]], path, title, " · ".join(filter(None, (subtitle, more))), footer)


def _row(name: str, images: Images, width: int) -> Image.Image:
    """A class's name and its images, filled up with paper where there are fewer than a row takes."""
    cells = np.ones((COLUMNS, *images.shape[1:]))
    cells[: len(images)] = images[:COLUMNS]
    pictures = Image.fromarray(fit_side(tile(cells, COLUMNS), SIDE)).convert("RGB")
    text = name if len(images) else f"{name}: none"
    return beside([_centred(letter(text, LABEL, INK, width), pictures.height), pictures], BESIDE)


def _centred(text: Image.Image, height: int) -> Image.Image:
    """Text in the middle of a given height, or as it is where that is too low for it."""
    sheet = Image.new("RGB", (text.width, max(height, text.height)), PAPER)
    sheet.paste(text, (0, (sheet.height - text.height) // 2))
    return sheet
