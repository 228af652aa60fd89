"""Contact sheets of autoencoders over any two axes: what the hidden units look for, and what samples come back as.

Legend: R rows, C columns of a sheet; K samples, H height, W width.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.plots.images import Pixels, stretch_each, tile
from duograd.runner.plots.page import Cell, contact_sheet
from duograd.runner.plots.text import Output
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import Axis, format_value
from duograd.runner.report.ranking import Group, best_run, rank_groups
from duograd.runner.report.records import Record
from duograd.runner.report.restore import MissingError, Restorer, weights
from duograd.runner.store.folders import RunFolder

ENCODER = "encoder.weight"
SAMPLES, NARROW = 12, 6  # samples in a cell; and where there are more columns than the page has room for
WIDE = 5  # columns up to which it has
FIRST = 6  # of the best, where there are no axes to lay pictures out along
MOST = 10  # rows, and columns: past that a sheet is no longer looked at
NOWHERE = Axis("", "", (None,))  # where there is no axis


@dataclass(frozen=True)
class Sheet:
    """A small picture of each run: what it is called, what to know about it, and how it is made (uint8 pixels)."""

    file: str
    name: str
    note: str
    draw: Callable[[Record], Pixels]


def sheets(comparison: Comparison, restorer: Restorer, folder: Path) -> Iterator[Picture | str]:
    """Draws both sheets into a folder; a string says why one had to be left out."""
    count = SAMPLES if len(_names(_sides(comparison)[1])) <= WIDE else NARROW
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
            yield _write(comparison, sheet, folder)
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


def _write(comparison: Comparison, sheet: Sheet, folder: Path) -> Picture:
    """A picture of the best run at each point of the first two axes; of runs that form no grid, the best ones."""
    down, across = _sides(comparison)
    note, names, over = sheet.note, (_names(down), _names(across)), ""
    if comparison.scattered:
        best = [rank.group for rank in comparison.ranks if rank.place][:FIRST]
        cells = [[_picture(comparison, sheet, [group])] for group in best]
        names, over = ([group.label for group in best], [""]), " of the best"
    else:
        places = [
            [{down.key: row, across.key: column} for column in across.values[:MOST]] for row in down.values[:MOST]
        ]
        cells = [[_picture(comparison, sheet, _groups_at(comparison, place)) for place in row] for row in places]
        if not any(cell.picture is not None for row in cells for cell in row):
            raise MissingError(next(cell.caption for row in cells for cell in row))
        several = len(comparison.records) > len(cells) * len(cells[0])
        note += " · of several runs in a cell, the best" if several else ""
        axes = " × ".join(axis.name for axis in (down, across) if axis is not NOWHERE)
        over = f" over {axes}" if axes else ""
    out = Output(folder / sheet.file, f"{sheet.name}: {comparison.subject}", comparison.footer)
    contact_sheet(cells, *names, out, note)
    return Picture(out.path, sheet.name + over)


def _sides(comparison: Comparison) -> tuple[Axis, Axis]:
    first, second = [*comparison.chart_axes, NOWHERE, NOWHERE][:2]
    return first, second


def _names(axis: Axis) -> list[str]:
    return [f"{axis.name}={format_value(value)}" if axis.name else "" for value in axis.values[:MOST]]


def _groups_at(comparison: Comparison, place: Mapping[str, Any]) -> list[Group]:
    return [g for g in comparison.groups if all(g.point.get(key) == value for key, value in place.items())]


def _picture(comparison: Comparison, sheet: Sheet, groups: Sequence[Group]) -> Cell:
    """The best finished run of some groups; else why there is none."""
    measure = comparison.measure
    first = next(iter(rank_groups(groups, measure)), None)
    if first is None or first.place is None:
        return Cell(None, groups[0].records[0].outcome if groups else "not run")
    run = best_run(first.group, measure)
    try:
        return Cell(sheet.draw(run), f"{measure.name} {measure.of(run):.4g}")
    except MissingError as reason:
        return Cell(None, str(reason))
