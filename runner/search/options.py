"""What `hydra.sweeper.*` may say of a search."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from duograd.runner.config import Strict
from duograd.runner.validate import checked


class SearchOptions(Strict):
    """n_trials: in all, over every resume. timeout: seconds after which no further trial begins.

    sampler: tpe learns from trials, random does not, qmc fills the space evenly. startup_trials: how many must be over
    before tpe and median learn from them. pruner: ends trials early that are worse than the median of the others
    (median), or than the best third at each of a few epochs (asha); none before warmup_epochs, by default a tenth of
    the epochs. seed: of the draws.
    """

    n_trials: int = Field(ge=1)
    timeout: float | None = Field(gt=0)
    sampler: Literal["tpe", "random", "qmc"]
    pruner: Literal["none", "median", "asha"]
    startup_trials: int = Field(ge=1)
    warmup_epochs: int | None = Field(ge=1)
    seed: int = Field(ge=0, lt=2**32)

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


class _Sweeper(Strict):
    sweeper: SearchOptions


class _Options(Strict):
    hydra: _Sweeper


def search_options(given: Mapping[str, Any]) -> SearchOptions:
    """The options, checked. Raises UserError naming the key as it is typed."""
    return checked(_Options, {"hydra": {"sweeper": dict(given)}}).hydra.sweeper
