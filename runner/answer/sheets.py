"""Contact sheets of autoencoders over any two axes: what the hidden units look for, and what samples come back as.

Legend: R rows, C columns of a sheet; K samples, H height, W width.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.runner.answer.differences import shown
from duograd.runner.answer.drawings import Drawing, ending
from duograd.runner.answer.ranking import Setting, best_run, standings
from duograd.runner.answer.rebuild import MissingError, Workshop, weights
from duograd.runner.answer.records import Record
from duograd.runner.answer.study import Study
from duograd.runner.figures.contact import Cell, contact_sheet
from duograd.runner.figures.grid import stretch_each, tile
from duograd.runner.figures.png import Pixels
from duograd.runner.folder import RunFolder

ENCODER = "encoder.weight"
SAMPLES, NARROW = 12, 6  # samples in a cell; and where there are more columns than the page has room for
WIDE = 5  # columns up to which it has
FIRST = 6  # of the best, where there are no axes to lay pictures out along
MOST = 10  # rows, and columns: past that a sheet is no longer looked at
Picture = Callable[[Record], Pixels]


def sheets(study: Study, workshop: Workshop, folder: Path) -> Iterator[Drawing | str]:
    """Draws both sheets into a folder; a string says why one had to be left out."""
    count = SAMPLES if len(_sides(study)[1]) <= WIDE else NARROW
    pictures: dict[str, tuple[str, str, Picture]] = {
        "features": ("Hidden features", FEATURES, lambda record: features(record, workshop)),
        "reconstructions": ("Reconstructions", SAID_AGAIN, lambda record: reconstructions(record, workshop, count)),
    }
    for name, (title, note, picture) in pictures.items():
        try:
            yield _sheet(study, picture, folder / f"{name}.png", f"{title}: {study.title}", note)
        except MissingError as reason:
            yield f"{title} are left out: {reason}"


FEATURES = "each unit's incoming weights at the best epoch · mid grey is weight 0, each unit scaled by itself"
SAID_AGAIN = "samples, and below them what the network makes of them at its best epoch · one grey scale"


def features(record: Record, workshop: Workshop) -> Pixels:
    """Each hidden unit's weights as an image, in one grid; where the data is gone, the run's own last frame."""
    try:
        shape = workshop.data(record).image_shape
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


def reconstructions(record: Record, workshop: Workshop, count: int) -> Pixels:
    """Two rows of samples: as the network gets them, and as it says them again."""
    data = workshop.data(record)
    samples = data.gallery["grey"][:count]
    flat = samples.reshape(len(samples), -1).astype(data.train.inputs.dtype)
    again = workshop.engine(record, best=True).predict(flat).reshape(samples.shape)
    low, high = float(samples.min()), float(samples.max())
    both: NDArray[Any] = np.concatenate([samples, again]).astype(np.float64)
    return tile((both - low) / ((high - low) or 1.0), columns=len(samples))


def _sheet(study: Study, picture: Picture, path: Path, title: str, note: str) -> Drawing:
    """A picture of the best run at each point of the first two axes."""
    if study.scattered:
        return _best_of_a_cloud(study, picture, path, title, note)
    rows, columns = _sides(study)
    cells = [[_cell(study, picture, (row, column)) for column in columns] for row in rows]
    if not any(cell.picture is not None for row in cells for cell in row):
        raise MissingError(next(cell.caption for row in cells for cell in row))
    hidden = " · of several runs in a cell, the best" if len(study.records) > len(rows) * len(columns) else ""
    names = [_named(study, 0, row) for row in rows], [_named(study, 1, column) for column in columns]
    contact_sheet(cells, *names, path, title, note + hidden, study.footer)
    over = " × ".join(study.along[k].name for k in study.drawn[:2])
    return Drawing(path, f"{title.partition(':')[0]} over {over}" if over else title.partition(":")[0])


def _best_of_a_cloud(study: Study, picture: Picture, path: Path, title: str, note: str) -> Drawing:
    """Where runs form no grid, the best of them below each other."""
    best = [standing.setting for standing in study.standings if standing.place][:FIRST]
    cells = [[_pictured(study, picture, setting)] for setting in best]
    contact_sheet(cells, [setting.label for setting in best], [""], path, title, note, study.footer)
    return Drawing(path, f"{title.partition(':')[0]} of the best")


def _sides(study: Study) -> tuple[Sequence[Any], Sequence[Any]]:
    """The values of the first two axes; where there is none, the one nameless place."""
    values = [study.along[k].values[:MOST] for k in study.drawn[:2]]
    first, second = [*values, (None,), (None,)][:2]
    return first, second


def _named(study: Study, index: int, value: Any) -> str:
    return f"{study.along[study.drawn[index]].name}={shown(value)}" if index < len(study.drawn) else ""


def _cell(study: Study, picture: Picture, point: tuple[Any, Any]) -> Cell:
    """The best finished run at a point, as a picture; else why there is none."""
    at = study.drawn[:2]
    here = [s for s in study.settings if tuple(s.point[k] for k in at) == point[: len(at)]]
    ranked = [s for s in standings(here, study.measure) if s.place]
    return _pictured(study, picture, ranked[0].setting) if ranked else Cell(None, _why(here))


def _pictured(study: Study, picture: Picture, setting: Setting) -> Cell:
    """The best finished run of a setting that has one."""
    [standing] = standings([setting], study.measure)
    run = best_run(standing, study.measure)
    try:
        return Cell(picture(run), f"{study.measure.name} {study.measure.of(run):.4g}")
    except MissingError as reason:
        return Cell(None, str(reason))


def _why(here: Sequence[Setting]) -> str:
    return ending(here[0].records[0]) if here else "not run"
