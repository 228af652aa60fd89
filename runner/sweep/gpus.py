"""One job a GPU (`hydra.launcher.gpus_per_job`): which worker sees which of this machine's devices."""

import os
import shutil
import subprocess
from collections.abc import Iterable

from duograd.runner.config import RunConfig
from duograd.runner.errors import UserError
from duograd.runner.sweep.launcher import LauncherOptions

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS = 30.0  # for nvidia-smi to answer: the first call wakes the driver


def shares(each: int, workers: int | None = None) -> list[str]:
    """What CUDA_VISIBLE_DEVICES says in each worker: `each` devices, none of them in two. Raises UserError.

    workers: how many there are to be; None: as many as the devices are enough for.
    """
    seen = devices()
    if len(seen) < each * (workers or 1):
        asked = f"hydra.launcher.gpus_per_job={each}" + (f" and hydra.launcher.n_workers={workers}" if workers else "")
        there = f"{len(seen)} are" if len(seen) > 1 else "one is" if seen else "no GPU is"
        remedy = "leave it out" if not seen else "ask for less"
        raise UserError(f"{asked}: {there} visible here ({_where()}); {remedy}")
    return [",".join(seen[start : start + each]) for start in range(0, len(seen) - each + 1, each)][:workers]


def refuse_absent(configs: Iterable[RunConfig], launcher: LauncherOptions) -> None:
    """Raises UserError where jobs are to train on CUDA, here, and torch sees none. What is elsewhere says so itself."""
    if launcher.scheduler or launcher.cluster or not any(config.device == "cuda" for config in configs):
        return
    from duograd.runner.engines.torch_engine import use_device

    use_device("cuda", None)


def devices() -> list[str]:
    """The devices that CUDA may use: those that its variable names, else all that the driver knows."""
    named = os.environ.get(VISIBLE)
    if named is None:
        return _driver()
    names = [name.strip() for name in named.split(",")]
    return [name for name in names if name not in ("", "-1")]


def _driver() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip().startswith(("GPU-", "MIG-"))]


def _where() -> str:
    named = os.environ.get(VISIBLE)
    return "by nvidia-smi" if named is None else f"{VISIBLE}={named}"
