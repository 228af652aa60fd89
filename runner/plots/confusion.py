"""Confusion matrices as heat maps: which class is taken for which, of one run or of several side by side.

Legend: C classes; counts (C, C) with rows actual, columns predicted; shares (C, C), NaN where there is none.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.runner.plots.chart import Chart
from duograd.runner.plots.heat_map import EMPTY, FULL, WIDEST, Note, Shades, label_cells, paint
from duograd.runner.plots.scale import Floats
from duograd.runner.plots.style import FAINT, GRID, INK, LABEL, PAPER, SMALL
from duograd.runner.plots.text import Output, cut, font, legible, line_height, text_width, wrap

Counts = NDArray[np.integer[Any]]
Normalise = Literal["counts", "recall", "precision"]

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


def confusion_matrix(counts: Counts, classes: Sequence[str], out: Output, normalise: Normalise = "recall") -> Path:
    """Draw counts (C, C), each cell with its count and percentage; returns the path.

    Colour and percentage follow `normalise`: the share of all samples, of the row (recall) or of the column
    (precision). Where a row or column is empty there is no share: its cells are grey and show a dash.
    """
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
    label_cells(axes, rows, columns, turned)
    chart.label(axes, "predicted", "actual")
    return chart.save()


def _draw_many(counts: Counts, shares: Floats, classes: Sequence[str], out: Output, subtitle: str) -> Path:
    """A matrix of many classes, without numbers; the pairs that are confused most stand beside it."""
    largest = float(np.nanmax(shares, initial=0)) or 1.0
    chart = Chart(out, f"{subtitle} · the darkest cell is {percent(largest)}", (SIDE, SIDE))
    [axes] = chart.axes
    paint(axes, shares, _share(largest), {}, line=0)
    names = [cut(name, 18) for name in classes]
    label_cells(axes, names, names, turned=True, every=_every(len(classes), SIDE))
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
        label_cells(axes, names if left else blank, names if lowest else blank, turned=True, every=every)
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
