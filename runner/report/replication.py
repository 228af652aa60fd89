"""How to come by more seeds of what was run: the commands."""

import shlex
from pathlib import Path

from duograd.runner.report.parameters import SEED
from duograd.runner.report.records import Record
from duograd.runner.store.records import SweepRecord

SEEDS = 5  # of each setting
OF_ITS_FIRST_START = ("sweep.resume", "sweep.seeds", "sweep.dry_run", "sweep.estimate", "hydra.sweep.dir")
ALONE = "hydra.mode=RUN"


def sweep_command(sweep: SweepRecord, folder: Path) -> str:
    """What goes on with a sweep to so many seeds of each of its settings; "" where it swept the seed itself.

    A folder inside the directory where the sweep was started is meant from there, as its other paths are.
    """
    if SEED in sweep.swept or not sweep.command:
        return ""
    typed = [word for word in shlex.split(sweep.command) if word.partition("=")[0] not in OF_ITS_FIRST_START]
    here, there = Path(sweep.directory), folder.resolve()
    path = there.relative_to(here) if there.is_relative_to(here) else there
    return shlex.join([*typed, f"sweep.seeds={SEEDS}", "sweep.resume=true", f"hydra.sweep.dir={path}"])


def run_command(record: Record) -> str:
    """What trains a run's setting with seeds that it has not had, as a sweep; "" where no command is known."""
    name, *typed = shlex.split(record.command) or [""]
    if not name:
        return ""
    first = int(record.parameters.get(SEED, 0)) + 1
    seeds = ",".join(str(seed) for seed in range(first, first + SEEDS - 1))
    kept = [word for word in typed if word != ALONE and word.partition("=")[0] != SEED]
    return shlex.join([name, "-m", *kept, f"{SEED}={seeds}"])
