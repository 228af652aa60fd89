"""From what a person names (run folders, a sweep, a folder of runs, an MLflow experiment) to a comparison of runs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import Record, read_run, read_sweep
from duograd.runner.report.replication import sweep_command
from duograd.runner.report.statistics import Interval
from duograd.runner.store.folders import SEARCH, SWEEP, is_run_folder, runs_below
from duograd.runner.store.records import SearchRecord
from duograd.runner.tracking import TrackingError, address

MLFLOW = "mlflow:"  # before the name of an experiment whose runs anything may have logged
KINDS = "name run folders, a sweep's folder or an MLflow experiment"


def select_runs(
    names: Sequence[str], uri: str | None = None, interval: Interval = "t", ranking: Mapping[str, Any] | None = None
) -> Comparison:
    """The runs behind the names; ranking: how those are ranked that something else logged.

    Raises UserError where there are none, or they are not of one task.
    """
    if len(names) == 1 and names[0].startswith(MLFLOW):
        return _logged(names[0].removeprefix(MLFLOW), uri, interval, ranking)
    if any(name.startswith(MLFLOW) for name in names):
        raise UserError(f"{MLFLOW}EXPERIMENT stands alone: what other programs logged is compared with itself")
    if len(names) == 1 and (Path(names[0]) / SWEEP).is_file():
        return sweep_runs(Path(names[0]), interval)
    records = list({record.folder.resolve(): record for name in names for record in _records(name, uri)}.values())
    _check_task(records)
    task = next((record.task for record in records if record.task), "unknown")
    title = Path(names[0]).resolve().name if len(names) == 1 else f"{len(records)} runs of {task}"
    # swept keys of several sweeps are no common axes: what differs is seen in the configurations
    return Comparison(title, [replace(record, swept={}) for record in records], interval=interval)


def sweep_runs(folder: Path, interval: Interval = "t") -> Comparison:
    """The runs of a sweep along its own axes. Raises UserError where sweep.json is missing, is none or has no jobs."""
    sweep, records = read_sweep(folder)
    if not records:
        raise UserError(f"{folder} has no jobs: its sweep never started one")
    search = SearchRecord.load(folder) if (folder / SEARCH).exists() else None
    trials = search if search and search.trials else None  # it may have just begun
    repeat = "" if trials else sweep_command(sweep, folder)
    return Comparison(sweep.name, records, sweep.swept, sweep.command, sweep.parent_run_id, trials, repeat, interval)


def _logged(name: str, uri: str | None, interval: Interval, ranking: Mapping[str, Any] | None) -> Comparison:
    from duograd.runner.report.logged import logged_comparison
    from duograd.runner.tracking.logged import logged_runs

    where = address.resolve(uri, Path.cwd())
    try:
        runs = logged_runs(where, name)
    except TrackingError as error:
        raise UserError(str(error)) from None
    if not runs:
        raise UserError(f"{address.bare(where)} has no {'run in ' if runs is not None else ''}experiment '{name}'")
    return replace(logged_comparison(name, runs, interval=interval, **(ranking or {})), uri=where)


def _records(name: str, uri: str | None) -> Iterator[Record]:
    path = Path(name)
    if not path.is_dir():
        yield from map(read_run, _experiment(name, uri))
    elif (path / SWEEP).is_file():
        yield from read_sweep(path)[1]
    elif is_run_folder(path):
        yield read_run(path)
    else:
        folders = [folder for folder in runs_below(path) if is_run_folder(folder)]
        if not folders:
            raise UserError(f"{path} holds no run: {KINDS}")
        yield from map(read_run, folders)


def _experiment(name: str, uri: str | None) -> list[Path]:
    """The folders of an experiment's runs."""
    if any(mark in name for mark in "/\\"):
        raise UserError(f"no folder {name}: {KINDS}")
    where = address.resolve(uri, Path.cwd())
    path = address.database_path(where)
    if path is not None and not path.exists():
        raise UserError(f"no folder {name}, and no MLflow database {path} that could know an experiment of that name")
    from duograd.runner.tracking.experiments import experiment_folders  # mlflow: 1 to 2 s, only where nothing else fits

    try:
        folders = experiment_folders(where, name)
    except TrackingError as error:
        raise UserError(str(error)) from None
    if folders is None:
        raise UserError(f"no folder and no MLflow experiment '{name}': duograd ui shows the experiments there are")
    if not folders:
        raise UserError(f"experiment '{name}' has no run whose folder can be read: name the run folders themselves")
    return folders


def _check_task(records: Sequence[Record]) -> None:
    tasks = Counter(record.task for record in records if record.task)
    if len(tasks) > 1:
        counts = ", ".join(f"{count} of {task}" for task, count in tasks.items())
        raise UserError(f"runs of different tasks cannot be compared ({counts}): name runs of one task")
