"""duograd resume SWEEP_DIR: the jobs that sweep.json knows, composed again and run to their ends."""

from pathlib import Path
from typing import Any

from duograd.runner.store.folders import SEARCH
from duograd.runner.store.overrides import key_of
from duograd.runner.store.records import SweepRecord
from duograd.runner.sweep.composer import Composer
from duograd.runner.sweep.options import SweepOptions, options
from duograd.runner.sweep.plan import plan
from duograd.runner.sweep.sweep import Request, go


def resume_sweep(folder: Path, changes: dict[str, Any]) -> int:
    """Goes on with a sweep, on another cluster where `changes` of `hydra.launcher` say so; its exit code.

    Raises UserError, also where a job's configuration has become another since.
    """
    from hydra import initialize_config_module

    if (folder / SEARCH).exists():
        from duograd.runner.search.launch import resume_search

        return resume_search(folder, changes)
    record = SweepRecord.load(folder)
    _, launcher = options({}, record.launcher | changes)
    grid = [[*record.overrides, *job.overrides] for job in record.jobs]
    swept = {key_of(override) for job in record.jobs for override in job.overrides}
    with initialize_config_module(config_module="duograd.conf", version_base="1.3"):
        jobs = plan(Composer(), grid, swept, Path(record.directory))
    return go(
        Request(
            folder=folder.resolve(),
            jobs=jobs,
            fixed=record.overrides,
            options=SweepOptions(resume=True),
            launcher=launcher,
            directory=Path(record.directory),
            command=record.command,
        )
    )
