"""Hydra's door to duograd's searches (hydra/sweeper=optuna), imported at each start: nothing heavy here."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Hands what was typed to runner.sweep, which thinks of the jobs and runs them on Dask."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        from duograd.runner.sweep.launch import launch_search

        assert self.config is not None
        if code := launch_search(self.config, arguments, self.options):
            raise SystemExit(code)


@dataclass
class OptunaSweeperConf:
    """What each option says: runner/sweep/options.py. params: a space that a preset brings along, by key."""

    _target_: str = "hydra_plugins.duograd_optuna.OptunaSweeper"
    n_trials: int = 30
    timeout: float | None = None
    sampler: str = "tpe"
    pruner: str = "none"
    startup_trials: int = 10
    warmup_epochs: int | None = None
    seed: int = 0
    seeds: int = 1
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="optuna", node=OptunaSweeperConf, provider="duograd")
