"""What a run says of itself: run.json at its start (who it is, how to run it again), summary.json at its end."""

import resource
import shlex
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from duograd.data.dataset import DataSet, Split
from duograd.runner.config import RunConfig
from duograd.runner.store.overrides import by_key
from duograd.runner.training import Floats, Training

LONGEST_DIFF = 1_000_000  # characters that are kept
CHECKOUT = Path(__file__).resolve().parents[2]
GROUPS = ("task", "data", "model", "loss", "optimizer", "backend", "tracking", "preset", "experiment", "rates")
UNNAMED = ("hydra", "sweep.", "data.path", "data.root", "tracking.", "checkpoint.")  # keys that no name needs

NEEDED = (
    "name",
    "model",
    "backend",
    "data",
    "source",
    "synthetic",
    "digest",
    "shapes",
    "parameters",
    "command",
    "versions",
)


@dataclass
class Outcome:
    """How a training ended: FINISHED, FAILED or KILLED; why; the final metrics; what else came out, such as F1."""

    status: str
    error: str | None = None
    diverged: bool = False
    metrics: Floats = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def run_json(
    config: RunConfig,
    data: DataSet,
    parameters: int,
    overrides: Sequence[str],
    named: str | None = None,
    swept: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of run.json. named: by its sweep, which also tells what it gave this run, `swept`.

    flags: what must be typed before the overrides to compose it again. notes: on the user's own code.
    """
    return {
        "id": uuid.uuid4().hex,
        "name": named or name(config, overrides),
        **labels(config),
        "swept": dict(swept or {}),
        "source": data.source,
        **({"notes": list(data.notes)} if data.notes else {}),
        **({"code_notes": list(notes)} if notes else {}),
        "synthetic": data.synthetic,
        "digest": data.digest,
        "shapes": shapes(data),
        "parameters": parameters,
        "started": time.time(),
        "command": command(config, overrides, flags),
        "overrides": list(overrides),
        "versions": versions(config),
        "git": git(),
    }


def command(config: RunConfig, overrides: Sequence[str], flags: Sequence[str] = ()) -> str:
    """How to run it again, alone: a preset of a sweep would start the whole sweep."""
    alone = ["hydra.mode=RUN"] if any(override.startswith("sweep=") for override in overrides) else []
    return shlex.join(["duograd", *flags, *(overrides or [f"task={config.task.name}"]), *alone])


def labels(config: RunConfig) -> dict[str, Any]:
    """The names by which runs are told apart."""
    return {
        "task": config.task.name,
        "model": config.model.name,
        "backend": config.backend.name,
        "data": config.data.name,
        "seed": config.seed,
        **({"gradient": config.gradient} if config.mistakes else {}),
    }


def name(config: RunConfig, overrides: Sequence[str]) -> str:
    """A readable name: model, backend, and what was set by hand (`autoencoder numpy hidden_size=100 lambda=0.001`)."""
    typed = by_key([override for override in overrides if "=" in override])
    set_by_hand = [
        f"{key.removesuffix('.name').rsplit('.', 1)[-1]}={value}"
        for key, value in typed.items()
        if key not in GROUPS and not key.startswith(UNNAMED)
    ]
    optimizer = [config.optimizer.name] if "optimizer" in typed else []
    return " ".join([config.model.name, config.backend.name, *optimizer, *set_by_hand])


def shapes(data: DataSet) -> dict[str, list[int]]:
    """The shape of each split's inputs."""
    splits: dict[str, Split | None] = {"train": data.train, "validation": data.validation, "test": data.test}
    return {key: list(split.inputs.shape) for key, split in splits.items() if split is not None}


def versions(config: RunConfig) -> dict[str, str]:
    """Of Python, duograd, and what computes."""
    packages = ["duograd", "numpy", "scipy", *(["torch"] if config.backend.name == "torch" else [])]
    return {"python": python_version(), **{package: version(package) for package in packages}}


def git() -> dict[str, Any]:
    """The commit of the checkout, and whether it was changed since; {} outside of git."""

    try:
        return {"commit": _ask_git("rev-parse", "HEAD"), "changed": bool(_ask_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {}


def uncommitted(who: Mapping[str, Any]) -> str:
    """How the checkout differs from the commit that run.json names, and which files are new; "" where it does not."""
    if not who["git"].get("changed"):
        return ""
    try:
        changes, new = _ask_git("diff", "HEAD"), _ask_git("ls-files", "--others", "--exclude-standard")
    except (OSError, subprocess.SubprocessError):
        return ""
    return "\n".join([changes[:LONGEST_DIFF], *(f"new: {name}" for name in new.splitlines()), ""])


def _ask_git(*arguments: str) -> str:
    """What git says of the checkout. Raises OSError or SubprocessError."""
    command = ["git", "-C", str(CHECKOUT), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=60)
    return done.stdout.strip()


def summary_json(
    config: RunConfig,
    training: Training,
    best: Mapping[str, Any],
    who: dict[str, Any],
    outcome: Outcome,
    seconds: float,
    drawing: bool = False,
) -> dict[str, Any]:
    """The content of summary.json; best: its value and epoch; seconds: the whole run's; drawing: there is
    still something to draw."""
    return {
        "status": outcome.status,
        "error": outcome.error,
        "stopped_by": training.stop_reason,
        **labels(config),
        "source": who["source"],
        "synthetic": who["synthetic"],
        "epochs": training.epoch,
        "steps": training.step,
        "seconds": round(seconds, 3),
        "train_seconds": round(training.train_seconds, 3),
        "parameters": who["parameters"],
        "metrics": outcome.metrics,
        "test_each_epoch": training.plan.watch_test,
        "best": {"metric": training.plan.monitor, **best},
        **outcome.facts,
        "diverged": outcome.diverged,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "versions": who["versions"],
        "git": who.get("git"),
        **({"drawing": True} if drawing else {}),
    }
