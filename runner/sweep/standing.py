"""Which job leads while a sweep goes on: by what its runs watch, or by what is the same in all of them."""

from collections.abc import Iterable, Sequence

from duograd.runner.registry import LOSSES, higher_is_better, rising_metrics
from duograd.runner.store.overrides import key_of
from duograd.runner.store.records import OVER, JobRecord
from duograd.runner.sweep.progress import Progress

WITHOUT_PENALTY = ("mse", "mae")  # of metrics that are to fall


def watched_metrics(monitor: str | None, loss: str, overrides: Sequence[str]) -> list[str]:
    """What a job is ranked by: the first of these that its lines have. overrides: what the sweep gave it.

    monitor, loss: of its configuration. Losses with other settings are other sums, and are no measure of each other.
    """
    if monitor:
        return [monitor]
    losses = ["val/loss", "train/loss"]
    if not any(key_of(override).partition(".")[0] == "loss" for override in overrides):
        return losses
    metrics = LOSSES.find(loss).metrics if loss in LOSSES.names() else ()
    shared = [m.name for m in metrics if m.higher_is_better or m.name in WITHOUT_PENALTY]
    shared = shared or rising_metrics()  # of a user's own loss
    return [*(f"{split}/{name}" for name in shared for split in ("val", "train")), *losses]


class Standing:
    """The best value so far of each job: of those that run by their lines, of the others by their end."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[str, float | None]] = {}

    def follow(self, progress: Iterable[tuple[int, Progress]]) -> None:
        """Notes how far the jobs are that run, which are known by their numbers."""
        self._lines |= {number: job.best for number, job in progress if job.best is not None}

    def metric(self, jobs: Sequence[JobRecord]) -> str:
        """What they are ranked by; "" where nothing is known yet."""
        names = [name for name, _ in self._lines.values()] or [job.best["metric"] for job in jobs if job.best]
        return max(names, key=names.count, default="")

    def value(self, job: JobRecord, metric: str) -> float | None:
        """The best of the metric, None where the job has none."""
        name, value = self._lines.get(job.number, ("", None))
        best = job.best or {}
        if best.get("metric") == metric and (job.status in OVER or name != metric):
            value = best["value"]
        elif name != metric:
            value = job.metrics.get(metric)
        return None if value is None else float(value)

    def ranked(self, jobs: Sequence[JobRecord], metric: str) -> list[JobRecord]:
        """The jobs that have a value, the best first."""
        values = {job.number: value for job in jobs if (value := self.value(job, metric)) is not None}
        known = [job for job in jobs if job.number in values and job.status != "FAILED"]
        return sorted(known, key=lambda job: values[job.number], reverse=higher_is_better(metric))
