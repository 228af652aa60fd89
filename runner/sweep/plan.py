"""Which jobs a sweep has: every one composed and checked before anything starts."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from duograd.runner.compose import Composer
from duograd.runner.config import RunConfig
from duograd.runner.errors import UserError
from duograd.runner.origin import origin_flags
from duograd.runner.run import anchored
from duograd.runner.store.overrides import by_key, key_of
from duograd.runner.sweep.naming import config_hash, names

SEED = "seed"


@dataclass(frozen=True)
class Job:
    """One run to be. overrides: all that its command would have; swept: those of them that the sweep varies, by key.

    flags: that its command begins with.
    """

    name: str
    overrides: tuple[str, ...]
    swept: dict[str, str]
    config: RunConfig
    hash: str
    flags: tuple[str, ...] = ()


def plan(composer: Composer, grid: Sequence[Sequence[str]], keys: Collection[str], directory: Path) -> list[Job]:
    """The jobs of a grid of overrides, of which `keys` are swept; paths are meant from `directory`.

    Jobs that come to the same configuration are one. Raises UserError, naming the job.
    """
    swept = [{key: value for key, value in by_key(job).items() if key in keys} for job in grid]
    job_names = names(swept)
    configs = _compose_all(composer, grid, job_names)
    jobs: dict[str, Job] = {}
    flags = tuple(origin_flags(composer.origin))
    for name, overrides, values, config in zip(job_names, grid, swept, configs, strict=True):
        config = anchored(config, directory)
        digest = config_hash(config, directory)
        jobs.setdefault(digest, Job(name, tuple(overrides), values, config, digest, flags))
    return list(jobs.values())


def draw(grid: Sequence[Sequence[str]], count: int, seed: int) -> list[Sequence[str]]:
    """So many jobs of the grid, none twice, in the grid's order. Raises UserError where it has fewer."""
    if count > len(grid):
        raise UserError(f"sweep.random={count}: the grid has only {len(grid)} jobs")
    return [grid[i] for i in sorted(random.Random(seed).sample(range(len(grid)), count))]


def repeat(grid: Sequence[Sequence[str]], seeds: range) -> list[list[str]]:
    """Every job of the grid with each of the seeds."""
    points = [[override for override in job if key_of(override) != SEED] for job in grid]
    return [[*point, f"{SEED}={seed}"] for point in points for seed in seeds]


def _compose_all(composer: Composer, grid: Sequence[Sequence[str]], job_names: Sequence[str]) -> list[RunConfig]:
    configs, faults = [], {}
    for name, overrides in zip(job_names, grid, strict=True):
        try:
            configs.append(composer.config(overrides))
        except UserError as error:
            faults[name] = str(error)
    if faults:
        raise UserError(_fault(faults, len(grid)))
    return configs


def _fault(faults: dict[str, str], jobs: int) -> str:
    """The first of the faults by job, with its job; without it, where all jobs have the same."""
    name, fault = next(iter(faults.items()))
    if len(faults) == jobs and len(set(faults.values())) == 1:
        return fault
    more = f" (and {len(faults) - 1} more of {jobs} jobs)" if len(faults) > 1 else ""
    return f"job {name}: {fault}{more}; nothing was started"
