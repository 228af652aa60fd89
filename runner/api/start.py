"""What begins something: a run in this process, sweeps and searches in one of their own, a comparison."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from duograd.runner.api import here
from duograd.runner.api.runs import Run
from duograd.runner.api.several import Runs, Sweep, swept
from duograd.runner.api.values import Typed, axes, overrides, word
from duograd.runner.command import compose_command
from duograd.runner.errors import UserError, system_fault
from duograd.runner.report.links import mlflow_link
from duograd.runner.report.report import write_report
from duograd.runner.report.select import select_runs
from duograd.runner.run import run as run_in_folder
from duograd.runner.store.folders import RunFolder, SweepFolder
from duograd.runner.sweep.options import refuse_for_a_single_run
from duograd.runner.tracking.address import OUTPUTS

Folder = str | PathLike[str]


def run(
    *typed: Typed,
    folder: Folder | None = None,
    progress: bool = True,
    config_dir: Folder | None = None,
    **values: Any,
) -> Run:
    """Trains as `duograd OVERRIDES` does, in this process; the run once it has finished.

    typed, values: the configuration, `run("task=activity", {"model.hidden_size": 50}, seed=1)`. folder: of the run,
    outputs/TASK/TIME by default. progress: prints what the command prints. config_dir: YAML of your own.

    Raises UserError (a ValueError) in one line before anything starts, RunError where training fails or diverges, and
    KeyboardInterrupt after Ctrl-C, once what was reached is saved.
    """
    given = overrides(typed, values) + _folder("hydra.run.dir", folder)
    composed = compose_command(given, config_dir)
    assert composed.config is not None  # as no sweep was asked for
    refuse_for_a_single_run(composed.sweep)
    context, where = replace(here.context(progress), flags=composed.flags), RunFolder(composed.folder)
    if where.config.exists():
        raise UserError(
            f"{where.path} already holds a run: go on with it, duograd.load({str(where.path)!r}).resume(), or choose "
            "another folder, folder=DIR"
        )
    if composed.choice:
        context.console.print(str(composed.choice), highlight=False, soft_wrap=True, markup=False)
    try:
        with here.training(context):
            run_in_folder(composed.config, where, composed.overrides, context)
    finally:
        where.discard_if_empty()
    return Run(where.path).finished()


def _folder(key: str, folder: Folder | None) -> list[str]:
    return [] if folder is None else [f"{key}={word(key, folder)}"]


def sweep(
    *typed: Typed,
    folder: Folder | None = None,
    progress: bool = True,
    config_dir: Folder | None = None,
    n_workers: int | None = None,
    **values: Any,
) -> Sweep:
    """Trains every combination as `duograd -m OVERRIDES` does, on this machine's cores; the sweep once all have ended.

    A list, a range or an array has the values of an axis: `sweep("task=activity", {"model": ["gru", "lstm"]},
    seed=range(5))`. A run that fails does not end the others: that is warned of, and the table has its error.

    Raises UserError before anything starts, RunError where no run at all has finished, KeyboardInterrupt after Ctrl-C.
    """
    return _sweep(axes(typed, values), folder, progress, config_dir, n_workers)


def search(
    *typed: Typed,
    n_trials: int = 30,
    folder: Folder | None = None,
    progress: bool = True,
    config_dir: Folder | None = None,
    n_workers: int | None = None,
    **values: Any,
) -> Sweep:
    """Looks for the best configuration by Optuna: a sweep whose jobs are its trials.

    `search("task=activity", {"optimizer.lr": duograd.interval(1e-4, 1, log=True), "model": ["gru", "lstm"]})`;
    `"hydra.sweeper.pruner=asha"` and what else docs/search.md names goes beside it. Raises as `sweep` does.
    """
    trials = ["hydra/sweeper=optuna", f"hydra.sweeper.n_trials={n_trials}"]
    return _sweep([*trials, *axes(typed, values)], folder, progress, config_dir, n_workers)


def _sweep(
    given: list[str], folder: Folder | None, progress: bool, config_dir: Folder | None, n_workers: int | None
) -> Sweep:
    workers = [] if n_workers is None else [f"hydra.launcher.n_workers={n_workers}"]
    given = [*given, *workers, *_folder("hydra.sweep.dir", folder)]
    where = compose_command(given, config_dir, sweep=True).folder
    if SweepFolder(where).record.exists() and not any("sweep.resume=" in text for text in given):
        raise UserError(
            f"{where} already holds a sweep: go on with it, duograd.Sweep({str(where)!r}).resume(), or choose another "
            "folder, folder=DIR"
        )
    flags = [] if config_dir is None else ["--config-dir", str(config_dir)]
    named = [] if folder is not None else _folder("hydra.sweep.dir", where)
    return swept(["-m", *flags, *given, *named], where, progress)


def compare(*what: Folder | Run | Runs | Iterable[Folder | Run | Runs], folder: Folder | None = None) -> Runs:
    """Runs beside each other: run folders, sweeps, folders of runs, experiments of MLflow. As `duograd compare`.

    folder: of the tables and pictures, outputs/compare_TIME by default. Raises UserError.
    """
    names = [str(getattr(one, "folder", one)) for one in _flat(what)]
    if not names:
        raise UserError("nothing to compare: give runs, sweeps, folders or names of experiments")
    runs = select_runs(names)
    out = Path(folder or Path(OUTPUTS) / f"compare_{datetime.now():%Y-%m-%d_%H-%M-%S_%f}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_report(out, runs, mlflow_link(runs))
    except OSError as error:
        raise UserError(system_fault(error)) from None
    return Runs(runs, out)


def _flat(what: Iterable[Any]) -> Iterable[Any]:
    for one in what:
        if isinstance(one, str | PathLike | Run | Sweep):
            yield one
        else:
            yield from _flat(one)
