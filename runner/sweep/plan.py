"""Which jobs a sweep has: every one composed and checked before anything starts."""

import itertools
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duograd.runner.compose import Composer
from duograd.runner.config import RunConfig
from duograd.runner.errors import UserError
from duograd.runner.run import anchored
from duograd.runner.store.overrides import by_key, parse_all
from duograd.runner.sweep.naming import config_hash, names


@dataclass(frozen=True)
class Job:
    """One run to be. overrides: all that its command would have; swept: those of them that the sweep varies, by key."""

    name: str
    overrides: tuple[str, ...]
    swept: dict[str, str]
    config: RunConfig
    hash: str


def plan(composer: Composer, grid: Sequence[Sequence[str]], keys: Collection[str], directory: Path) -> list[Job]:
    """The jobs of a grid of overrides, of which `keys` are swept; paths are meant from `directory`.

    Jobs that come to the same configuration are one. Raises UserError, naming the job.
    """
    swept = [{key: value for key, value in by_key(job).items() if key in keys} for job in grid]
    named = names(swept)
    configs = _checked(composer, grid, named)
    jobs: dict[str, Job] = {}
    for name, overrides, values, config in zip(named, grid, swept, configs, strict=True):
        config = anchored(config, directory)
        digest = config_hash(config)
        jobs.setdefault(digest, Job(name, tuple(overrides), values, config, digest))
    return list(jobs.values())


def points(arguments: Sequence[str]) -> list[list[str]]:
    """The grid of all values: overrides of each job, fixed ones as they were typed; of two for one key the last counts.

    Inside an initialised Hydra. Raises UserError for a swept key without values, and for one that has no end of them.
    """
    last = {override.get_key_element(): override for override in parse_all(arguments)}
    return [list(point) for point in itertools.product(*(_values(key, override) for key, override in last.items()))]


def _values(key: str, override: Any) -> list[str]:
    if not override.is_sweep_override():
        return [override.input_line]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: a grid needs values one by one: a,b,c or range() or choice()")
    if values := [f"{key}={value}" for value in override.sweep_string_iterator()]:
        return values
    raise UserError(f"{override.input_line} has no value: the grid is empty")


def draw(grid: Sequence[Sequence[str]], count: int, seed: int) -> list[Sequence[str]]:
    """So many jobs of the grid, none twice, in the grid's order. Raises UserError where it has fewer."""
    if count > len(grid):
        raise UserError(f"sweep.random={count}: the grid has only {len(grid)} jobs")
    return [grid[i] for i in sorted(random.Random(seed).sample(range(len(grid)), count))]


def _checked(composer: Composer, grid: Sequence[Sequence[str]], named: Sequence[str]) -> list[RunConfig]:
    configs, faults = [], {}
    for name, overrides in zip(named, grid, strict=True):
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
