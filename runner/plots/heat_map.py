"""Annotated heat maps: a number over two swept axes, and confusion matrices, which class is taken for which.

Legend: R rows, C columns of a map (C classes of a confusion matrix); values (R, C), NaN where there is none;
counts (C, C) with rows actual, columns predicted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.plots.chart import Chart, Floats, scale_for
from duograd.runner.plots.style import FAINT, GRID, INK, LABEL, PAPER, SMALL
from duograd.runner.plots.text import (
    Output,
    cut,
    digits_for,
    font,
    joined,
    legible,
    line_height,
    number,
    text_width,
    wrap,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

Counts = NDArray[np.integer[Any]]
Normalise = Literal["counts", "recall", "precision"]

WIDEST = 1500  # pixels of maps beside each other
GUTTER = 100  # what a map that is not the first needs at its side, about
CELL_HEIGHT = 64
EMPTY = "#f1f2f4"  # no value
FULL = "#08519c"  # darker than the lines' blue, so that text has contrast on every shade
PALEST = "#eef4fa"  # the worst value: not white, which is no value
FAILED = "#c2410c"  # a word where a number should be
DARK = 0.55  # the brightness below which white text reads better than black

# What sums to 100 %: the axis that is summed over, and the words for it.
SUMS = {"counts": None, "recall": 1, "precision": 0}
SAYS = {
    "counts": "all cells sum to 100 %: shares of all samples",
    "recall": "each row sums to 100 %: recall",
    "precision": "each column sums to 100 %: precision",
}
SMALLEST_CELL = {8: 96, 20: 66}  # pixels by number of classes, above which cells stop shrinking
BESIDE_CELL = 56  # of matrices beside each other
NAME_WIDTH = 240  # pixels: longer class names are broken into lines
MOST_LINES = 3  # of a class name below an upright column
MOST_NUMBERED = 30  # classes, beyond which cells have no room for numbers
SIDE = 1000  # pixels of a matrix of more classes
WORST = 25  # pairs of classes that are listed beside it


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


def _label(axes: "Axes", rows: Sequence[str], columns: Sequence[str], turned: bool = False, every: int = 1) -> None:
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
        _label(axes, list(map(cut, rows.labels)), list(map(cut, columns.labels)))
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


# -- confusion matrices ------------------------------------------------------------------------------------------------


def confusion_matrix(counts: Counts, classes: Sequence[str], out: Output, normalise: Normalise = "recall") -> Path:
    """Draw counts (C, C), each cell with its count and percentage; returns the path.

    Colour and percentage follow `normalise`: the share of all samples, of the row (recall) or of the column
    (precision). Where a row or column is empty there is no share: its cells are grey and show a dash.
    """
    counts = _checked(np.asarray(counts), classes)
    shares = normalised(counts, normalise)
    subtitle = f"{SAYS[normalise]} · {counts.sum()} samples"
    if len(classes) > MOST_NUMBERED:
        return _draw_many(counts, shares, classes, out, subtitle)
    largest = float(np.nanmax(shares, initial=0)) if normalise == "counts" else 1.0
    rows, columns, turned, cell = _class_names(counts, classes)
    notes = {
        (row, column): Note(str(count), percent(float(shares[row, column])), None if count else FAINT)
        for (row, column), count in np.ndenumerate(counts)
    }
    chart = Chart(out, subtitle, (cell * len(counts),) * 2)
    [axes] = chart.axes
    paint(axes, shares, _share(largest or 1.0), notes, line=1.5)
    _label(axes, rows, columns, turned)
    chart.label(axes, "predicted", "actual")
    return chart.save()


def _draw_many(counts: Counts, shares: Floats, classes: Sequence[str], out: Output, subtitle: str) -> Path:
    """A matrix of many classes, without numbers; the pairs that are confused most stand beside it."""
    largest = float(np.nanmax(shares, initial=0)) or 1.0
    chart = Chart(out, f"{subtitle} · the darkest cell is {percent(largest)}", (SIDE, SIDE))
    [axes] = chart.axes
    paint(axes, shares, _share(largest), {}, line=0)
    names = [cut(name, 18) for name in classes]
    _label(axes, names, names, turned=True, every=_every(len(classes), SIDE))
    chart.label(axes, "predicted", "actual")
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    pairs = [divmod(int(cell), len(counts)) for cell in np.argsort(-wrong, axis=None, kind="stable")[:WORST]]
    lines = [f"{counts[pair]} × {names[pair[0]]} → {names[pair[1]]}" for pair in pairs if wrong[pair]]
    text: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "top", "linespacing": 1.6, "parse_math": False}
    axes.text(1.02, 1, "\n".join(["confused most:", *lines]), transform=axes.transAxes, **text)
    return chart.save()


def _every(classes: int, side: int) -> int:
    """Which of the names along a side have room: every so many."""
    return math.ceil(classes * line_height(SMALL) / side)


def confusion_matrices(matrices: Mapping[str, Counts], classes: Sequence[str], out: Output, split: str) -> Path:
    """Draw matrices by run, counts (C, C) each; the share of right classes stands in each title; returns the path.

    Cells show percents of their row (recall), a dash where the class has no sample. `split` names the samples.
    """
    names, numbered = [cut(name, 18) for name in classes], len(classes) <= MOST_NUMBERED
    side = BESIDE_CELL * len(classes) if numbered else SIDE // 2
    across = max(1, min(len(matrices), WIDEST // (side + 30)))
    subtitle = f"{split} samples · each row sums to 100 %: recall · rows actual, columns predicted"
    chart = Chart(out, subtitle, (side, side), len(matrices), across)
    for panel, (name, counts) in enumerate(matrices.items()):
        axes, shares = chart.axes[panel], normalised(counts, "recall")
        left, lowest = chart.is_left(panel), chart.is_lowest(panel)
        total = counts.sum()
        right = f"{100 * np.trace(counts) / total:.1f} %" if total else "– %"
        chart.entitle(axes, f"{name}: {right} right")
        cells = np.ndenumerate(shares) if numbered else ()
        notes = {cell: Note(small=percent(float(share)).removesuffix(" %")) for cell, share in cells if share}
        paint(axes, shares, _share(1.0), notes, line=0)
        axes.spines[:].set(visible=True, color=GRID)
        blank = [""] * len(names)
        every = _every(len(names), side)
        _label(axes, names if left else blank, names if lowest else blank, turned=True, every=every)
        chart.label(axes, "predicted" if lowest else "", "actual" if left else "")
    return chart.save()


def normalised(counts: Counts, normalise: Normalise) -> Floats:
    """Counts (C, C) as shares of all, of their row or of their column; NaN where that sum is 0."""
    total = np.broadcast_to(counts.sum(axis=SUMS[normalise], keepdims=True), counts.shape)
    shares: Floats = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    return shares


def percent(share: float) -> str:
    """A share in whole percents; only nothing is 0 % and only all is 100 %, and an empty sum has no share."""
    if np.isnan(share):
        return "–"
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def _checked(counts: Counts, classes: Sequence[str]) -> Counts:
    if counts.shape != (len(classes), len(classes)) or not len(classes):
        raise ValueError(
            f"counts have shape {counts.shape}: expected ({len(classes)}, {len(classes)}), a row per class"
        )
    if not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
        raise ValueError(
            f"counts are {counts.dtype}, from {counts.min()}: expected whole numbers of samples, 0 or more"
        )
    return counts


def _share(largest: float) -> Shades:
    """White for none, full colour for the largest share."""
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("share", [PAPER, FULL]).with_extremes(bad=EMPTY)
    return Shades(colours, Normalize(0, largest))


def _class_names(counts: Counts, classes: Sequence[str]) -> tuple[list[str], list[str], bool, int]:
    """Names beside rows and below columns, whether the latter are turned, and the pixels of a cell that they fit.

    Column names stand upright where every word fits its cell and three lines are enough.
    """
    face = font(SMALL)
    rows = [wrap(legible(name), NAME_WIDTH, face) for name in classes]
    smallest = next((size for most, size in SMALLEST_CELL.items() if len(classes) <= most), 66)
    digits = round(text_width([str(counts.max())], LABEL)) + 20
    cell = max(smallest, digits, line_height(SMALL) * max(map(len, rows)) + 4)
    upright = [wrap(legible(name), cell - 8, face) for name in classes]
    too_wide = text_width([word for name in classes for word in name.split()], SMALL) > cell - 8
    turned = too_wide or max(map(len, upright)) > MOST_LINES
    return (
        ["\n".join(lines) for lines in rows],
        ["\n".join(lines) for lines in (rows if turned else upright)],
        turned,
        cell,
    )
