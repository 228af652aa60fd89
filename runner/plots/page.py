"""Pages of pictures with title, labels and footer, composed with Pillow: pixel-exact, a few milliseconds each.

Legend: R rows, C columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from duograd.runner.plots.images import Pixels, fit_side, save_image
from duograd.runner.plots.style import FAINT, GRID, INK, LABEL, MARGIN, MIN_WIDTH, PAPER, SMALL, TITLE
from duograd.runner.plots.text import Output, font, line_height, text_width, wrap

GUTTER = 30  # pixels between panels
LABEL_GAP = 8  # pixels between a label and what it names
MIN_PANEL = 360  # pixels: the narrowest column that a label is wrapped to

SHEET = 2200  # pixels of a contact sheet's pictures beside each other
SIDES = (200, 420)  # the smallest and the largest longer side of one of them
NARROWEST = 90  # pixels of a contact sheet's column
NAMES = 260  # pixels of the column of its rows' names at the most, beyond which they wrap
SHEET_GAP = 24


@dataclass(frozen=True)
class Panel:
    """A picture (uint8 pixels) and the label above it."""

    label: str
    picture: Pixels


@dataclass(frozen=True)
class Cell:
    """A picture (uint8 pixels), or None with a word for why there is none; what stands below it."""

    picture: Pixels | None
    caption: str = ""


def draw_page(rows: Sequence[Sequence[Panel]], out: Output, subtitle: str = "") -> Path:
    """Lay panels out, row under row, below the title and above the footer; long text wraps. Returns the path."""
    return save_page(stack([beside([_panel(panel) for panel in row]) for row in rows], GUTTER), out, subtitle)


def contact_sheet(
    cells: Sequence[Sequence[Cell]], rows: Sequence[str], columns: Sequence[str], out: Output, subtitle: str = ""
) -> Path:
    """Lay cells (R, C) out under the names of their columns and beside those of their rows; returns the path.

    Pictures are scaled by whole factors, to one size as far as they can be.
    """
    side = max(SIDES[0], min(SIDES[1], SHEET // len(columns)))
    images = [[_cell(cell, side) for cell in row] for row in cells]
    widths = [max([*(row[c].width for row in images), NARROWEST]) for c in range(len(columns))]
    left = min(NAMES, round(text_width(rows, LABEL)) + 12) if any(rows) else 0
    head = [letter("", LABEL, INK, left), *(letter(n, LABEL, INK, w) for n, w in zip(columns, widths, strict=True))]
    lines = [[letter(name, LABEL, INK, left), *row] for name, row in zip(rows, images, strict=True)]
    table = [beside(line, SHEET_GAP, [left, *widths]) for line in (head, *lines)]
    return save_page(stack(table, SHEET_GAP), out, subtitle)


def save_page(body: Image.Image, out: Output, subtitle: str = "") -> Path:
    """Write a page of what is in `body` between title and footer; returns the path."""
    width = max(body.width, MIN_WIDTH - 2 * MARGIN)
    head = stack([letter(out.title, TITLE, INK, width, bold=True), letter(subtitle, SMALL, FAINT, width)], LABEL_GAP)
    content = stack([head, body, letter(out.footer, SMALL, FAINT, width)], GUTTER * 2 // 3)
    page = Image.new("RGB", (width + 2 * MARGIN, content.height + 2 * MARGIN), PAPER)
    page.paste(content, (MARGIN, MARGIN))
    return save_image(page, out.path)


def letter(text: str, points: float, colour: str, width: int, bold: bool = False) -> Image.Image:
    """Text as an image `width` pixels wide, wrapped; no text is an image of height 0."""
    from PIL import ImageDraw

    face = font(points, bold)
    lines = wrap(text, width, face)
    step = line_height(points)
    image = Image.new("RGB", (width, step * len(lines)), PAPER)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((0, row * step), line, fill=colour, font=face)
    return image


def stack(images: Sequence[Image.Image], gap: int) -> Image.Image:
    """Images under each other, left aligned; empty ones take no gap."""
    images = [image for image in images if image.height]
    size = (max((i.width for i in images), default=1), sum(i.height + gap for i in images) - gap if images else 0)
    sheet, top = Image.new("RGB", size, PAPER), 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height + gap
    return sheet


def beside(images: Sequence[Image.Image], gap: int = GUTTER, widths: Sequence[int] | None = None) -> Image.Image:
    """Images next to each other, aligned at the bottom, so that a label of two lines shifts no picture.

    In columns of given `widths` they are aligned at the top; a column of no width takes no gap either.
    """
    height = max(image.height for image in images)
    columns = [image.width for image in images] if widths is None else widths
    sheet, left = Image.new("RGB", (sum(w + gap for w in columns if w) - gap, height), PAPER), 0
    for image, width in zip(images, columns, strict=True):
        sheet.paste(image, (left, 0 if widths else height - image.height))
        left += width + gap if width else 0
    return sheet


def as_image(picture: Pixels) -> Image.Image:
    """Pixels, grey or in colour, as an image in colour."""
    return Image.fromarray(picture).convert("RGB")


def _panel(panel: Panel) -> Image.Image:
    picture = as_image(panel.picture)
    label = letter(panel.label, LABEL, INK, max(picture.width, MIN_PANEL))
    return stack([label, picture], LABEL_GAP)


def _cell(cell: Cell, side: int) -> Image.Image:
    """A cell's picture with its caption below, or a framed note."""
    if cell.picture is None:
        note = ImageOps.expand(letter(cell.caption or "–", SMALL, FAINT, side - 16), 8, PAPER)
        return ImageOps.expand(ImageOps.crop(note, 1), 1, GRID)
    picture = as_image(fit_side(cell.picture, side))
    return stack([picture, letter(cell.caption, SMALL, FAINT, max(picture.width, NARROWEST))], 4)
