"""Jobs on their way: handed out as workers are free, watched in their folders, settled as they end."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from duograd.runner.config import dump
from duograd.runner.signals import Request
from duograd.runner.store import files
from duograd.runner.store.folders import PRUNED, RunFolder, SweepFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.plan import Job
from duograd.runner.sweep.pool import Ended, Pool
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.source import JobQueue
from duograd.runner.sweep.table import View
from duograd.runner.sweep.worker import Task

POLL_SECONDS = 0.5
GRACE_SECONDS = 8.0  # for jobs to save themselves once the sweep is to end


class Interrupt(Request):
    """The first signal is a request (`caught`); a later one is KeyboardInterrupt, at once."""

    def __init__(self) -> None:
        super().__init__(lambda signum: KeyboardInterrupt())


@dataclass
class Execution:
    """A sweep while its jobs run. save: writes sweep.json; fail_fast: the first that fails ends the others."""

    folder: SweepFolder
    record: SweepRecord
    queue: JobQueue
    pool: Pool
    view: View
    progress: dict[int, Progress]
    interrupt: Interrupt
    save: Callable[[], None]
    fail_fast: bool = False
    ending_since: float | None = None  # by time.monotonic
    deserted: bool = False
    pruned: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Until the queue has no more jobs and none is out; or until all were asked to end. Raises UserError."""
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
        while self.ending_since is None and self.pool.free and (next_one := self.queue.ask()):
            record, job = next_one
            record.status, record.error = "RUNNING", None
            self.pool.submit(record.number, task(self.folder, record, job))
            self.progress[record.number] = Progress(RunFolder(self.folder.path / record.folder), job.config.epochs)
            changed = True
        if changed:
            self.save()

    def _settle(self, ended: Ended) -> None:
        record = self._record_of(ended.number)
        del self.progress[ended.number]
        record.refresh(self.folder.path)
        if ended.error is not None and not record.settled:
            record.error = ended.error
            record.status = record.status if record.status == "KILLED" else "FAILED"
        self.save()
        self.queue.tell(record)
        self.view.ended(record)
        if self.fail_fast and record.status in ("FAILED", "KILLED"):
            self._end_all()

    def _watch(self) -> None:
        for number, progress in self.progress.items():
            progress.look()
            if number not in self.pruned and self.queue.should_prune(self._record_of(number), progress):
                self.pruned.add(number)
                files.write_bytes(progress.folder.stop, PRUNED.encode())
        if self.pool.deserted and not self.deserted:
            self.view.say("no worker is left: waiting for one")
        self.deserted = self.pool.deserted
        self.view.update()

    def _end_all(self) -> None:
        """Asks every job to end after its step, as Ctrl-C would a single run."""
        if self.ending_since is None:
            self.ending_since = time.monotonic()
            self.folder.end.touch()
            self.view.say(f"ending {len(self.pool.running)} jobs; they can be resumed")

    def _out_of_patience(self) -> bool:
        return self.ending_since is not None and time.monotonic() - self.ending_since > GRACE_SECONDS

    def _record_of(self, number: int) -> JobRecord:
        return next(record for record in self.record.jobs if record.number == number)


def task(folder: SweepFolder, record: JobRecord, job: Job) -> Task:
    """What a worker is sent for a job."""
    return Task(
        config=dump(job.config),
        sweep=str(folder.path),
        folder=str(folder.path / record.folder),
        attempt=uuid.uuid4().hex,
        name=run_name(job.name),
        overrides=list(job.overrides),
        swept=job.swept,
        flags=job.flags,
    )
