"""What `hydra.launcher.*` may say: processes on this machine, a cluster that runs already, or a batch queue."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from duograd.runner.config import Strict
from duograd.runner.errors import UserError
from duograd.runner.sweep.batch_systems import SYSTEMS

ADDRESS = re.compile(r"((tcp|tls|wss?)://)?([^\s/:\[\]]+|\[[\da-fA-F:.]+\]):\d{1,5}")
WALLTIME = re.compile(r"(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)")
WORD = re.compile(r"[\w.,:@+=%/-]+")
OF_A_QUEUE = (
    *("queue", "account", "cores", "processes", "memory", "walltime", "sbatch", "qsub"),
    *("job_script_prologue", "interface", "tls"),
)


class LauncherOptions(Strict):
    """n_workers: processes on this machine, null for one a core; in a batch queue how many to ask for, null for one a
    job, up to 20. scheduler: of a cluster that runs already. timeout: seconds for a scheduler to answer.
    stack: so many jobs train as one at the most, where they differ in numbers alone (torch). gpus_per_job: what CUDA
    shows of this machine's GPUs to each worker; of a batch system, what is asked for each job.
    worker_timeout: seconds without any worker after which a sweep gives up, null never; auto is `timeout` for a
    cluster that runs already, null in a queue.

    cluster: the batch system that starts workers, with what it is asked for each job, named as dask-jobqueue names it:
    queue, account, cores, processes (workers in it), memory, walltime ([D-]HH:MM:SS), sbatch or qsub (more options of
    that command), job_script_prologue (lines of shell before the worker starts), interface (that workers reach us by).
    tls: whether they speak TLS with a certificate made for the sweep.
    """

    n_workers: int | None = Field(default=None, ge=1, le=1024)
    scheduler: str | None = None
    timeout: float = Field(default=20.0, gt=0)
    worker_timeout: float | Literal["auto"] | None = "auto"
    stack: int = Field(default=1, ge=1, le=1024)
    gpus_per_job: int | None = Field(default=None, ge=1, le=64)
    cluster: str | None = None
    queue: str | None = None
    account: str | None = None
    cores: int = Field(default=1, ge=1)
    processes: int = Field(default=1, ge=1)
    memory: str = "2GB"
    walltime: str = "01:00:00"
    sbatch: list[str] = Field(default_factory=list)
    qsub: list[str] = Field(default_factory=list)
    job_script_prologue: list[str] = Field(default_factory=list)
    interface: str | None = None
    tls: bool = True

    @field_validator("scheduler")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        if address is not None and not ADDRESS.fullmatch(address):
            raise ValueError(
                f"hydra.launcher.scheduler={address}: expected tcp://HOST:PORT, as 'dask scheduler' prints it, "
                "or null for processes on this machine"
            )
        return address

    @field_validator("cluster")
    @classmethod
    def _is_a_batch_system(cls, name: str | None) -> str | None:
        if name is not None and name not in SYSTEMS:
            raise ValueError(f"hydra.launcher.cluster={name}: expected one of {', '.join(SYSTEMS)}, or null for none")
        return name

    @field_validator("walltime")
    @classmethod
    def _is_a_walltime(cls, walltime: str) -> str:
        if not WALLTIME.fullmatch(walltime) or not seconds(walltime):
            raise ValueError(f"hydra.launcher.walltime={walltime}: expected HH:MM:SS or D-HH:MM:SS, such as 04:00:00")
        return walltime

    @field_validator("queue", "account", "interface")
    @classmethod
    def _is_a_word(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None and not WORD.fullmatch(text):
            raise ValueError(f"hydra.launcher.{info.field_name}={text!r}: expected one word, it is a line of a script")
        return text

    @model_validator(mode="after")
    def _goes_together(self) -> "LauncherOptions":
        if self.scheduler is not None and (self.n_workers or self.cluster):
            key = "n_workers" if self.n_workers else "cluster"
            raise ValueError(
                f"hydra.launcher.{key}={getattr(self, key)} does not go with hydra.launcher.scheduler: "
                "the cluster's own workers are used, all of them"
            )
        if self.gpus_per_job and (fault := self._gpu_fault()):
            raise ValueError(f"hydra.launcher.gpus_per_job={self.gpus_per_job} {fault}")
        if not self.cluster and (misplaced := self._typed(OF_A_QUEUE)):
            raise ValueError(f"hydra.launcher.{misplaced[0]} is for a batch queue: add hydra.launcher.cluster=slurm")
        for key in self._typed(("sbatch", "qsub")):
            if self.cluster and key != (own := SYSTEMS[self.cluster].submit):
                raise ValueError(f"hydra.launcher.{key} is no command of {self.cluster}: use hydra.launcher.{own}")
        if self.cores % self.processes:
            raise ValueError(
                f"hydra.launcher.cores={self.cores} cannot be divided among hydra.launcher.processes={self.processes}"
            )
        return self

    def _gpu_fault(self) -> str | None:
        """Why each job cannot have GPUs of its own, and the remedy."""
        if self.scheduler is not None:
            return "is for workers that start here: start those of your cluster with CUDA_VISIBLE_DEVICES=0, 1, …"
        if self.cluster not in (None, "slurm"):
            return f"is not known to {self.cluster}: name what your site calls a GPU, such as qsub=['-l ngpus=1']"
        if self.cluster and self.processes > 1:
            return "needs hydra.launcher.processes=1: the workers of one job would share its GPUs"
        return None

    def _typed(self, keys: tuple[str, ...]) -> list[str]:
        """Those that are not as they are by default."""
        fields = type(self).model_fields
        return [key for key in keys if getattr(self, key) != fields[key].get_default(call_default_factory=True)]

    @property
    def patience(self) -> float | None:
        """Seconds without any worker after which a sweep gives up; None for never."""
        if self.worker_timeout == "auto":
            return None if self.cluster else self.timeout
        return self.worker_timeout

    def directives(self) -> list[str]:
        """The options of sbatch or qsub that were typed, and the GPUs, unless these were typed as well."""
        assert self.cluster is not None
        typed = list(getattr(self, SYSTEMS[self.cluster].submit))
        by_hand = any(option.startswith(("--gres", "--gpus")) for option in typed)
        return typed if by_hand or not self.gpus_per_job else [*typed, f"--gres=gpu:{self.gpus_per_job}"]


def elsewhere(options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a sweep that goes on with `changes`: what they leave without a meaning is dropped."""
    merged = {**options, **changes}
    pointless = set[str]() if merged.get("cluster") else set(OF_A_QUEUE)
    if merged.get("scheduler") and "n_workers" not in changes:
        pointless.add("n_workers")
    return {key: value for key, value in merged.items() if key not in pointless}


def refuse_unasked(folder: Path, options: LauncherOptions, changes: Mapping[str, Any]) -> None:
    """Raises UserError where a sweep's folder, which may be anybody's, says by itself what is to run code.

    That is what a batch system's shell is given, and a scheduler, whose answers are unpickled. changes: what was typed.
    """
    for key in ("job_script_prologue", "sbatch", "qsub"):
        if options.cluster and (lines := getattr(options, key)):
            raise UserError(
                f"{folder} names {key}={lines} for the jobs of {options.cluster}: if these are yours, add --trust"
            )
    if options.scheduler and "scheduler" not in changes:
        raise UserError(
            f"{folder} names scheduler={options.scheduler}: if it is yours, add --scheduler {options.scheduler}, or "
            "--scheduler none for processes of this machine"
        )


def seconds(walltime: str) -> int:
    """Of `[D-]HH:MM:SS`."""
    match = WALLTIME.fullmatch(walltime)
    assert match is not None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
