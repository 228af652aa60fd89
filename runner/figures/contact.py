"""A contact sheet: a small picture for each pair of values of two axes, composed with Pillow.

Legend: R rows, C columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from duograd.runner.figures.grid import fit_side
from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.page import LABEL_GAP, letter, stack
from duograd.runner.figures.png import Pixels, save_image
from duograd.runner.figures.style import FAINT, GRID, INK, LABEL, MARGIN, MIN_WIDTH, PAPER, SMALL, TITLE

WIDEST = 2200  # pixels of the pictures beside each other
SIDES = (200, 420)  # the smallest and the largest longer side of a picture
GAP = 24


@dataclass(frozen=True)
class Cell:
    """A picture (uint8 pixels), or None with a word for why there is none; what stands below it."""

    picture: Pixels | None
    caption: str = ""


def contact_sheet(
    cells: Sequence[Sequence[Cell]],
    rows: Sequence[str],
    columns: Sequence[str],
    path: Path,
    title: str,
    subtitle: str = "",
    footer: str = "",
) -> Path:
    """Lay cells (R, C) out under the names of their columns and beside those of their rows; returns `path`.

    Pictures are scaled by whole factors, to one size as far as they can be.
    """
    side = max(SIDES[0], min(SIDES[1], WIDEST // len(columns)))
    images = [[_cell(cell, side) for cell in row] for row in cells]
    widths = [max([*(row[c].width for row in images), 90]) for c in range(len(columns))]
    left = _beside_rows(rows)
    head = _row([letter(name, LABEL, INK, w) for name, w in zip(columns, widths, strict=True)], widths, left)
    lines = [
        _row(row, widths, left, letter(name, LABEL, INK, left) if name else None)
        for name, row in zip(rows, images, strict=True)
    ]
    body = stack([head, *lines], GAP)
    width = max(body.width, MIN_WIDTH - 2 * MARGIN)
    top = stack([letter(title, TITLE, INK, width, bold=True), letter(subtitle, SMALL, FAINT, width)], LABEL_GAP)
    content = stack([top, body, letter(footer, SMALL, FAINT, width)], GAP)
    page = Image.new("RGB", (width + 2 * MARGIN, content.height + 2 * MARGIN), PAPER)
    page.paste(content, (MARGIN, MARGIN))
    return save_image(page, path)


def _beside_rows(rows: Sequence[str]) -> int:
    """The room that the rows' names take: the widest, at most 260 pixels, beyond which they wrap; 0 without names."""
    widest = max((font(LABEL).getlength(name) for name in rows), default=0)
    return min(260, round(1.03 * widest) + 12) if widest else 0


def _cell(cell: Cell, side: int) -> Image.Image:
    """A cell's picture, or a framed note, with its caption below."""
    if cell.picture is None:
        return _note(cell.caption, side)
    picture = Image.fromarray(fit_side(cell.picture, side)).convert("RGB")
    return stack([picture, letter(cell.caption, SMALL, FAINT, max(picture.width, 90))], 4)


def _note(words: str, side: int) -> Image.Image:
    lines = wrap(words or "–", side - 16, font(SMALL))
    image = Image.new("RGB", (side, max(44, line_height(SMALL) * len(lines) + 16)), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, image.width - 1, image.height - 1), outline=GRID)
    for row, line in enumerate(lines):
        draw.text((8, 8 + row * line_height(SMALL)), line, fill=FAINT, font=font(SMALL))
    return image


def _row(
    images: Sequence[Image.Image], widths: Sequence[int], left: int, name: Image.Image | None = None
) -> Image.Image:
    """Images in columns of fixed widths, aligned at the top, with a row's name at the left."""
    height = max(image.height for image in [*images, *([name] if name else [])])
    sheet = Image.new("RGB", (left + sum(widths) + GAP * (len(widths) - 1), max(1, height)), PAPER)
    if name:
        sheet.paste(name, (0, 0))
    for image, width in zip(images, widths, strict=True):
        sheet.paste(image, (left, 0))
        left += width + GAP
    return sheet
