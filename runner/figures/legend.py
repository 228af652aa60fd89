"""A legend that several axes share: a piece of each line with its name, set in rows like words in a paragraph.

Lengths are pixels, counted from the top left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from duograd.runner.figures.canvas import legible
from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.style import INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SWATCH = 44  # of line beside a name: long enough to show a dash pattern
GAP = 10  # between the two
BETWEEN = 32  # between entries
BELOW = 18  # between the legend and what it explains

Style = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A name in lines of text, the style of its line, and where its top left corner lies."""

    lines: list[str]
    style: Style
    x: float
    y: float


@dataclass(frozen=True)
class Legend:
    """Entries, and the height that they take with the gap below."""

    entries: list[Entry]
    height: int

    def draw(self, axes: "Axes") -> None:
        """Draw the entries on axes whose coordinates are pixels."""
        step = line_height(SMALL)
        for entry in self.entries:
            x, y = entry.x + SWATCH + GAP, entry.y
            axes.plot([entry.x, entry.x + SWATCH], [y + 0.45 * step] * 2, **entry.style)
            for row, line in enumerate(entry.lines):
                axes.text(x, y + row * step, line, fontsize=SMALL, color=INK, va="top", parse_math=False)


def lay_out(names: Sequence[str], styles: Sequence[Style], width: float) -> Legend:
    """A legend `width` pixels wide; a name that is longer than that is broken into lines."""
    entries: list[Entry] = []
    x, y, lowest = 0.0, 0, 0
    for name, style in zip(names, styles, strict=True):
        lines = wrap(legible(name), 0.97 * (width - SWATCH - GAP), font(SMALL)) or [""]
        needed = SWATCH + GAP + 1.03 * max(font(SMALL).getlength(line) for line in lines)
        if x and x + needed > width:
            x, y = 0.0, lowest
        entries.append(Entry(lines, style, x, y))
        x += needed + BETWEEN
        lowest = max(lowest, y + line_height(SMALL) * len(lines))
    return Legend(entries, lowest + BELOW)
