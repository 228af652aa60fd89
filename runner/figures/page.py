"""A page of pictures with title, labels and footer, composed with Pillow: pixel-exact, and a few milliseconds each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.png import Pixels, save_image
from duograd.runner.figures.style import FAINT, INK, LABEL, MARGIN, MIN_WIDTH, PAPER, SMALL, TITLE

GUTTER = 30  # pixels between panels
LABEL_GAP = 8  # pixels between a label and what it names
MIN_PANEL = 360  # pixels: the narrowest column that a label is wrapped to


@dataclass(frozen=True)
class Panel:
    """A picture (uint8 pixels) and the label above it."""

    label: str
    picture: Pixels


def draw_page(rows: Sequence[Sequence[Panel]], path: Path, title: str, subtitle: str = "", footer: str = "") -> Path:
    """Lay panels out, row under row, below the title and above the footer; long text wraps. Returns `path`."""
    body = stack([beside([_panel(panel) for panel in row]) for row in rows], GUTTER)
    width = max(body.width, MIN_WIDTH - 2 * MARGIN)
    head = stack([letter(title, TITLE, INK, width, bold=True), letter(subtitle, SMALL, FAINT, width)], LABEL_GAP)
    content = stack([head, body, letter(footer, SMALL, FAINT, width)], GUTTER * 2 // 3)
    page = Image.new("RGB", (width + 2 * MARGIN, content.height + 2 * MARGIN), PAPER)
    page.paste(content, (MARGIN, MARGIN))
    return save_image(page, path)


def letter(text: str, points: float, colour: str, width: int, bold: bool = False) -> Image.Image:
    """Text as an image `width` pixels wide, wrapped; no text is an image of height 0."""
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


def beside(images: Sequence[Image.Image], gap: int = GUTTER) -> Image.Image:
    """Images next to each other, aligned at the bottom, so that a label of two lines shifts no picture."""
    size = (sum(i.width + gap for i in images) - gap, max(i.height for i in images))
    sheet, left = Image.new("RGB", size, PAPER), 0
    for image in images:
        sheet.paste(image, (left, sheet.height - image.height))
        left += image.width + gap
    return sheet


def _panel(panel: Panel) -> Image.Image:
    picture = Image.fromarray(panel.picture).convert("RGB")
    label = letter(panel.label, LABEL, INK, max(picture.width, MIN_PANEL))
    return stack([label, picture], LABEL_GAP)
