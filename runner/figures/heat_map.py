"""A number over two swept axes as heat maps: one, or one for each value of a third axis, in one scale.

Legend: R rows, C columns; values (R, C), NaN where there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.axis import scale_for
from duograd.runner.figures.canvas import Body, save, sheet
from duograd.runner.figures.confusion import EMPTY, FULL
from duograd.runner.figures.digits import digits_for, number
from duograd.runner.figures.lettering import font, line_height
from duograd.runner.figures.panels import Gaps, blank, box, cut, in_rows, title_room, write_title
from duograd.runner.figures.style import FAINT, INK, LABEL, PAPER, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

Floats = NDArray[np.float64]

WIDEST = 1500  # pixels of panels beside each other
CELL_HEIGHT = 64
TOP = 8  # between the subtitle and the panels
FAILED = "#c2410c"  # a word where a number should be
DARK = 0.55  # the brightness below which white text reads better than black
TICKS = 34  # below the cells: tick labels, then the axis's name
PALEST = "#eef4fa"  # the worst value: not white, which is no value


@dataclass(frozen=True)
class Table:
    """values (R, C) and their standard deviations (R, C), NaN where there is one run only; words for empty cells."""

    title: str
    values: Floats
    deviations: Floats
    words: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """An axis: its name and the labels of its values."""

    name: str
    labels: Sequence[str]


def heat_maps(
    tables: Sequence[Table], rows: Side, columns: Side, rises: bool, path: Path, title: str, what: str, footer: str = ""
) -> Path:
    """Draw tables over the same rows and columns, in one colour scale; returns `path`.

    rises: whether a larger value is the better one. Better is darker, and the best is bold. The scale is logarithmic
    where all values are positive and span more than a decade. `what` says what the numbers are.
    """
    look = _look(tables, rises)
    cell = _cell_width(tables, columns, look)
    width, height = cell * len(columns.labels), CELL_HEIGHT * len(rows.labels)
    left = round(1.03 * max(font(SMALL).getlength(cut(label)) for label in rows.labels)) + 62
    gaps = Gaps(left, TICKS + line_height(LABEL) + 22, title_room([table.title for table in tables], width))
    across = max(1, min(len(tables), WIDEST // (left + width)))
    places = in_rows(len(tables), across, width, height, gaps, TOP)
    body = Body(across * (left + width), places[-1].y + height + gaps.below)
    figure, axes = sheet(body, title, _says(what, tables, rises, look), footer)
    blank(axes, body)
    for table, place in zip(tables, places, strict=True):
        write_title(axes, table.title, place)
        _draw(box(axes, body, place), table, rows, columns, look)
    return save(figure, path)


def _cell_width(tables: Sequence[Table], columns: Side, look: "Look") -> int:
    """Pixels: every text fits with some air."""
    small = [*map(cut, columns.labels), *(word for table in tables for word in table.words.values())]
    small += [_deviation(v) for table in tables for v in table.deviations.ravel()]
    large = [number(v, look.digits) for table in tables for v in table.values.ravel()]
    widest = max(
        *(font(SMALL).getlength(text) for text in small), *(font(LABEL, bold=True).getlength(text) for text in large)
    )
    return max(96, round(1.05 * widest) + 24)


def _deviation(value: float) -> str:
    return f"± {number(value, 2)}"


@dataclass(frozen=True)
class Look:
    """From a value to its colour and its text; the best of all values stands out."""

    colours: "Colormap"
    norm: "Normalize"
    digits: int
    best: float

    def is_dark(self, value: float) -> bool:
        """Whether white text reads better on the value's colour."""
        red, green, blue, _ = self.colours(float(self.norm(value)))
        return 0.3 * red + 0.59 * green + 0.11 * blue < DARK


def _look(tables: Sequence[Table], rises: bool) -> Look:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    values = np.concatenate([table.values.ravel() for table in tables])
    finite = values[np.isfinite(values)]
    scale = scale_for([values], "auto")
    ends = [PALEST, FULL] if rises else [FULL, PALEST]
    colours = LinearSegmentedColormap.from_list("better is darker", ends).with_extremes(bad=EMPTY)
    norm = (LogNorm if scale.log else Normalize)(scale.low, scale.high)
    best = (finite.max() if rises else finite.min()) if len(finite) else np.nan
    return Look(colours, norm, digits_for(finite), float(best))


def _says(what: str, tables: Sequence[Table], rises: bool, look: Look) -> str:
    from matplotlib.colors import LogNorm

    several = any(np.isfinite(table.deviations).any() for table in tables)
    notes = [
        what,
        f"{'higher' if rises else 'lower'} is better and darker",
        "logarithmic colours" if isinstance(look.norm, LogNorm) else "",
        "mean ± standard deviation over seeds" if several else "",
    ]
    return " · ".join(note for note in notes if note)


def _draw(axes: "Axes", table: Table, rows: Side, columns: Side, look: Look) -> None:
    values = np.ma.masked_invalid(table.values)
    axes.imshow(values, cmap=look.colours, norm=look.norm, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    count_r, count_c = values.shape
    axes.hlines(np.arange(count_r + 1) - 0.5, -0.5, count_c - 0.5, color=PAPER, linewidth=2)
    axes.vlines(np.arange(count_c + 1) - 0.5, -0.5, count_r - 0.5, color=PAPER, linewidth=2)
    for row, column in np.ndindex(values.shape):
        _write_cell(axes, table, row, column, look)
    axes.set_yticks(range(count_r), [cut(label) for label in rows.labels], parse_math=False)
    axes.set_xticks(range(count_c), [cut(label) for label in columns.labels], parse_math=False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_ylabel(cut(rows.name), fontsize=LABEL, color=FAINT, parse_math=False)
    axes.set_xlabel(cut(columns.name), fontsize=LABEL, color=FAINT, parse_math=False)


def _write_cell(axes: "Axes", table: Table, row: int, column: int, look: Look) -> None:
    """The value with its deviation below; else the word for why there is none, else a dash."""
    value, deviation = float(table.values[row, column]), float(table.deviations[row, column])
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL, "color": FAINT}
    if not np.isfinite(value):
        word = table.words.get((row, column))
        axes.text(column, row, word or "–", **text | ({"color": FAILED} if word else {}))
        return
    text["color"] = PAPER if look.is_dark(value) else INK
    weight = "bold" if value == look.best else "normal"
    alone = np.isnan(deviation)
    large = text | {"fontsize": LABEL, "fontweight": weight}
    axes.text(column, row - (0 if alone else 0.14), number(value, look.digits), **large)
    if not alone:
        axes.text(column, row + 0.22, _deviation(deviation), **text)
