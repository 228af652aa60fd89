"""duograd resume RUN_DIR: go on with a run that was interrupted, to the same end as if it had not been."""

import argparse
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from runner.errors import UserError
from runner.folder import RunFolder


def main(arguments: list[str]) -> int:
    """Resumes the run of a folder; the run's exit code, 0 where it had finished. Raises UserError."""
    parser = argparse.ArgumentParser(prog="duograd resume", description=__doc__)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the folder of a run")
    folder = RunFolder(parser.parse_args(arguments).run_dir)
    _check(folder)
    if folder.read_json(folder.summary).get("status") == "FINISHED":
        print(f"{folder.path} is finished already")
        return 0

    from runner.run import resume
    from runner.validate import validate

    tree = OmegaConf.load(folder.config)
    assert isinstance(tree, DictConfig)
    return resume(validate(tree), folder)


def _check(folder: RunFolder) -> None:
    if not folder.path.is_dir():
        raise UserError(f"no folder {folder.path}")
    if not (folder.config.exists() and folder.identity.exists()):
        raise UserError(f"{folder.path} is not the folder of a run: it has no config.yaml and run.json")
