"""Hydra's door to duograd's sweeps. Hydra takes launchers and sweepers from this package alone, and imports it at each
start: nothing heavy here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class DaskLauncher(Launcher):
    """Hands the whole grid to runner.sweep, which runs it on Dask."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from duograd.runner.sweep.launch import launch

        launch(self.config, job_overrides, self.options)
        return []


class GridSweeper(BasicSweeper):
    """Hydra's own grid, which the launcher checks as a whole: nothing is written, and no job composed, before that."""

    def sweep(self, arguments: list[str]) -> Any:
        from duograd.runner.sweep.launch import refuse_what_is_no_grid

        assert self.launcher is not None
        overrides = OverridesParser.create().parse_overrides([*self._parse_config(), *arguments])
        refuse_what_is_no_grid(overrides)
        [jobs] = self.split_arguments(overrides, None)
        return self.launcher.launch(jobs, initial_job_idx=0)


@dataclass
class DaskLauncherConf:
    """n_workers: null is one a core. scheduler: tcp://HOST:8786 of a cluster. timeout: seconds for it to answer."""

    _target_: str = "hydra_plugins.duograd_dask.DaskLauncher"
    n_workers: int | None = None
    scheduler: str | None = None
    timeout: float = 20.0


@dataclass
class GridSweeperConf(BasicSweeperConf):
    _target_: str = "hydra_plugins.duograd_dask.GridSweeper"


ConfigStore.instance().store(group="hydra/launcher", name="dask", node=DaskLauncherConf, provider="duograd")
ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridSweeperConf, provider="duograd")
