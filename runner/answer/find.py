"""From what a person names - run folders, a sweep, a folder of runs, an MLflow experiment - to records."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from duograd.runner.answer.records import Record, read_run, read_sweep
from duograd.runner.errors import UserError
from duograd.runner.folder import SWEEP
from duograd.runner.tracking import address
from duograd.runner.tracking.errors import TrackingError
from duograd.runner.tracking.folders import runs_below
from duograd.runner.tracking.reader import is_run_folder


@dataclass(frozen=True)
class Found:
    """Runs of one task, at least one, and what they are together; swept and parent_run_id as in a Sweep."""

    title: str
    records: list[Record]
    swept: Mapping[str, Sequence[Any]]
    command: str
    parent_run_id: str | None = None


def find(names: Sequence[str], uri: str | None = None) -> Found:
    """The runs behind the names. Raises UserError where there are none, or they are not of one task."""
    if len(names) == 1 and (Path(names[0]) / SWEEP).is_file():
        return _sweep(Path(names[0]))
    records = list({record.folder.resolve(): record for name in names for record in _records(name, uri)}.values())
    _check_task(records)
    task = next((record.task for record in records if record.task), "unknown")
    title = Path(names[0]).resolve().name if len(names) == 1 else f"{len(records)} runs of {task}"
    # swept keys of several sweeps are no common axes: what differs is found in the configurations
    return Found(title, [replace(record, swept={}) for record in records], {}, "")


def _sweep(path: Path) -> Found:
    sweep = read_sweep(path)
    if not sweep.records:
        raise UserError(f"{path} has no jobs: its sweep never started one")
    return Found(sweep.name, sweep.records, sweep.swept, sweep.command, sweep.parent_run_id)


def _records(name: str, uri: str | None) -> Iterator[Record]:
    path = Path(name)
    if not path.is_dir():
        yield from map(read_run, _experiment(name, uri))
    elif (path / SWEEP).is_file():
        yield from read_sweep(path).records
    elif is_run_folder(path):
        yield read_run(path)
    else:
        found = [folder for folder in runs_below(path) if is_run_folder(folder)]
        if not found:
            raise UserError(f"{path} holds no run: name run folders, a sweep's folder or an MLflow experiment")
        yield from map(read_run, found)


def _experiment(name: str, uri: str | None) -> list[Path]:
    """The folders of an experiment's runs."""
    if any(mark in name for mark in "/\\"):
        raise UserError(f"no folder {name}: name run folders, a sweep's folder or an MLflow experiment")
    where = address.resolve(uri, Path.cwd())
    path = address.database_path(where)
    if path is not None and not path.exists():
        raise UserError(f"no folder {name}, and no MLflow database {path} that could know an experiment of that name")
    from duograd.runner.tracking.experiments import (
        experiment_folders,  # mlflow: 1 to 2 s, only where nothing else is meant
    )

    try:
        found = experiment_folders(where, name)
    except TrackingError as error:
        raise UserError(str(error)) from None
    if found is None:
        raise UserError(f"no folder and no MLflow experiment '{name}': duograd ui shows the experiments there are")
    if not found:
        raise UserError(f"experiment '{name}' has no run whose folder can be read: name the run folders themselves")
    return found


def _check_task(records: Sequence[Record]) -> None:
    tasks = Counter(record.task for record in records if record.task)
    if len(tasks) > 1:
        counts = ", ".join(f"{count} of {task}" for task, count in tasks.items())
        raise UserError(f"runs of different tasks cannot be compared ({counts}): name runs of one task")
