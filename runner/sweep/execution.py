"""Jobs on their way: handed out as workers are free, watched in their folders, settled as they end."""

import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from duograd.runner.config import dump
from duograd.runner.signals import Request
from duograd.runner.store import code, files
from duograd.runner.store.folders import PRUNED, RunFolder, SweepFolder
from duograd.runner.store.records import DIED, JobRecord, SweepRecord
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.plan import Job
from duograd.runner.sweep.pool import Ended, Pool
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.source import JobQueue
from duograd.runner.sweep.stacks import Pair, stacks
from duograd.runner.sweep.standing import watched_metrics
from duograd.runner.sweep.table import View
from duograd.runner.sweep.worker import LEFT, Task

POLL_SECONDS = 0.5
TRIES = 2  # of a job whose worker dies each time before it has saved anything
GRACE_SECONDS = 8.0  # for jobs to save themselves once the sweep is to end


class Interrupt(Request):
    """The first signal is a request (`caught`); a later one is KeyboardInterrupt, at once."""

    def __init__(self) -> None:
        super().__init__(lambda signum: KeyboardInterrupt())


@dataclass
class Execution:
    """A sweep while its jobs run. save: writes sweep.json; fail_fast: the first that fails ends the others.

    stack: how many jobs train as one at the most; workers: how many processes there are to be.
    """

    folder: SweepFolder
    record: SweepRecord
    queue: JobQueue
    pool: Pool
    view: View
    progress: dict[int, Progress]
    interrupt: Interrupt
    save: Callable[[], None]
    fail_fast: bool = False
    stack: int = 1
    workers: int = 1
    ending_since: float | None = None  # by time.monotonic
    waiting: str | None = None
    pruned: set[int] = field(default_factory=set)
    jobs: dict[int, Job] = field(default_factory=dict)  # by number: those that were handed out
    again: list[Pair] = field(default_factory=list)  # to be handed out once more
    planned: deque[list[Pair]] | None = None  # stacks
    fruitless: Counter[int] = field(default_factory=Counter)  # tries of a job that its worker did not survive

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
        while self.ending_since is None and self.pool.free and (jobs := self._next()):
            for record, _ in jobs:
                record.status, record.error = "RUNNING", None
            self.pool.submit({record.number: task(self.folder, record, job) for record, job in jobs})
            for record, job in jobs:
                self._follow(record, job)
            changed = True
        if changed:
            self.save()

    def _follow(self, record: JobRecord, job: Job) -> None:
        run, config = RunFolder(self.folder.path / record.folder), job.config
        watched = watched_metrics(config.monitor, config.loss.name, record.overrides)
        self.progress[record.number] = Progress(run, config.epochs, watched)
        self.jobs[record.number] = job

    def _next(self) -> list[Pair]:
        """The jobs that are to train as one, mostly one; none for none now."""
        if self.again:
            first = stacks(self.again, self.stack, 1).together[0]
            self.again = [pair for pair in self.again if pair not in first]
            return first
        if self.stack == 1:
            one = self.queue.ask()
            return [one] if one else []
        if self.planned is None:
            plan = stacks(list(iter(self.queue.ask, None)), self.stack, self.workers)
            self.planned = deque(plan.together)
            self.view.say(plan.describe())
        return self.planned.popleft() if self.planned else []

    def _settle(self, ended: Ended) -> None:
        record = self._record_of(ended.number)
        progress = self.progress[ended.number]
        progress.look()
        self.view.update()
        del self.progress[ended.number]
        record.refresh(self.folder.path)
        error = ended.error
        if error in (DIED, LEFT) and not record.settled:
            if self._send_again(record, progress):
                return
            error = f"{DIED} {TRIES} times before anything was saved" if self._is_fruitless(record) else DIED
        if error is not None and not record.settled:
            record.error = error
            record.status = record.status if record.status == "KILLED" else "FAILED"
        leader = self.view.leader()
        self.record.best_job = leader.number if leader else None
        self.save()
        self.queue.tell(record)
        self.view.ended(record)
        if self.fail_fast and record.status in ("FAILED", "KILLED"):
            self._end_all()

    def _send_again(self, record: JobRecord, progress: Progress) -> bool:
        """Whether a job whose worker is gone goes on: it does, unless it kills every worker before it saves a step."""
        self.fruitless[record.number] = 0 if progress.gained else self.fruitless[record.number] + 1
        if self.ending_since is not None or self._is_fruitless(record):
            return False
        self.again.append((record, self.jobs[record.number]))
        record.status, record.error = "PENDING", None
        self.view.say(f"{run_name(record.name)}: its worker is gone after epoch {progress.epoch}; sent again")
        return True

    def _is_fruitless(self, record: JobRecord) -> bool:
        return self.fruitless[record.number] >= TRIES

    def _watch(self) -> None:
        for number, progress in self.progress.items():
            progress.look()
            if number not in self.pruned and self.queue.should_prune(self._record_of(number), progress):
                self.pruned.add(number)
                files.write_bytes(progress.folder.stop, PRUNED.encode())
        waiting = self.pool.waiting()
        if waiting is not None and waiting != self.waiting:
            self.view.say(waiting)
        self.waiting = waiting
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
    """What a worker is sent for a job; its code, where it is the user's, stands in the sweep's folder before."""
    code.keep(job.config, folder.path)
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
