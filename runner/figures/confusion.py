"""Confusion matrices as heat maps: which class is taken for which.

Legend: C classes; counts (C, C) with rows actual, columns predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.figures.canvas import Body, legible, save, sheet
from duograd.runner.figures.lettering import font, line_height, wrap
from duograd.runner.figures.style import FAINT, INK, LABEL, PAPER, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Counts = NDArray[np.integer[Any]]
Shares = NDArray[np.float64]
Normalise = Literal["counts", "recall", "precision"]

# What sums to 100 %: the axis that is summed over, and the words for it.
SUMS = {"counts": None, "recall": 1, "precision": 0}
SAYS = {
    "counts": "all cells sum to 100 %: shares of all samples",
    "recall": "each row sums to 100 %: recall",
    "precision": "each column sums to 100 %: precision",
}
SMALLEST_CELL = {8: 96, 20: 66}  # pixels by number of classes, above which cells stop shrinking
NAME_WIDTH = 240  # pixels: longer class names are broken into lines
EMPTY = "#f1f2f4"
FULL = "#08519c"  # darker than the lines' blue, so that text has contrast on every shade
DARK = 0.7  # of FULL, from which white text reads better than black


@dataclass(frozen=True)
class Names:
    """Class names as lines of text, and how they are set along the bottom."""

    rows: list[list[str]]
    columns: list[list[str]]
    turned: bool


def confusion_matrix(
    counts: Counts, classes: Sequence[str], path: Path, title: str, normalise: Normalise = "recall", footer: str = ""
) -> Path:
    """Draw counts (C, C), each cell with its count and percentage; returns `path`.

    Colour and percentage follow `normalise`: the share of all samples, of the row (recall) or of the column
    (precision). Where a row or column is empty there is no share: its cells are grey and show a dash.
    """
    counts = _checked(np.asarray(counts), classes)
    shares = normalised(counts, normalise)
    cell = _cell_size(counts, classes)
    names = _names(classes, cell)
    below = _widest(names.columns) if names.turned else line_height(SMALL) * max(map(len, names.columns))
    side = cell * len(classes)
    body = Body(side, side, left=_widest(names.rows) + 60, bottom=below + 60)
    figure, axes = sheet(body, title, f"{SAYS[normalise]} · {counts.sum()} samples", footer)
    _paint(axes, shares, normalise)
    _write_cells(axes, counts, shares)
    _write_names(axes, names)
    return save(figure, path)


def normalised(counts: Counts, normalise: Normalise) -> Shares:
    """Counts (C, C) as shares of all, of their row or of their column; NaN where that sum is 0."""
    total = np.broadcast_to(counts.sum(axis=SUMS[normalise], keepdims=True), counts.shape)
    shares: Shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
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


def _cell_size(counts: Counts, classes: Sequence[str]) -> int:
    """Pixels of a cell: its count fits in the width, a class name's lines fit in the height."""
    smallest = next((size for most, size in SMALLEST_CELL.items() if len(classes) <= most), 66)
    digits = font(LABEL).getlength(str(counts.max())) + 20
    lines = max(len(wrap(name, NAME_WIDTH, font(SMALL))) for name in classes)
    return max(smallest, round(digits), line_height(SMALL) * lines + 4)


def _names(classes: Sequence[str], cell: int) -> Names:
    """Column names stand upright where every word fits its cell and three lines are enough, else they are turned."""
    face, room = font(SMALL), cell - 8
    rows = [wrap(name, NAME_WIDTH, face) for name in map(legible, classes)]
    upright = [wrap(name, room, face) for name in map(legible, classes)]
    turned = any(face.getlength(word) > room for name in classes for word in name.split()) or max(map(len, upright)) > 3
    return Names(rows, rows if turned else upright, turned)


def _widest(names: list[list[str]]) -> int:
    return round(1.03 * max((font(SMALL).getlength(line) for name in names for line in name), default=0))


def _paint(axes: "Axes", shares: Shares, normalise: Normalise) -> None:
    """White for none; full colour for all of a row or column, or for the largest share of all samples."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("share", [PAPER, FULL]).with_extremes(bad=EMPTY)
    full = np.nanmax(shares, initial=0) if normalise == "counts" else 1
    axes.imshow(shares, cmap=colours, vmin=0, vmax=full or 1, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    edges = np.arange(len(shares) + 1) - 0.5
    axes.hlines(edges, edges[0], edges[-1], color=PAPER, linewidth=1.5)
    axes.vlines(edges, edges[0], edges[-1], color=PAPER, linewidth=1.5)


def _write_cells(axes: "Axes", counts: Counts, shares: Shares) -> None:
    full = axes.images[0].get_clim()[1] or 1
    for (row, column), count in np.ndenumerate(counts):
        share = float(shares[row, column])
        colour = PAPER if share > DARK * full else INK if count else FAINT
        axes.text(column, row + 0.02, str(count), fontsize=LABEL, color=colour, ha="center", va="bottom")
        axes.text(column, row + 0.08, percent(share), fontsize=SMALL, color=colour, ha="center", va="top")


def _write_names(axes: "Axes", names: Names) -> None:
    ticks = range(len(names.rows))
    axes.set_yticks(ticks, ["\n".join(lines) for lines in names.rows], parse_math=False)
    axes.set_xticks(ticks, ["\n".join(lines) for lines in names.columns], parse_math=False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelrotation=90 if names.turned else 0)
    axes.set_ylabel("actual", fontsize=LABEL, color=FAINT)
    axes.set_xlabel("predicted", fontsize=LABEL, color=FAINT)
