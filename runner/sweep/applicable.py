"""Swept keys that only some of the swept options have: `-m model=mlp,my_net.py model.width=16,32` sweeps the width of
my_net alone."""

from collections.abc import Collection, Sequence

from duograd.runner.compose import Composer
from duograd.runner.store.overrides import key_of

Grid = list[Sequence[str]]


def applicable(composer: Composer, grid: Sequence[Sequence[str]], keys: Collection[str]) -> tuple[Grid, list[str]]:
    """The grid without the keys that a job's options do not have, where those of other jobs do; and what to say of it.

    keys: those that are swept; a key of one value counts as well. A key that no option has stays, to be refused with a
    suggestion.
    """
    typed = dict.fromkeys(key_of(override) for job in grid for override in job)
    inner = [key for key in typed if key.partition(".")[0] in keys and "." in key]
    notes: list[str] = []
    jobs: Grid = list(grid)
    for key in inner:
        having = [composer.has(without(job, inner), key) for job in jobs]
        if any(having) and not all(having):
            jobs = [job if has else without(job, [key]) for job, has in zip(jobs, having, strict=True)]
            how = "swept" if key in keys else "set"
            notes.append(f"{key} is {how} where there is one: {', '.join(_options(grid, having, key))}")
    return jobs, notes


def without(job: Sequence[str], keys: Collection[str]) -> list[str]:
    """A job's overrides but for those of some keys."""
    return [override for override in job if key_of(override) not in keys]


def _options(grid: Sequence[Sequence[str]], having: Sequence[bool], key: str) -> list[str]:
    """The options that have the key, as they are typed."""
    group = key.partition(".")[0]
    chosen = [override for job, has in zip(grid, having, strict=True) if has for override in job]
    return list(dict.fromkeys(override for override in chosen if key_of(override) == group))
