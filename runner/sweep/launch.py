"""From Hydra's launcher to a sweep."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from duograd.runner.errors import UserError
from duograd.runner.store.overrides import key_of
from duograd.runner.sweep.composer import Composer
from duograd.runner.sweep.naming import differing
from duograd.runner.sweep.options import options
from duograd.runner.sweep.plan import drawn, plan
from duograd.runner.sweep.sweep import Request, go

NOT_A_JOBS = "sweep."  # overrides that are the sweep's own


def launch(config: DictConfig, grid: Sequence[Sequence[str]], launcher: Mapping[str, Any]) -> None:
    """Runs the grid that Hydra's sweeper made; SystemExit where not all went well. Raises UserError.

    config: what Hydra composed without the swept values; launcher: `hydra.launcher.*`.
    """
    asked, launching = options(_plain(config.sweep), launcher)
    jobs = [[override for override in job if not key_of(override).startswith(NOT_A_JOBS)] for job in grid]
    swept = differing(jobs)
    chosen = jobs if asked.random is None else drawn(jobs, asked.random, asked.seed)
    here = Path.cwd()
    code = go(
        Request(
            folder=here / str(config.hydra.sweep.dir),
            jobs=plan(Composer(), chosen, swept, here),
            fixed=[override for override in jobs[0] if key_of(override) not in swept],
            options=asked,
            launcher=launching,
            directory=here,
            command=command(config),
        )
    )
    if code:
        raise SystemExit(code)


def command(config: DictConfig) -> str:
    """What was typed, as far as Hydra tells."""
    hydra = [override for override in config.hydra.overrides.hydra if not override.startswith("hydra.mode=")]
    return shlex.join(["duograd", "-m", *config.hydra.overrides.task, *hydra])


def refuse_what_is_no_grid(overrides: Sequence[Any]) -> None:
    """Raises UserError for a swept key without values, and for one that has no end of them."""
    for override in overrides:
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                raise UserError(f"{override.input_line}: a grid needs values one by one: a,b,c or range() or choice()")
            if not list(override.sweep_string_iterator()):
                raise UserError(f"{override.input_line} has no value: the grid is empty")


def _plain(node: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(node, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
