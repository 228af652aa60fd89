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
COLOURS = 128  # of a picture on the page: a third of the bytes, and no line of another colour than its legend's


def pictures(name: str, study: Study, sweep: Path, records: Sequence[Record], out: Path) -> list[Picture]:
    """Writes small copies into the page's folder."""
    paths = [path for beginning in study.pictures for path in sorted((sweep / FIGURES).glob(f"{beginning}*.png"))]
    finished = [record for record in records if record.status == "FINISHED"]
    paths += _of_a_run(study.figures, finished[0]) if study.figures and finished else []
    return [_copied(path, out / FIGURES / f"{name}_{path.name}", study.title) for path in paths]


def _of_a_run(figures: Sequence[str], record: Record) -> list[Path]:
    """The figures of a run, drawn into its folder; only those that are there already where its data is gone."""
    folder, restorer = RunFolder(record.folder), Restorer()
    build = partial(restorer.engine, record, best=False)
    try:
        engine, data = build(), restorer.data(record)
        metrics = {name: value for name, value in record.metrics.items() if value is not None}
        run = finished_run(engine, build, data, metrics, record.identity, int(record.summary["epochs"]), folder)
        for figure in figures:
            draw_figure(figure, run)
    except MissingError as missing:
        print(f"no {', '.join(figures)} of {folder.path}: {missing}")
    return [path for figure in figures for path in sorted(folder.figures.glob(f"{figure}*.png"))]


def _copied(path: Path, copy: Path, title: str) -> Picture:
    small = io.BytesIO()
    with Image.open(path) as picture:
        fewer = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    fewer.save(small, "PNG", optimize=True)
    copy.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(copy, small.getvalue())
    return Picture(copy, f"{title}: {path.stem.replace('_', ' ')}")
