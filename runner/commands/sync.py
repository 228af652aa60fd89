"""`duograd sync RUN_DIR...`: bring run folders up to date in MLflow, whatever happened while they were trained."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from duograd.runner.errors import UserError, system_fault
from duograd.runner.store import locks
from duograd.runner.store.folders import SWEEP, runs_below
from duograd.runner.subcommands import command_parser
from duograd.runner.tracking import TrackingError, UnreachableError

if TYPE_CHECKING:
    from duograd.runner.tracking.mirror import Mirror
    from duograd.runner.tracking.run import Mirrored

WAIT_S = 5.0  # for another mirror of a folder where somebody trains,
BACKGROUND_S = 900.0  # or of one where nobody does any more: it is bringing MLflow up to date, and ends by itself


def main(argv: list[str]) -> int:
    """Mirror the folders; exit code 0 if all are, 1 if MLflow refused some. Raises UserError for what is no run."""
    options = _parser().parse_args(argv)
    return _sync_all(list(dict.fromkeys(_folders(options.run_dirs))), options.uri)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("sync", "Bring run folders up to date in MLflow.")
    parser.add_argument(
        "run_dirs", nargs="+", type=Path, metavar="RUN_DIR", help="a run's or a sweep's folder, or a folder of them"
    )
    parser.add_argument("--uri", help="where to (default: each run's tracking.uri), for example http://host:5000")
    return parser


def _folders(paths: list[Path]) -> Iterator[Path]:
    """Run folders; where a run is a job of a sweep, the sweep's folder, which has its parent run."""
    for path in paths:
        if not path.is_dir():
            raise UserError(f"no folder {path}: name a run folder, or a folder that holds some")
        runs = list(runs_below(path))
        if not runs:
            raise UserError(f"{path} is not a run folder and holds none: a run folder has a run.json")
        yield from (run.parent if (run.parent / SWEEP).exists() else run for run in runs)


def _sync_all(folders: list[Path], uri: str | None) -> int:
    from duograd.runner.tracking.mirror import Mirror  # mlflow: 1 to 2 s, after the arguments are known to be right

    mirror, code = Mirror(uri, named_by_user=uri is not None), 0
    for folder in folders:
        try:
            runs = _sync(mirror, folder, uri)
            for mirrored in runs:
                print(_line(folder, mirrored), flush=True)
            if not runs:
                print(f"{folder}: none of its jobs has begun: there is nothing to bring up to date", flush=True)
        except (TrackingError, UserError, OSError) as error:
            reason = system_fault(error) if isinstance(error, OSError) else str(error)
            where = "" if reason.startswith(str(folder)) else f"{folder}: "
            print(f"tracking: {where}{reason}", file=sys.stderr, flush=True)
            code = 1
            if isinstance(error, UnreachableError):
                break  # the other folders would wait for the same silence
    return code


def _sync(mirror: "Mirror", folder: Path, uri: str | None) -> list["Mirrored"]:
    """Brings a run up to date, or a sweep: its parent run, and what was new of its jobs."""
    sweep = (folder / SWEEP).exists()
    what, owner = ("sweep", locks.SWEEP) if sweep else ("run", locks.TRAINER)
    going_on = locks.is_held(folder / owner)
    if locks.is_held(folder / locks.MIRROR) and not going_on:
        print(f"{folder}: waiting for the mirror in the background …", flush=True)
    refusal = TrackingError(f"its {what} is still going on and mirrors itself; sync it when it has ended")
    with locks.claimed(folder / locks.MIRROR, WAIT_S if going_on else BACKGROUND_S, refusal):
        if not sweep:
            return [mirror.update(folder, alive=locks.is_held(folder / owner))]

        from duograd.runner.tracking.sweep import SweepMirror

        return SweepMirror(folder, uri, named_by_user=uri is not None).update(alive=locks.is_held(folder / owner))


def _line(folder: Path, mirrored: "Mirrored") -> str:
    ending = "" if mirrored.status == "FINISHED" else f" ({mirrored.status})"
    what = f"{mirrored.epochs} epochs, {mirrored.images} images"
    return f"{folder}: {what} -> experiment {mirrored.experiment}, run {mirrored.run}{ending}"
