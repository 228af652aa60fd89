"""A Hydra job: the composed tree and Hydra's folder become a validated configuration and a run."""

import os
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from duograd.runner.compose import checked, options_of
from duograd.runner.context import alone
from duograd.runner.origin import origin_flags, origin_of, override_texts
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder
from duograd.runner.sweep.options import refuse_for_a_single_run, refuse_launching_one
from duograd.runner.validate import SWEEP, plain


def run_job(tree: DictConfig) -> int:
    """Runs one job of Hydra's in the folder that Hydra made for it; its exit code. Raises UserError."""
    hydra = HydraConfig.get()
    folder = RunFolder(Path(hydra.runtime.output_dir))
    overrides = override_texts(hydra.overrides.task)
    os.chdir(hydra.runtime.cwd)  # which hydra.job.chdir has left: paths are meant from where the user stands
    try:
        content = plain(tree)
        refuse_for_a_single_run(content[SWEEP])
        if hydra.mode == RunMode.RUN:  # a launcher of Hydra's own comes here with each of its jobs
            refuse_launching_one(override_texts(hydra.overrides.hydra))
        origin = origin_of(hydra)
        config = checked(content, options_of(origin))
        return run(config, folder, overrides, replace(alone(), flags=origin_flags(origin)))
    finally:
        folder.discard_if_empty()
