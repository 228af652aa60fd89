"""What a person sees of a sweep: a live table on a terminal, a few lines a minute elsewhere."""

import shlex
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from duograd.runner.display import duration, is_live
from duograd.runner.pace import clock_text, rate_text
from duograd.runner.store.records import OVER, JobRecord, SweepRecord
from duograd.runner.sweep.columns import (
    EPOCH,
    LEFT,
    RATE,
    VALUE,
    Column,
    counts,
    heads_left_out,
    job_columns,
    job_table,
)
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.standing import Standing

WORDS = {"FINISHED": "finished", "PRUNED": "pruned", "FAILED": "failed", "KILLED": "killed", "RUNNING": "running"}
WORDS |= {"PENDING": "waiting"}
AROUND = 8  # lines of a terminal that the table leaves to what stands around it
LEADERS = 3  # lines for the best, however many jobs run
PLAIN_SECONDS = 20.0  # between two lines where nothing can be drawn over, failures apart


class View:
    """The sweep on its way. `progress` holds the jobs that are out; total: how many jobs there will be at the most."""

    def __init__(
        self,
        console: Console,
        record: SweepRecord,
        progress: Mapping[int, Progress],
        total: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._record, self._progress, self._clock = console, record, progress, clock
        self._live = Live(console=console, auto_refresh=False) if is_live(console) else None
        self._began = self._spoke_at = clock()
        self._total = total
        self._before = {job.number for job in record.jobs if job.status in OVER}
        self._standing = Standing()

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
        self._standing.follow(self._progress.items())
        if self._live:
            self._live.update(self.screen(), refresh=True)
        elif self._clock() - self._spoke_at > PLAIN_SECONDS:
            self.say("; ".join(filter(None, [self._summary(), self._leader()])))

    def ended(self, job: JobRecord) -> None:
        """A job has ended: a line where it failed, is the first or the last, or it is long since a line was printed."""
        first_or_last = self._over() in (len(self._before) + 1, self._jobs())
        due = first_or_last or self._clock() - self._spoke_at >= PLAIN_SECONDS or job.status in ("FAILED", "KILLED")
        if self._live is None and due:
            metric = self._standing.metric(self._record.jobs)
            value = self._standing.value(job, metric)
            result = job.error or ("" if value is None else f"{metric} {value:.5g}")
            took = "" if job.seconds is None else duration(job.seconds)
            words = [f"[{self._over()}/{self._jobs()}]", run_name(job.name), job.status, result, took]
            self.say("  ".join(filter(None, words)))

    def say(self, line: str) -> None:
        """A line of its own."""
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)
        self._spoke_at = self._clock()

    def screen(self) -> Group:
        """The table and what stands below it, no wider and no higher than the screen."""
        width = self._console.width
        jobs = self.visible()
        columns = self._columns(jobs)
        numbers = {job.number for job in jobs}
        rest = counts([job for job in self._record.jobs if job.number not in numbers], WORDS)
        without = ", ".join(heads_left_out(columns, width))
        below = [f"and {rest}" if rest else "", f"no room for {without}" if without else "", self._leader()]
        lines = [Text(line, "dim") for line in below if line]
        lines.append(Text(self._summary()))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return Group(job_table(columns, width), *lines)

    def visible(self) -> list[JobRecord]:
        """All jobs, where the screen has room for them; else those that run, then the best, then what failed."""
        room = max(LEADERS + 1, self._console.height - AROUND)
        jobs = self._record.jobs
        if len(jobs) <= room:
            return jobs
        running = [job for job in jobs if job.status == "RUNNING"]
        ranked = self._standing.ranked(jobs, self._standing.metric(jobs))
        leaders = [job for job in ranked if job.status != "RUNNING"]
        failed = [job for job in jobs if job.status == "FAILED"]
        return [*running[: room - min(LEADERS, len(leaders))], *leaders, *failed][:room]

    def _columns(self, jobs: Sequence[JobRecord]) -> list[Column]:
        metric = self._standing.metric(self._record.jobs)
        values = (self._standing.value(job, metric) for job in jobs)
        out = [self._progress.get(job.number) for job in jobs]
        epochs = [
            f"{now.epoch}/{now.epochs}" if now else str(job.epochs or "") for job, now in zip(jobs, out, strict=True)
        ]
        return [
            *job_columns(jobs),
            Column("epoch", epochs, EPOCH),
            Column("best", ["" if value is None else f"{value:.5g}" for value in values], VALUE),
            Column("rate", [rate_text(now.pace.rate) if now else "" for now in out], RATE),
            Column("left", [_left(now) for now in out], LEFT),
        ]

    def leader(self) -> JobRecord | None:
        """The job that is best so far."""
        ranked = self._standing.ranked(self._record.jobs, self._standing.metric(self._record.jobs))
        return ranked[0] if ranked else None

    def _leader(self) -> str:
        """`best so far: val/loss 0.5123, hidden_size=50 lambda=1e-05`."""
        metric, job = self._standing.metric(self._record.jobs), self.leader()
        return f"best so far: {metric} {self._standing.value(job, metric):.5g}, {run_name(job.name)}" if job else ""

    def _over(self) -> int:
        return self._record.count(*OVER)

    def _jobs(self) -> int:
        return max(self._total, len(self._record.jobs))

    def _summary(self) -> str:
        left = self.seconds_left() if self._progress else None
        rest = f", {clock_text(left)} left" if left else ""
        spent = clock_text(self._clock() - self._began)
        return f"{self._over()} of {self._jobs()} jobs over, {len(self._progress)} running, {spent} so far{rest}"

    def seconds_left(self) -> float | None:
        """What is left of the jobs that run, and the others at the mean of what is known of this session's jobs.

        Shared out among those that run now; no sooner than the longest of them. None before anything is known.
        """
        out = [(p.seconds_left, p.epochs / p.pace.rate) for p in self._progress.values() if p.pace.rate]
        ended = [job.seconds for job in self._record.jobs if job.seconds and job.number not in self._before]
        if not (out or ended):
            return None
        mean = statistics.mean([*(whole for _, whole in out), *ended])
        lefts = [left or 0.0 for left, _ in out] + [mean] * (len(self._progress) - len(out))
        others = self._jobs() - self._over() - len(self._progress)
        return max((sum(lefts) + others * mean) / max(1, len(lefts)), *lefts, 0.0)


def go_on(sweep: Path) -> str:
    """How to go on with a sweep that is not over."""
    return f"go on with it: duograd resume {shlex.quote(str(sweep))}"


def progress_table(jobs: Sequence[JobRecord], width: int) -> Group:
    """All jobs at the end of a sweep without an answer."""
    standing = Standing()
    metric = standing.metric(jobs)
    values = (standing.value(job, metric) for job in jobs)
    columns = [
        *job_columns(jobs),
        Column("epochs", [str(job.epochs or "") for job in jobs], EPOCH),
        Column(f"best {metric}", ["" if value is None else f"{value:.5g}" for value in values], VALUE),
    ]
    return Group(job_table(columns, width))


def _left(now: Progress | None) -> str:
    if now and now.epoch >= now.epochs:
        return "ending"  # evaluating, and looking for facts
    return clock_text(now.seconds_left) if now and now.seconds_left is not None else ""
