"""Several axes on one sheet: a blank body whose coordinates are pixels, and boxes placed on it.

Lengths are pixels, counted from the body's top left corner.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from duograd.runner.figures.canvas import Body, legible, plain
from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.style import INK, LABEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, NARROW = 900, 420  # pixels of a chart that stands alone, and of one among others
HEIGHT = 400  # of a chart
ACROSS = 3  # charts in a row
LEFT = 110  # of a chart, for tick labels
LONGEST = 24  # characters of a name beside or below a box
UNDER_TITLE = 6  # between a panel's title and its box


@dataclass(frozen=True)
class Place:
    """Where a box lies: its top left corner and size; `left` and `lowest` say whether it stands at the grid's rim."""

    x: int
    y: int
    width: int
    height: int
    left: bool
    lowest: bool


@dataclass(frozen=True)
class Gaps:
    """Room beside a box: at its left for tick labels, below it for those of the bottom, above it for its title."""

    left: int
    below: int
    above: int


def in_rows(count: int, columns: int, width: int, height: int, gaps: Gaps, top: int) -> list[Place]:
    """Places for `count` boxes of one size, row by row from `top` down, each with its own gaps."""
    return [
        Place(
            x=gaps.left + (k % columns) * (gaps.left + width),
            y=top + gaps.above + (k // columns) * (gaps.above + height + gaps.below),
            width=width,
            height=height,
            left=k % columns == 0,
            lowest=k + columns >= count,
        )
        for k in range(count)
    ]


def chart_width(count: int) -> int:
    """Pixels of one of so many charts."""
    return WIDE if count == 1 else NARROW


def charts(count: int, below: int) -> tuple[list[Place], Body]:
    """Places for so many charts, with room `below` each for what labels its axis, and the body that holds them."""
    width, across = chart_width(count), min(ACROSS, count)
    places = in_rows(count, across, width, HEIGHT, Gaps(LEFT, below, 14), 0)
    return places, Body(across * (LEFT + width), places[-1].y + HEIGHT + below, 0, 20)


def blank(axes: "Axes", body: Body) -> None:
    """Make the body's axes a blank sheet with pixels for coordinates, downwards from the top left."""
    axes.set_axis_off()
    axes.set_xlim(0, body.width)
    axes.set_ylim(body.height, 0)
    axes.set_autoscale_on(False)


def box(axes: "Axes", body: Body, place: Place) -> "Axes":
    """Plain axes at a place of the blank sheet."""
    y = 1 - (place.y + place.height) / body.height
    bounds = (place.x / body.width, y, place.width / body.width, place.height / body.height)
    return plain(axes.inset_axes(bounds))


def cut(text: str, most: int = LONGEST) -> str:
    """At most so many characters, the last a mark where some are missing; boxes for what the font lacks."""
    return legible(text if len(text) <= most else f"{text[: most - 1]}…")


def title_lines(title: str, width: int) -> list[str]:
    """A panel's title, wrapped to the panel."""
    return wrap(legible(title), 0.97 * width, font(LABEL))


def title_room(titles: list[str], width: int) -> int:
    """The pixels above a box that the longest of the titles needs; 0 where none has one."""
    lines = max((len(title_lines(title, width)) for title in titles), default=0)
    return line_height(LABEL) * lines + UNDER_TITLE if lines else 0


def write_title(axes: "Axes", title: str, place: Place) -> None:
    """Set a panel's title right above its box."""
    lines = title_lines(title, place.width)
    top = place.y - UNDER_TITLE - line_height(LABEL) * len(lines)
    for row, line in enumerate(lines):
        y = top + row * line_height(LABEL)
        axes.text(place.x, y, line, fontsize=LABEL, color=INK, va="top", parse_math=False)
