"""What a person sees of a sweep: one live table on a terminal, a line for each job that ends elsewhere."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from duograd.runner.display import duration, is_live
from duograd.runner.store.overrides import by_key
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.progress import Progress

STYLES = {
    "FINISHED": "green",
    "FAILED": "red",
    "KILLED": "yellow",
    "PRUNED": "blue",
    "RUNNING": "bold",
    "PENDING": "dim",
}
AROUND = 8  # lines of a terminal that the table leaves to what stands around it
QUIET_SECONDS = 30.0  # the longest silence where the output is no terminal


class View:
    """The sweep on its way. `progress` holds the jobs that are out."""

    def __init__(self, console: Console, record: SweepRecord, progress: Mapping[int, Progress]) -> None:
        self._console, self._record, self._progress = console, record, progress
        self._live = Live(console=console, auto_refresh=False) if is_live(console) else None
        self._began = self._spoke_at = time.monotonic()
        self._settled_before = record.count("FINISHED", "PRUNED")

    def __enter__(self) -> "View":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self.update()
            self._live.stop()

    def update(self) -> None:
        """Shows how far everything is."""
        if self._live:
            self._live.update(
                Group(progress_table(self._visible(), self._progress), Text(self._summary())), refresh=True
            )
        elif time.monotonic() - self._spoke_at > QUIET_SECONDS:
            self.say(self._summary())

    def ended(self, job: JobRecord) -> None:
        """A job has ended."""
        if self._live is None:
            over = len(self._record.jobs) - self._record.count("PENDING", "RUNNING")
            result = job.error or _value(job)
            took = "" if job.seconds is None else f"  {duration(job.seconds)}"
            self.say(f"[{over}/{len(self._record.jobs)}] {run_name(job.name)}  {job.status}  {result}{took}")

    def say(self, line: str) -> None:
        """A line of its own."""
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)
        self._spoke_at = time.monotonic()

    def _summary(self) -> str:
        over = self._record.count("FINISHED", "PRUNED", "FAILED", "KILLED")
        left = self._seconds_left()
        rest = "" if left is None else f", {duration(left)} left"
        spent = duration(time.monotonic() - self._began)
        return f"{over} of {len(self._record.jobs)} jobs over, {len(self._progress)} running, {spent} so far{rest}"

    def _seconds_left(self) -> float | None:
        """By the pace of this session: jobs that it found finished took none of its time."""
        jobs = len(self._record.jobs) - self._settled_before
        done = self._record.count("FINISHED", "PRUNED", "FAILED", "KILLED") - self._settled_before
        share = (done + sum(p.share for p in self._progress.values())) / max(jobs, 1)
        return (time.monotonic() - self._began) * (1 / share - 1) if share > 0 else None

    def _visible(self) -> list[JobRecord]:
        """As many jobs as the terminal has room for, running ones first of all, in their order."""
        room = max(3, self._console.height - AROUND)
        jobs = self._record.jobs
        if len(jobs) <= room:
            return jobs
        weight = {"RUNNING": 0, "FAILED": 1, "KILLED": 1, "PENDING": 3}
        urgent = sorted(jobs, key=lambda job: (weight.get(job.status, 2), -job.number))[:room]
        return sorted(urgent, key=lambda job: job.number)


def progress_table(jobs: Sequence[JobRecord], progress: Mapping[int, Progress]) -> Table:
    """Job, swept values, state, epoch, loss, time left."""
    return job_table(jobs, ("epoch", "loss", "left"), lambda job: _cells(job, progress))


def job_table(jobs: Sequence[JobRecord], heads: Sequence[str], cells: Callable[[JobRecord], Sequence[str]]) -> Table:
    """Job, swept values, state, and more columns."""
    swept = [by_key(job.overrides) for job in jobs]
    keys = list(dict.fromkeys(key for values in swept for key in values))
    rows = Table("job", *(key.rpartition(".")[2] for key in keys), "state", *heads, box=None)
    for job, values in zip(jobs, swept, strict=True):
        state = Text(job.status, STYLES[job.status])
        rows.add_row(str(job.number), *(Text(values.get(key, "–")) for key in keys), state, *cells(job))
    return rows


def _cells(job: JobRecord, progress: Mapping[int, Progress]) -> tuple[str, str, str]:
    """Epoch, loss, time left."""
    if job.number not in progress:
        return str(job.epochs or ""), _value(job), ""
    now = progress[job.number]
    left = now.seconds_left
    loss = now.line.get("val/loss", now.line.get("train/loss"))
    return f"{now.epoch}/{now.epochs}", "" if loss is None else f"{loss:.5g}", "" if left is None else duration(left)


def _value(job: JobRecord) -> str:
    best = job.best or {}
    return "" if best.get("value") is None else f"{best['metric']} {best['value']:.5g}"
