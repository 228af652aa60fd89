"""Running jobs on a cluster, and telling as they go. Where they come from is not known here: a grid, or a search."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from duograd.runner.store import files
from duograd.runner.store.folders import PRUNED, RunFolder, SweepFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.interrupt import Interrupt
from duograd.runner.sweep.pool import Ended, Pool
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.table import View
from duograd.runner.sweep.worker import Task
from duograd.runner.tracking.cursor import Cursor

POLL_SECONDS = 0.5
GRACE_SECONDS = 8.0  # for jobs to save themselves once the sweep is to end


class Source(Protocol):
    """Where jobs come from. A search adds the record of a job that it thought of to the sweep's before it gives it."""

    def ask(self) -> tuple[JobRecord, Task, int] | None:
        """The next job, what to send, and its epochs; None for none now. When none is out either, all is over."""
        ...

    def tell(self, job: JobRecord) -> None:
        """A job has ended."""
        ...

    def hopeless(self, job: JobRecord, progress: Progress) -> bool:
        """Whether a job that is out should end after its epoch, and be called PRUNED."""
        ...


class Grid:
    """Jobs that are known from the start, one after the other, each to its own end."""

    def __init__(self, jobs: Iterable[tuple[JobRecord, Task, int]]) -> None:
        self._waiting = deque(jobs)

    def ask(self) -> tuple[JobRecord, Task, int] | None:
        return self._waiting.popleft() if self._waiting else None

    def tell(self, job: JobRecord) -> None:
        """Nothing follows from it."""

    def hopeless(self, job: JobRecord, progress: Progress) -> bool:
        return False


@dataclass
class Execution:
    """A sweep while its jobs run. fail_fast: the first that fails ends the others."""

    folder: SweepFolder
    record: SweepRecord
    source: Source
    pool: Pool
    view: View
    progress: dict[int, Progress]
    interrupt: Interrupt
    fail_fast: bool = False
    ending: float | None = None  # since when, by time.monotonic
    pruned: set[int] = field(default_factory=set)

    def go(self) -> None:
        """Until the source has no more jobs and none is out; or until all were asked to end. Raises UserError."""
        while self._going():
            for ended in self.pool.ended(POLL_SECONDS):
                self._settle(ended)
            self._watch()

    def _going(self) -> bool:
        """Hands out what can be; whether there is something to wait for."""
        if self.interrupt.caught is not None:
            self._end_all()
        self._hand_out()
        return bool(self.pool.running) and not self._out_of_patience()

    def _hand_out(self) -> None:
        changed = False
        while self.ending is None and self.pool.free and (found := self.source.ask()):
            job, task, epochs = found
            job.status, job.error = "RUNNING", None
            self.pool.submit(job.number, task)
            self.progress[job.number] = Progress(RunFolder(self.folder.path / job.folder), epochs)
            changed = True
        if changed:
            self.save()

    def _settle(self, ended: Ended) -> None:
        job = self._job(ended.number)
        del self.progress[ended.number]
        job.refresh(self.folder.path)
        if ended.error is not None and not job.settled:
            job.error = ended.error
            job.status = job.status if job.status == "KILLED" else "FAILED"
        self.save()
        self.source.tell(job)
        self.view.ended(job)
        if self.fail_fast and job.status in ("FAILED", "KILLED"):
            self._end_all()

    def _watch(self) -> None:
        for number, progress in self.progress.items():
            progress.look()
            if number not in self.pruned and self.source.hopeless(self._job(number), progress):
                self.pruned.add(number)
                files.write_bytes(progress.folder.stop, PRUNED.encode())
        self.view.update()

    def _end_all(self) -> None:
        """Asks every job to end after its step, as Ctrl-C would a single run."""
        if self.ending is None:
            self.ending = time.monotonic()
            self.folder.end.touch()
            self.view.say(f"ending {len(self.pool.running)} jobs; they can be resumed")

    def _out_of_patience(self) -> bool:
        return self.ending is not None and time.monotonic() - self.ending > GRACE_SECONDS

    def _job(self, number: int) -> JobRecord:
        return next(job for job in self.record.jobs if job.number == number)

    def save(self) -> None:
        """Writes sweep.json, with what the mirror has told of its runs so far."""
        remember_runs(self.folder, self.record)
        self.record.save(self.folder.path)


def remember_runs(folder: SweepFolder, record: SweepRecord) -> None:
    """Takes the MLflow ids from what the mirror keeps in each folder."""
    if record.uri is None:
        return
    record.parent_run_id = record.parent_run_id or Cursor.load(folder.path, record.uri).run_id or None
    for job in record.jobs:
        if job.run_id is None and job.status != "PENDING":
            job.run_id = Cursor.load(folder.path / job.folder, record.uri).run_id or None
