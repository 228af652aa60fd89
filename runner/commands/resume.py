"""duograd resume DIR: go on with a run or a sweep that was interrupted, to the same end as if it had not been.

With epochs=N it trains longer, also what had finished, and ends as if it had been asked for N at once.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from duograd.runner.errors import UserError
from duograd.runner.store.files import DamagedError
from duograd.runner.store.folders import SWEEP, RunFolder
from duograd.runner.subcommands import command_parser

if TYPE_CHECKING:
    from duograd.runner.context import RunContext


def main(arguments: list[str]) -> int:
    """Resumes the run or the sweep of a folder; its exit code, 0 where it had finished. Raises UserError."""
    given = _parser().parse_args(arguments)
    if (given.dir / SWEEP).exists():
        moved, epochs = _changes(given.changes)
        if moved:
            raise UserError(f"{given.dir} is a sweep: only epochs=N can be given; data that moved is given run by run")
        from duograd.runner.sweep.launch import resume_sweep

        changes = {"n_workers": given.n_workers, "scheduler": given.scheduler, "cluster": given.cluster}
        if given.scheduler and not given.cluster:
            changes["cluster"] = "none"
        typed = {key: value for key, value in changes.items() if value is not None}
        launcher = {key: None if value == "none" else value for key, value in typed.items()}
        return resume_sweep(given.dir, launcher, given.trust, epochs)
    if given.n_workers or given.scheduler or given.cluster:
        raise UserError(f"{given.dir} is not the folder of a sweep: --n-workers, --scheduler, --cluster are for sweeps")
    remedy = f"duograd resume {shlex.quote(str(given.dir))} --trust"
    return resume_run(RunFolder(given.dir), given.changes, given.trust, remedy)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("resume", " ".join((__doc__ or "").split()))
    parser.add_argument("dir", type=Path, metavar="DIR", help="the folder of a run or of a sweep")
    words = "epochs=100: train to so many; data.root=DIR, data.path=FILE, of a run: where its data lies now"
    parser.add_argument("changes", nargs="*", default=[], metavar="KEY=VALUE", help=words)
    parser.add_argument("--trust", action="store_true", help="run the copy of own code that the folder keeps")
    parser.add_argument("--n-workers", type=int, help="of a sweep: processes on this machine")
    parser.add_argument("--scheduler", help="of a sweep: the Dask scheduler of a cluster, tcp://HOST:8786, or none")
    parser.add_argument("--cluster", help="of a sweep: the batch system that starts its workers, or none")
    return parser


def _changes(typed: list[str]) -> tuple[dict[str, str], int | None]:
    """What is to change of a configuration: where data lies, and for how long it trains. Raises UserError."""
    from duograd.runner.arguments import readable
    from duograd.runner.store.overrides import parse

    values = {(override := parse(readable(text))).key_or_group: override.value() for text in typed}
    epochs = values.pop("epochs", None)
    if other := [key for key in values if key not in ("data.root", "data.path")]:
        remedy = "only epochs=N, data.root=DIR or data.path=FILE can be given"
        raise UserError(f"{other[0]}={values[other[0]]}: a run is resumed as it began; {remedy}")
    if epochs is not None and (isinstance(epochs, bool) or not isinstance(epochs, int)):
        raise UserError(f"epochs={epochs}: expected a whole number")
    return {key.removeprefix("data."): str(value) for key, value in values.items()}, epochs


def resume_run(
    folder: RunFolder, typed: list[str], trust: bool, remedy: str, context: "RunContext | None" = None
) -> int:
    """Goes on with the run of a folder; its exit code. typed: epochs=N, data.root=DIR. Raises UserError.

    trust: runs the copy of own code that the folder keeps; remedy: what is typed to trust it.
    """
    moved, epochs = _changes(typed)
    check(folder)
    summary = folder.read_summary()
    finished = summary.get("status") == "FINISHED" and not summary.get("drawing")
    if finished and epochs in (None, summary.get("epochs")):
        longer = f"duograd resume {shlex.quote(str(folder.path))} epochs=N"
        print(f"{folder.path} is finished already, with {summary.get('epochs')} epochs: to train it longer, {longer}")
        return 0

    from duograd.runner.longer import own_end, with_epochs
    from duograd.runner.run import resume
    from duograd.runner.store.code import restore_run
    from duograd.runner.validate import validate_plain

    restore_run(folder, trust, remedy)
    try:
        tree = folder.read_config()
        tree["data"] = {**(tree.get("data") or {}), **moved}
        config = validate_plain(tree)
    except DamagedError:
        raise
    except UserError as error:
        raise UserError(f"{folder.config}: {error}") from None
    if epochs is not None:
        config = with_epochs(config, folder, epochs)
        if end := own_end(folder, epochs):
            raise UserError(f"{folder.path}: {end}")
    return resume(config, folder, context)


def check(folder: RunFolder) -> None:
    """Raises UserError where the folder is no run's, or something else stands for one of its files."""
    if not folder.path.is_dir():
        raise UserError(f"no folder {folder.path}")
    if not (folder.config.exists() and folder.identity.exists()):
        raise UserError(f"{folder.path} is not the folder of a run: it has no config.yaml and run.json")
    folder.refuse_odd_files()
