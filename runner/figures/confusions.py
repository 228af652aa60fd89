"""Confusion matrices of several runs side by side, each row of a matrix in shares of its class.

Legend: C classes; counts (C, C) with rows actual, columns predicted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from duograd.runner.figures.canvas import Body, save, sheet
from duograd.runner.figures.confusion import DARK, EMPTY, FULL, Counts, Shares, normalised, percent
from duograd.runner.figures.lettering import font
from duograd.runner.figures.panels import Gaps, Place, blank, box, cut, in_rows, title_room, write_title
from duograd.runner.figures.style import FAINT, INK, LABEL, PAPER, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 1500  # pixels of matrices beside each other
CELL = 56
GUTTER = 30
TOP = 8  # between the subtitle and the matrices
RAISED = 34  # below a matrix that has others under it
LONGEST = 18  # characters of a class name, which stands beside every row of matrices


def confusion_matrices(
    matrices: Mapping[str, Counts], classes: Sequence[str], path: Path, title: str, split: str, footer: str = ""
) -> Path:
    """Draw matrices by run, counts (C, C) each; the share of right classes stands in each title; returns `path`.

    Cells show percents of their row (recall), a dash where the class has no sample. `split` names the samples.
    """
    names = [cut(name, LONGEST) for name in classes]
    side = CELL * len(classes)
    titles = [f"{name}: {_right(counts)} right" for name, counts in matrices.items()]
    room = round(1.03 * max(font(SMALL).getlength(name) for name in names))
    across = max(1, min(len(matrices), (WIDEST + GUTTER) // (side + GUTTER)))
    gaps = Gaps(GUTTER, RAISED, title_room(titles, side))
    places = in_rows(len(matrices), across, side, side, gaps, TOP)
    body = Body(across * (side + GUTTER), places[-1].y + side, left=room + 50, bottom=room + 56)
    says = f"{split} samples · each row sums to 100 %: recall · rows actual, columns predicted"
    figure, axes = sheet(body, title, says, footer)
    blank(axes, body)
    for counts, name, place in zip(matrices.values(), titles, places, strict=True):
        write_title(axes, name, place)
        _draw(box(axes, body, place), normalised(counts, "recall"), names, place)
    return save(figure, path)


def _right(counts: Counts) -> str:
    total = counts.sum()
    return f"{100 * np.trace(counts) / total:.1f} %" if total else "– %"


def _draw(axes: "Axes", shares: Shares, names: Sequence[str], place: Place) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("share", [PAPER, FULL]).with_extremes(bad=EMPTY)
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1, aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color="#d1d5db")
    for (row, column), share in np.ndenumerate(shares):
        text = "" if share == 0 else percent(float(share)).removesuffix(" %")
        colour = PAPER if share > DARK else INK
        axes.text(column, row, text, fontsize=SMALL, color=colour, ha="center", va="center")
    ticks = range(len(names))
    axes.set_yticks(ticks, names if place.left else [""] * len(names), parse_math=False)
    axes.set_xticks(ticks, names if place.lowest else [""] * len(names), parse_math=False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelrotation=90)
    if place.left:
        axes.set_ylabel("actual", fontsize=LABEL, color=FAINT)
    if place.lowest:
        axes.set_xlabel("predicted", fontsize=LABEL, color=FAINT)
