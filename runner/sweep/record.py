"""sweep.json: what a sweep is and how far it got. Only the sweep's own process writes it, as a whole, as it goes."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duograd.runner import atomic
from duograd.runner.errors import UserError
from duograd.runner.folder import SWEEP, RunFolder
from duograd.runner.hooks.requests import PRUNED
from duograd.runner.report.records import as_typed

DIED = "its process died (killed, or out of memory)"


@dataclass
class JobRecord:
    """A job: overrides are what the sweep gave it; folder and log are relative to the sweep's folder."""

    number: int
    overrides: list[str]
    name: str
    hash: str
    folder: str
    log: str
    status: str = "PENDING"
    error: str | None = None
    run_id: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] | None = None
    seconds: float | None = None
    epochs: int = 0
    parameters: int = 0
    diverged: bool = False

    @property
    def settled(self) -> bool:
        """Whether it came to its end: nothing is left to do for it."""
        return self.status in ("FINISHED", "PRUNED")

    def refresh(self, sweep: Path) -> None:
        """Brings status and results up to what the job's folder says, which is the truth about it."""
        folder = RunFolder(sweep / self.folder)
        summary = folder.read_json(folder.summary)
        if summary:
            self._take(summary)
        elif folder.config.exists():
            self.status, self.error = "KILLED", self.error or DIED
        elif self.status != "FAILED":
            self.status, self.error = "PENDING", None

    def _take(self, summary: dict[str, Any]) -> None:
        pruned = summary["status"] == "FINISHED" and summary["stopped_by"] == PRUNED
        self.status, self.error = "PRUNED" if pruned else summary["status"], summary["error"]
        self.diverged = summary["diverged"]
        self.metrics, self.best = summary["metrics"], summary["best"]
        self.seconds, self.epochs, self.parameters = summary["seconds"], summary["epochs"], summary["parameters"]


@dataclass
class SweepRecord:
    """The whole file. directory: where the command was given, which relative paths are meant from."""

    id: str
    name: str
    task: str
    started: float
    command: str
    directory: str
    overrides: list[str]
    launcher: dict[str, Any]
    uri: str | None
    experiment: str | None
    parent_run_id: str | None = None
    status: str = "RUNNING"
    jobs: list[JobRecord] = field(default_factory=list)

    @property
    def swept(self) -> dict[str, list[Any]]:
        """The values of each swept key, in the order of the jobs."""
        found: dict[str, dict[str, None]] = {}
        for override in (o for job in self.jobs for o in job.overrides):
            key, _, value = override.lstrip("+~").partition("=")
            found.setdefault(key, {})[value] = None
        return {key: [as_typed(value) for value in values] for key, values in found.items()}

    def count(self, *statuses: str) -> int:
        return sum(job.status in statuses for job in self.jobs)

    def save(self, sweep: Path) -> None:
        atomic.write_json(sweep / SWEEP, {**asdict(self), "swept": self.swept})

    @classmethod
    def load(cls, sweep: Path) -> Self:
        """What was saved. Raises UserError where it is none."""
        try:
            content = json.loads((sweep / SWEEP).read_text())
            del content["swept"]
            jobs = [JobRecord(**job) for job in content.pop("jobs")]
            return cls(**content, jobs=jobs)
        except FileNotFoundError:
            raise UserError(f"{sweep} is not the folder of a sweep: it has no {SWEEP}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{sweep / SWEEP} is not what a sweep writes: {error}") from None
