"""Contact sheets of autoencoders over any two axes: what the hidden units look for, and what samples come back as.

Legend: R rows, C columns of a sheet; K samples, H height, W width.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.folder import RunFolder
from duograd.runner.plots.images import Pixels, stretch_each, tile
from duograd.runner.plots.page import Cell, contact_sheet
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import format_value
from duograd.runner.report.ranking import Group, best_run, rank_groups
from duograd.runner.report.records import Record
from duograd.runner.report.restore import MissingError, Restorer, weights

ENCODER = "encoder.weight"
SAMPLES, NARROW = 12, 6  # samples in a cell; and where there are more columns than the page has room for
WIDE = 5  # columns up to which it has
FIRST = 6  # of the best, where there are no axes to lay pictures out along
MOST = 10  # rows, and columns: past that a sheet is no longer looked at


@dataclass(frozen=True)
class Sheet:
    """A small picture of each run: what it is called, what to know about it, and how it is made (uint8 pixels)."""

    file: str
    name: str
    note: str
    draw: Callable[[Record], Pixels]


def sheets(comparison: Comparison, restorer: Restorer, folder: Path) -> Iterator[Picture | str]:
    """Draws both sheets into a folder; a string says why one had to be left out."""
    count = SAMPLES if len(_sides(comparison)[1]) <= WIDE else NARROW
    for sheet in (
        Sheet(
            "features.png",
            "Hidden features",
            "each unit's incoming weights at the best epoch · mid grey is weight 0, each unit scaled by itself",
            lambda record: features(record, restorer),
        ),
        Sheet(
            "reconstructions.png",
            "Reconstructions",
            "samples, and below them what the network makes of them at its best epoch · one grey scale",
            lambda record: reconstructions(record, restorer, count),
        ),
    ):
        try:
            yield _drawn(comparison, sheet, folder)
        except MissingError as reason:
            yield f"{sheet.name} are left out: {reason}"


def features(record: Record, restorer: Restorer) -> Pixels:
    """Each hidden unit's weights as an image, in one grid; where the data is gone, the run's own last frame."""
    try:
        shape = restorer.data(record).image_shape
    except MissingError:
        return _last_frame(record)
    weight = weights(record, best=True)[ENCODER]
    return tile(stretch_each(weight.reshape(len(weight), *shape), centre=0.0))


def _last_frame(record: Record) -> Pixels:
    frames = sorted((RunFolder(record.folder).frames / "hidden_weights").glob("*.png"))
    if not frames:
        raise MissingError("neither data nor a frame of the hidden weights is there")
    with Image.open(frames[-1]) as image:
        return np.asarray(image)


def reconstructions(record: Record, restorer: Restorer, count: int) -> Pixels:
    """Two rows of samples: as the network gets them, and as it says them again."""
    data = restorer.data(record)
    samples = data.gallery["grey"][:count]
    flat = samples.reshape(len(samples), -1).astype(data.train.inputs.dtype)
    again = restorer.engine(record, best=True).predict(flat).reshape(samples.shape)
    low, high = float(samples.min()), float(samples.max())
    both: NDArray[Any] = np.concatenate([samples, again]).astype(np.float64)
    return tile((both - low) / ((high - low) or 1.0), columns=len(samples))


def _drawn(comparison: Comparison, sheet: Sheet, folder: Path) -> Picture:
    """A picture of the best run at each point of the first two axes; of runs that form no grid, the best ones."""
    note, over = sheet.note, ""
    if comparison.scattered:
        best = [rank.group for rank in comparison.ranks if rank.place][:FIRST]
        cells = [[_pictured(comparison, sheet, group)] for group in best]
        names, over = ([group.label for group in best], [""]), " of the best"
    else:
        rows, columns = _sides(comparison)
        cells = [[_cell(comparison, sheet, (row, column)) for column in columns] for row in rows]
        if not any(cell.picture is not None for row in cells for cell in row):
            raise MissingError(next(cell.caption for row in cells for cell in row))
        names = [_named(comparison, 0, row) for row in rows], [_named(comparison, 1, column) for column in columns]
        several = len(comparison.records) > len(rows) * len(columns)
        note += " · of several runs in a cell, the best" if several else ""
        axes = " × ".join(comparison.axes[k].name for k in comparison.drawn[:2])
        over = f" over {axes}" if axes else ""
    path = folder / sheet.file
    contact_sheet(cells, *names, path, f"{sheet.name}: {comparison.title}", note, comparison.footer)
    return Picture(path, sheet.name + over)


def _sides(comparison: Comparison) -> tuple[Sequence[Any], Sequence[Any]]:
    """The values of the first two axes; where there is none, the one nameless place."""
    values = [comparison.axes[k].values[:MOST] for k in comparison.drawn[:2]]
    first, second = [*values, (None,), (None,)][:2]
    return first, second


def _named(comparison: Comparison, index: int, value: Any) -> str:
    if index >= len(comparison.drawn):
        return ""
    return f"{comparison.axes[comparison.drawn[index]].name}={format_value(value)}"


def _cell(comparison: Comparison, sheet: Sheet, point: tuple[Any, Any]) -> Cell:
    """The best finished run at a point, as a picture; else why there is none."""
    at = comparison.drawn[:2]
    here = [group for group in comparison.groups if tuple(group.point[k] for k in at) == point[: len(at)]]
    ranks = rank_groups(here, comparison.measure)
    if ranks and ranks[0].place:
        return _pictured(comparison, sheet, ranks[0].group)
    return Cell(None, here[0].records[0].outcome if here else "not run")


def _pictured(comparison: Comparison, sheet: Sheet, group: Group) -> Cell:
    """The best finished run of a group that has one."""
    measure = comparison.measure
    run = best_run(group, measure)
    try:
        return Cell(sheet.draw(run), f"{measure.name} {measure.of(run):.4g}")
    except MissingError as reason:
        return Cell(None, str(reason))
