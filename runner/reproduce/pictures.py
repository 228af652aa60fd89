"""The pictures of a study: those of its sweep's report, and figures of its first run."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from duograd.runner.drawing import finished_run
from duograd.runner.plots.figure import draw_figure
from duograd.runner.report.charts import Picture
from duograd.runner.report.records import Record
from duograd.runner.report.restore import MissingError, Restorer
from duograd.runner.reproduce.study import Study
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder

FIGURES = "figures"
COLOURS = 128  # of a picture on the page: a third of the bytes, and nothing that an eye would miss


def pictures(name: str, study: Study, sweep: Path, records: Sequence[Record], out: Path) -> list[Picture]:
    """Writes small copies into the page's folder."""
    paths = [path for beginning in study.pictures for path in sorted((sweep / FIGURES).glob(f"{beginning}*.png"))]
    finished = [record for record in records if record.status == "FINISHED"]
    paths += [path for figure in study.figures for path in _of_a_run(figure, finished[:1])]
    return [_copied(path, out / FIGURES / f"{name}_{path.name}", study.title) for path in paths]


def _of_a_run(figure: str, records: Sequence[Record]) -> list[Path]:
    """The figure of each run, drawn into its folder once more where it is not there; none where its data is gone."""
    restorer = Restorer()
    for record in records:
        folder, build = RunFolder(record.folder), partial(restorer.engine, record, best=False)
        try:
            engine, data = build(), restorer.data(record)
        except MissingError as missing:
            print(f"no {figure} of {record.folder}: {missing}")
            continue
        metrics = {name: value for name, value in record.metrics.items() if value is not None}
        epochs = int(record.summary["epochs"])
        draw_figure(figure, finished_run(engine, build, data, metrics, record.identity, epochs, folder))
    return [path for record in records for path in sorted(RunFolder(record.folder).figures.glob(f"{figure}*.png"))]


def _copied(path: Path, copy: Path, title: str) -> Picture:
    small = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    copy.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(copy, small.getvalue())
    return Picture(copy, f"{title}: {path.stem.replace('_', ' ')}")
