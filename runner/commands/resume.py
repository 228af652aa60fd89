"""duograd resume DIR: go on with a run or a sweep that was interrupted, to the same end as if it had not been."""

import argparse
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.store.files import DamagedError
from duograd.runner.store.folders import SWEEP, RunFolder
from duograd.runner.subcommands import command_parser


def main(arguments: list[str]) -> int:
    """Resumes the run or the sweep of a folder; its exit code, 0 where it had finished. Raises UserError."""
    given = _parser().parse_args(arguments)
    if (given.dir / SWEEP).exists():
        from duograd.runner.sweep.launch import resume_sweep

        changes = {"n_workers": given.n_workers, "scheduler": given.scheduler, "cluster": given.cluster}
        if given.scheduler and not given.cluster:
            changes["cluster"] = "none"
        typed = {key: value for key, value in changes.items() if value is not None}
        changed = {key: None if value == "none" else value for key, value in typed.items()}
        return resume_sweep(given.dir, changed, given.trust)
    if given.n_workers or given.scheduler or given.cluster:
        raise UserError(f"{given.dir} is not the folder of a sweep: --n-workers, --scheduler, --cluster are for sweeps")
    return _resume_run(RunFolder(given.dir), _moved_data(given.moved), given.trust)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("resume", __doc__)
    parser.add_argument("dir", type=Path, metavar="DIR", help="the folder of a run or of a sweep")
    parser.add_argument("moved", nargs="*", metavar="data.root=DIR", help="of a run: where its data lies now")
    parser.add_argument("--trust", action="store_true", help="run the copy of own code that the folder keeps")
    parser.add_argument("--n-workers", type=int, help="of a sweep: processes on this machine")
    parser.add_argument("--scheduler", help="of a sweep: the Dask scheduler of a cluster, tcp://HOST:8786, or none")
    parser.add_argument("--cluster", help="of a sweep: the batch system that starts its workers, or none")
    return parser


def _moved_data(typed: list[str]) -> dict[str, str]:
    """What is to change of a configuration: where data lies, and nothing else. Raises UserError."""
    from duograd.runner.arguments import readable
    from duograd.runner.store.overrides import key_of, parse

    overrides = [readable(text) for text in typed]
    if other := [text for text in overrides if key_of(text) not in ("data.root", "data.path")]:
        raise UserError(f"{other[0]}: a run is resumed as it began; only data.root=DIR or data.path=FILE can be given")
    return {key_of(text).removeprefix("data."): str(parse(text).value()) for text in overrides}


def _resume_run(folder: RunFolder, moved: dict[str, str], trust: bool) -> int:
    _check(folder)
    summary = folder.read_summary()
    if summary.get("status") == "FINISHED" and not summary.get("drawing"):
        print(f"{folder.path} is finished already")
        return 0

    from duograd.runner.run import resume
    from duograd.runner.store.code import restore
    from duograd.runner.validate import validate_plain

    restore(folder.path, trust)
    try:
        tree = folder.read_config()
        tree["data"] = {**(tree.get("data") or {}), **moved}
        config = validate_plain(tree)
    except DamagedError:
        raise
    except UserError as error:
        raise UserError(f"{folder.config}: {error}") from None
    return resume(config, folder)


def _check(folder: RunFolder) -> None:
    if not folder.path.is_dir():
        raise UserError(f"no folder {folder.path}")
    if not (folder.config.exists() and folder.identity.exists()):
        raise UserError(f"{folder.path} is not the folder of a run: it has no config.yaml and run.json")
    folder.refuse_odd_files()
