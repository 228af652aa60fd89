"""A matplotlib figure in the house style, without pyplot: no global state, so threads and workers can draw at once.

Lengths are pixels at our resolution; matplotlib is imported when the first figure is made.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.png import write_atomically
from duograd.runner.figures.style import DPI, FAINT, GRID, INK, MARGIN, MIN_WIDTH, PAPER, SMALL, TITLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP = 8  # pixels between blocks


@dataclass(frozen=True)
class Body:
    """The axes' size in pixels, and the room around them for tick labels and the like."""

    width: int
    height: int
    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0


@dataclass(frozen=True)
class Block:
    """Wrapped lines of text in one type."""

    lines: list[str]
    points: float
    colour: str
    bold: bool = False

    @property
    def height(self) -> int:
        """Pixels, with the gap below; no text takes no room."""
        return line_height(self.points) * len(self.lines) + GAP if self.lines else 0

    def write(self, figure: "Figure", top: float) -> float:
        """Set the lines at the left margin, `top` pixels from the paper's edge; returns where the next block starts."""
        for row, line in enumerate(self.lines):
            write(figure, line, MARGIN, top + row * line_height(self.points), self.points, self.colour, self.bold)
        return top + self.height


def sheet(body: Body, title: str, subtitle: str = "", footer: str = "") -> "tuple[Figure, Axes]":
    """A figure with title, subtitle and footer, each wrapped, and axes of exactly the body's size between them."""
    width = max(body.left + body.width + body.right + 2 * MARGIN, MIN_WIDTH)
    head = [block(title, width, TITLE, INK, bold=True), block(subtitle, width, SMALL, FAINT)]
    foot = block(footer, width, SMALL, FAINT)
    above = MARGIN + sum(text.height for text in head) + body.top
    height = above + body.height + body.bottom + foot.height + MARGIN
    figure = _paper(width, height)
    top: float = MARGIN
    for text in head:
        top = text.write(figure, top)
    foot.write(figure, height - MARGIN - foot.height + GAP)
    floor = height - above - body.height
    box = ((MARGIN + body.left) / width, floor / height, body.width / width, body.height / height)
    return figure, plain(figure.add_axes(box))


def block(text: str, width: int, points: float, colour: str, bold: bool = False) -> Block:
    """Text wrapped to a page of `width` pixels."""
    room = 0.97 * (width - 2 * MARGIN)  # matplotlib sets letters up to 2 % wider than Pillow measures them
    return Block(wrap(text, room, font(points, bold)), points, colour, bold)


def write(figure: "Figure", text: str, x: float, y: float, points: float, colour: str, bold: bool = False) -> None:
    """Set one line with its top left corner at pixel (x, y), counted from the paper's top left."""
    width, height = figure.get_size_inches() * DPI
    weight = "bold" if bold else "normal"
    figure.text(
        x / width,
        1 - y / height,
        legible(text),
        fontsize=points,
        color=colour,
        fontweight=weight,
        va="top",
        parse_math=False,
    )


def legible(text: str) -> str:
    """`text` with a box for each character that our font lacks, as matplotlib draws it, but without its warning."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties())).get_charmap()
    return "".join(letter if ord(letter) in known else "□" for letter in text)


def say_empty(axes: "Axes") -> None:
    """Say in the middle of axes that there is nothing to draw, so that nobody looks for a line."""
    back = {"facecolor": axes.get_facecolor(), "edgecolor": "none"}  # no grid through the words
    axes.text(0.5, 0.5, "nothing to draw", transform=axes.transAxes, ha="center", va="center", color=FAINT, bbox=back)


def save(figure: "Figure", path: Path) -> Path:
    """Draw the figure to a PNG, atomically; returns `path`."""
    buffer = io.BytesIO()
    # Not savefig: it obeys the reader's matplotlibrc (tight boxes, other resolutions). No version in the file either.
    canvas: Any = figure.canvas  # matplotlib leaves print_png without types
    canvas.print_png(buffer, metadata={"Software": None})
    return write_atomically(buffer.getvalue(), path)


def _paper(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def plain(axes: "Axes") -> "Axes":
    """Two quiet spines, a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color=GRID, labelcolor=FAINT, labelsize=SMALL, length=3)
    return axes
