"""What `sweep.*`, `hydra.launcher.*` and `hydra.sweeper.*` may say. None is part of a run's configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model, model_validator

from duograd.runner.config import Strict
from duograd.runner.errors import UserError
from duograd.runner.store.overrides import key_of
from duograd.runner.store.records import Origin
from duograd.runner.sweep.launcher import LauncherOptions
from duograd.runner.validate import parse

ONLY_A_SWEEP = ("dry_run", "estimate", "random", "seeds", "zip", "fail_fast", "resume")
REDUCTION = 3  # asha: of the trials that come to a rung, one in so many goes on to the next, so many times as far
ONLY_A_GRID = ("estimate", "random", "seed", "seeds", "zip")


class SweepOptions(Strict):
    """dry_run: list the jobs, start none. estimate: say how long they would take, start none either.

    random, seed: draw a part. seeds: repeat every point with so many. zip: pair the values of these keys. fail_fast:
    the first failure ends the others. resume: go on with the sweep in hydra.sweep.dir; auto: if there is one. answer:
    tables and pictures of all jobs at the end; interval: of the means in it.
    """

    dry_run: bool = False
    estimate: bool = False
    random: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    seeds: int | None = Field(default=None, ge=1, le=1000)
    zip: list[str] | list[list[str]] = Field(default_factory=list)
    fail_fast: bool = False
    resume: bool | Literal["auto"] = False
    answer: bool = True
    interval: Literal["t", "bootstrap"] = "t"


class SearchOptions(Strict):
    """n_trials: in all, over every resume. timeout: seconds after which no further trial begins.

    sampler: tpe learns from trials, random does not, qmc fills the space evenly. startup_trials: how many must be over
    before tpe and median learn from them. pruner: ends trials early that are worse than the median of the others
    (median), or than the best third at each of a few epochs (asha); none before warmup_epochs, by default a tenth of
    the epochs. seed: of the draws. seeds: runs of each trial, one after the other, whose mean is its value.
    """

    n_trials: int = Field(ge=1)
    timeout: float | None = Field(gt=0)
    sampler: Literal["tpe", "random", "qmc"]
    pruner: Literal["none", "median", "asha"]
    startup_trials: int = Field(ge=1)
    warmup_epochs: int | None = Field(ge=1)
    seed: int = Field(ge=0, lt=2**32)
    seeds: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _a_warmup_needs_a_pruner(self) -> "SearchOptions":
        if self.warmup_epochs is not None and self.pruner == "none":
            raise ValueError(
                f"hydra.sweeper.warmup_epochs={self.warmup_epochs} needs hydra.sweeper.pruner=median or asha: "
                "without one no trial ends early"
            )
        return self

    def warmup(self, epochs: int) -> int:
        """The first epoch after which a trial of so many may end early."""
        return self.warmup_epochs or max(1, epochs // 10)


@dataclass(frozen=True)
class Request:
    """What a sweep is asked for. directory: which paths are meant from; command: how to ask for it again."""

    folder: Path
    origin: Origin
    options: SweepOptions
    launcher: LauncherOptions
    directory: Path
    command: str


def _keys(**models: type[Strict]) -> Any:
    """A model whose faults name their keys as they are typed: `hydra.launcher.timeout`."""
    fields: dict[str, Any] = {key: (model, ...) for key, model in models.items()}
    return create_model("Keys", __base__=Strict, **fields)


SWEEP_KEYS = _keys(sweep=SweepOptions, hydra=_keys(launcher=LauncherOptions))
SEARCH_KEYS = _keys(hydra=_keys(sweeper=SearchOptions))


def sweep_options(sweep: Mapping[str, Any], launcher: Mapping[str, Any]) -> tuple[SweepOptions, LauncherOptions]:
    """Both, checked. Raises UserError naming the key as it is typed."""
    keys = parse(SWEEP_KEYS, {"sweep": dict(sweep), "hydra": {"launcher": dict(launcher)}})
    return keys.sweep, keys.hydra.launcher


def search_options(sweeper: Mapping[str, Any]) -> SearchOptions:
    """The options, checked. Raises UserError naming the key as it is typed."""
    options: SearchOptions = parse(SEARCH_KEYS, {"hydra": {"sweeper": dict(sweeper)}}).hydra.sweeper
    return options


def refuse_for_a_single_run(sweep: Mapping[str, Any]) -> None:
    """Raises UserError where `sweep.*` asks for something that a job by itself cannot do."""
    options, _ = sweep_options(sweep, {})
    for key in ONLY_A_SWEEP:
        if value := getattr(options, key):
            typed = "true" if value is True else value
            raise UserError(f"sweep.{key}={typed} needs a sweep: duograd -m …, with hydra/launcher=dask")


def refuse_launching_one(typed: Iterable[str]) -> None:
    """Raises UserError where a launcher or a sweeper was typed, which a single run has not."""
    for override in typed:
        if key_of(override).startswith(("hydra.launcher", "hydra/launcher", "hydra.sweeper", "hydra/sweeper")):
            raise UserError(f"{override} needs a sweep: duograd -m …")


def refuse_for_a_search(options: SweepOptions, launcher: LauncherOptions) -> None:
    """Raises UserError where `sweep.*` or the launcher is asked for something that a search has no use for."""
    if launcher.stack > 1:
        raise UserError(f"hydra.launcher.stack={launcher.stack} is for a grid: a search thinks of one trial at a time")
    for key in ONLY_A_GRID:
        value = getattr(options, key)
        if value != getattr(SweepOptions(), key):
            raise UserError(
                f"sweep.{key}={str(value).lower()} is for a grid: a search has hydra.sweeper.n_trials, "
                "hydra.sweeper.timeout, hydra.sweeper.seed and hydra.sweeper.seeds"
            )
