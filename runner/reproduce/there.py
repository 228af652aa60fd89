"""What a folder of sweeps holds already: which studies have finished runs, of how many seeds, on which data."""

from collections.abc import Collection, Sequence
from pathlib import Path

from duograd.data.pasting import hydra_text
from duograd.runner.reproduce.study import Study, studies
from duograd.runner.store.folders import SWEEP
from duograd.runner.store.overrides import as_typed, by_key, key_of, value_of
from duograd.runner.store.records import SweepRecord

PATHS = ("data.path", "data.root")
SEED = "seed"


def with_finished(sweeps: Path, names: Collection[str]) -> dict[str, Study]:
    """The studies of those names and those that have finished runs in the folder, in their order."""
    return {name: study for name, study in studies().items() if name in names or finished_seeds(sweeps / name)}


def finished_seeds(sweep: Path) -> int:
    """Of how many seeds a sweep has finished runs; 0 where there is no sweep."""
    return len({values.get(SEED) for values in _finished(sweep)})


def points_left(study: Study, sweep: Path, seeds: int) -> list[list[str]]:
    """The points of a study that have no finished run in its sweep, as they are typed."""
    finished = [{(key, as_typed(value)) for key, value in values.items()} for values in _finished(sweep)]
    points = [[f"{key}={value}" for key, value in point.items()] for point in study.points(seeds)]
    typed = [{(key, as_typed(value)) for key, value in by_key(point).items()} for point in points]
    return [point for point, values in zip(points, typed, strict=True) if not any(values <= run for run in finished)]


def _finished(sweep: Path) -> list[dict[str, str]]:
    """What was swept of each finished run."""
    jobs = SweepRecord.load(sweep).jobs if (sweep / SWEEP).exists() else []
    return [by_key(job.overrides) for job in jobs if job.status == "FINISHED"]


def data_overrides(study: Study, sweep: Path) -> Sequence[str]:
    """What named the data of a sweep, files by their names alone, as a page has them; () where there is no sweep."""
    if not (sweep / SWEEP).exists():
        return ()
    own = {*study.overrides, *study.quick}
    shared = SweepRecord.load(sweep).overrides
    return [_by_name(text) for text in shared if key_of(text).split(".")[0] == "data" and text not in own]


def _by_name(text: str) -> str:
    key = key_of(text)
    return f"{key}={hydra_text(Path(str(as_typed(value_of(text)))).name)}" if key in PATHS else text
