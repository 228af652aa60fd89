"""Hydra's door to duograd's sweeps. Hydra takes launchers and sweepers from this package alone, and imports it at each
start: nothing heavy here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class DaskLauncher(Launcher):
    """Hands the whole grid to runner.sweep, which runs it on Dask."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from duograd.runner.sweep.launch import launch_grid

        if code := launch_grid(self.config, job_overrides, self.options):
            raise SystemExit(code)
        return []


class GridSweeper(Sweeper):
    """The grid of all values, which the launcher checks as a whole: nothing is written, and no job composed, before."""

    def __init__(self, params: dict[str, Any] | None, sets: list[Any] | None = None, only: Any = None) -> None:
        self.preset = {"params": params or {}, "sets": sets or [], "only": only or {}}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.pairing = OmegaConf.select(config, "sweep.zip") or []
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        from duograd.runner.sweep.points import Preset, points

        return self.launcher.launch(points(Preset(**self.preset), arguments, self.pairing), initial_job_idx=0)


@dataclass
class DaskLauncherConf:
    """What each option says: runner/sweep/launcher.py."""

    _target_: str = "hydra_plugins.duograd_dask.DaskLauncher"
    n_workers: int | None = None
    scheduler: str | None = None
    timeout: float = 20.0
    worker_timeout: Any = "auto"
    stack: int = 1
    gpus_per_job: int | None = None
    cluster: str | None = None
    queue: str | None = None
    account: str | None = None
    cores: int = 1
    processes: int = 1
    memory: str = "2GB"
    walltime: str = "01:00:00"
    sbatch: list[str] = field(default_factory=list)
    qsub: list[str] = field(default_factory=list)
    job_script_prologue: list[str] = field(default_factory=list)
    interface: str | None = None
    tls: bool = True


@dataclass
class GridSweeperConf:
    """A grid that a preset brings along: what each key says stands in runner/sweep/points.py."""

    _target_: str = "hydra_plugins.duograd_dask.GridSweeper"
    params: dict[str, Any] | None = None
    sets: Any = None
    only: Any = None


ConfigStore.instance().store(group="hydra/launcher", name="dask", node=DaskLauncherConf, provider="duograd")
ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridSweeperConf, provider="duograd")
