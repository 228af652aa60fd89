"""Annotated heat maps: cells in colours with what they say; and those of a number over two swept axes.

Legend: R rows, C columns; values (R, C), NaN where there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.scale import Floats, scale_for
from duograd.runner.plots.style import FAINT, INK, LABEL, PAPER, SMALL
from duograd.runner.plots.text import (
    Output,
    cut,
    digits_for,
    joined,
    legible,
    number,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

WIDEST = 1500  # pixels of maps beside each other
GUTTER = 100  # what a map that is not the first needs at its side, about
CELL_HEIGHT = 64
EMPTY = "#f1f2f4"  # no value
FULL = "#08519c"  # darker than the lines' blue, so that text has contrast on every shade
PALEST = "#eef4fa"  # the worst value: not white, which is no value
FAILED = "#c2410c"  # a word where a number should be
DARK = 0.55  # the brightness below which white text reads better than black


@dataclass(frozen=True)
class Shades:
    """From a value to its colour."""

    colours: "Colormap"
    norm: "Normalize"

    def ink(self, value: float) -> str:
        """White where it reads better on the value's colour than black."""
        red, green, blue, _ = self.colours(self.norm(value))
        return PAPER if 0.3 * red + 0.59 * green + 0.11 * blue < DARK else INK


@dataclass(frozen=True)
class Note:
    """What a cell says: a larger text, a smaller one below it; `ink` None takes what reads best on the colour."""

    large: str = ""
    small: str = ""
    ink: str | None = None
    bold: bool = False


def paint(axes: "Axes", values: Floats, shades: Shades, notes: Mapping[tuple[int, int], Note], line: float) -> None:
    """Cells of values (R, C) in their colours, with white lines between them, and their notes by (row, column)."""
    rows, columns = values.shape
    axes.imshow(np.ma.masked_invalid(values), cmap=shades.colours, norm=shades.norm, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if line:
        axes.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color=PAPER, linewidth=line)
        axes.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color=PAPER, linewidth=line)
    for (row, column), note in notes.items():
        value = values[row, column]
        ink = note.ink or (shades.ink(value) if np.isfinite(value) else FAINT)
        _write(axes, row, column, note, ink)


def _write(axes: "Axes", row: int, column: int, note: Note, ink: str) -> None:
    text: dict[str, Any] = {"color": ink, "ha": "center", "parse_math": False, "in_layout": False}
    weight, both = "bold" if note.bold else "normal", bool(note.large and note.small)
    if note.large:
        va = "bottom" if both else "center"
        axes.text(column, row, legible(note.large), fontsize=LABEL, fontweight=weight, va=va, **text)
    if note.small:
        axes.text(
            column, row + (0.06 if both else 0), note.small, fontsize=SMALL, va="top" if both else "center", **text
        )


def label_cells(
    axes: "Axes", rows: Sequence[str], columns: Sequence[str], turned: bool = False, every: int = 1
) -> None:
    axes.set_yticks(range(0, len(rows), every), rows[::every], parse_math=False)
    axes.set_xticks(range(0, len(columns), every), columns[::every], parse_math=False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelrotation=90 if turned else 0)


# -- a number over two axes --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
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


def heat_maps(grids: Sequence[Grid], rows: Side, columns: Side, rises: bool, out: Output, what: str) -> Path:
    """Draw grids over the same rows and columns, in one colour scale; returns the path.

    rises: whether a larger value is the better one. Better is darker, and the best is bold. The scale is logarithmic
    where all values are positive and span more than a decade. `what` says what the numbers are.
    """
    shades, log = _better_is_darker(grids, rises)
    notes = _notes(grids, rises)
    cell = _cell_width(notes, columns)
    size = cell * len(columns.labels), CELL_HEIGHT * len(rows.labels)
    several = any(np.isfinite(grid.deviations).any() for grid in grids)
    subtitle = joined(
        what,
        f"{'higher' if rises else 'lower'} is better and darker",
        "logarithmic colours" if log else "",
        "mean ± standard deviation over seeds" if several else "",
    )
    across = max(1, min(len(grids), WIDEST // (GUTTER + size[0])))
    chart = Chart(out, subtitle, size, len(grids), across)
    for axes, grid, texts in zip(chart.axes, grids, notes, strict=True):
        chart.entitle(axes, grid.title)
        paint(axes, grid.values, shades, texts, line=2)
        label_cells(axes, list(map(cut, rows.labels)), list(map(cut, columns.labels)))
        chart.label(axes, columns.name, rows.name)
    return chart.save()


def _better_is_darker(grids: Sequence[Grid], rises: bool) -> tuple[Shades, bool]:
    """One scale for all values, and whether it is logarithmic."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    scale = scale_for([grid.values.ravel() for grid in grids], "auto")
    ends = [PALEST, FULL] if rises else [FULL, PALEST]
    colours = LinearSegmentedColormap.from_list("better is darker", ends).with_extremes(bad=EMPTY)
    return Shades(colours, (LogNorm if scale.log else Normalize)(scale.low, scale.high)), scale.log


def _notes(grids: Sequence[Grid], rises: bool) -> list[dict[tuple[int, int], Note]]:
    """Each value with its deviation below; else the word for why there is none, else a dash."""
    values = np.concatenate([grid.values.ravel() for grid in grids])
    finite = values[np.isfinite(values)]
    digits, best = digits_for(finite), (finite.max() if rises else finite.min()) if len(finite) else np.nan

    def note(grid: Grid, cell: tuple[int, int]) -> Note:
        value, deviation = float(grid.values[cell]), float(grid.deviations[cell])
        if not np.isfinite(value):
            word = grid.words.get(cell)
            return Note(small=word or "–", ink=FAILED if word else FAINT)
        small = "" if np.isnan(deviation) else f"± {number(deviation, 2)}"
        return Note(number(value, digits), small, bold=bool(value == best))

    return [{cell: note(grid, cell) for cell in np.ndindex(grid.values.shape)} for grid in grids]


def _cell_width(notes: Sequence[Mapping[tuple[int, int], Note]], columns: Side) -> int:
    """Pixels: every text fits with some air."""
    every = [note for grid in notes for note in grid.values()]
    small = text_width([*map(cut, columns.labels), *(note.small for note in every)], SMALL)
    return max(96, round(max(small, text_width([note.large for note in every], LABEL, bold=True))) + 24)
