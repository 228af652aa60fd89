"""summary.json: how a run ended and what came out."""

import resource
from dataclasses import dataclass, field
from typing import Any

from duograd.runner.config import RunConfig
from duograd.runner.hooks.best import Best
from duograd.runner.identity import labels
from duograd.runner.training import Floats, Training


@dataclass
class Outcome:
    """How a training ended: FINISHED, FAILED or KILLED; why; the final metrics; what the pictures found out."""

    status: str
    error: str | None = None
    diverged: bool = False
    metrics: Floats = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def compose(
    config: RunConfig, training: Training, best: Best, who: dict[str, Any], outcome: Outcome, seconds: float
) -> dict[str, Any]:
    """The content of summary.json; `seconds` is the whole run's time."""
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
        "best": {"metric": training.plan.monitor, **best.state()},
        **outcome.facts,
        "diverged": outcome.diverged,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "versions": who["versions"],
        "git": who["git"],
    }
