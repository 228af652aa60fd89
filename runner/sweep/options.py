"""What `sweep.*` and `hydra.launcher.*` may say. Neither is part of a run's configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from duograd.runner.config import Strict
from duograd.runner.errors import UserError
from duograd.runner.validate import checked

ONLY_A_SWEEP = ("dry_run", "estimate", "random", "fail_fast", "resume")


class SweepOptions(Strict):
    """dry_run: list the jobs, start none. estimate: say how long they will take. random, seed: draw a part.

    fail_fast: the first failure ends the others. resume: go on with the sweep in hydra.sweep.dir. answer: tables and
    pictures of all jobs at the end.
    """

    dry_run: bool = False
    estimate: bool = False
    random: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    fail_fast: bool = False
    resume: bool = False
    answer: bool = True


class LauncherOptions(Strict):
    """n_workers: processes on this machine, null for one a core. scheduler: of a cluster that runs already.

    timeout: seconds in which a scheduler and its first worker must answer.
    """

    n_workers: int | None = Field(default=None, ge=1, le=1024)
    scheduler: str | None = None
    timeout: float = Field(default=20.0, gt=0)


class _Launcher(Strict):
    launcher: LauncherOptions


class _Options(Strict):
    sweep: SweepOptions
    hydra: _Launcher


def options(sweep: Mapping[str, Any], launcher: Mapping[str, Any]) -> tuple[SweepOptions, LauncherOptions]:
    """Both, checked. Raises UserError naming the key as it is typed."""
    found = checked(_Options, {"sweep": dict(sweep), "hydra": {"launcher": dict(launcher)}})
    launching = found.hydra.launcher
    if launching.scheduler is not None and launching.n_workers is not None:
        raise UserError(
            f"hydra.launcher.n_workers={launching.n_workers} does not go with hydra.launcher.scheduler: "
            "the cluster's own workers are used, all of them"
        )
    return found.sweep, launching


def refuse_for_a_single_run(sweep: Mapping[str, Any]) -> None:
    """Raises UserError where `sweep.*` asks for something that a job by itself cannot do."""
    asked, _ = options(sweep, {})
    for key in ONLY_A_SWEEP:
        if value := getattr(asked, key):
            shown = "true" if value is True else value
            raise UserError(f"sweep.{key}={shown} needs a sweep: duograd -m …, with hydra/launcher=dask")
