"""A sweep's life, wherever its jobs come from: a record is opened, then start, run, finish."""

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from duograd.runner.context import terminal
from duograd.runner.display import waiting
from duograd.runner.report.ranking import best_run
from duograd.runner.report.report import Report, report_sweep
from duograd.runner.signals import handled_by
from duograd.runner.store import locks
from duograd.runner.store.folders import SweepFolder
from duograd.runner.store.records import OVER, JobRecord, SweepRecord
from duograd.runner.store.schema import Status
from duograd.runner.sweep.checks import refuse_unfit
from duograd.runner.sweep.cluster import connected, expected_workers
from duograd.runner.sweep.execution import Execution, Interrupt
from duograd.runner.sweep.mirror import Mirror
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.options import Request
from duograd.runner.sweep.pool import Pool
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.source import JobQueue, JobSource
from duograd.runner.sweep.table import View, go_on, progress_table

ORPHAN_POLL_SECONDS = 0.1


class Sweep:
    """One sweep on its way through its folder, which this process holds."""

    def __init__(self, request: Request, record: SweepRecord, source: JobSource) -> None:
        self.request, self.record, self.source = request, record, source
        self.folder, self.console = SweepFolder(request.folder), terminal()
        self.interrupt = Interrupt()
        self.mirror = Mirror(self.folder, record, self.interrupt, named_by_user=not request.options.resume)

    def run(self) -> int:
        """Runs what is left of it, and says what came out; the exit code. Raises UserError."""
        with self.interrupt.listening(), ExitStack() as afterwards:
            self._end_orphans()
            with self._workers(self.source.remaining()) as pool:
                queue = self._start()  # until here nothing is written
                afterwards.callback(self._finish)
                if pool is not None:
                    self._execute(pool, queue)
        if self.interrupt.caught is not None:
            return 128 + self.interrupt.caught
        return 0 if self.record.status == "FINISHED" else 1

    def _end_orphans(self) -> None:
        """On a cluster, jobs outlive a sweep that was killed: they end first, so that no folder is trained in twice.

        Each after its step, however long that takes; Ctrl-C ends the wait.
        """
        if self._orphans():
            self._say("jobs of an earlier session are still training: ending them first")
            self.folder.end.touch()
            while self._orphans() and self.interrupt.caught is None:
                time.sleep(ORPHAN_POLL_SECONDS)
            for job in self.record.jobs:
                job.refresh(self.folder.path)
        self.folder.end.unlink(missing_ok=True)

    def _orphans(self) -> bool:
        folders = (self.folder.path / job.folder for job in self.record.jobs)
        return any(locks.is_held(folder / locks.TRAINER) for folder in folders)

    @contextmanager
    def _workers(self, jobs: int) -> Iterator[Pool | None]:
        """A pool of workers that were found fit; None where no job is left. Raises UserError."""
        launcher = self.request.launcher
        if jobs == 0:
            yield None
            return
        with ExitStack() as stack:
            with waiting(self.console, "starting the workers"):
                workers = stack.enter_context(connected(launcher, jobs, self.folder.path))
                if launcher.scheduler is not None:
                    refuse_unfit(workers, self.folder.path, self._ending)
            if workers.queue is not None:
                workers.queue.await_first(self._ending)
            if exposure := workers.exposure():
                self._say(exposure)
            yield Pool(workers)

    def _ending(self) -> bool:
        return self.interrupt.caught is not None

    def _start(self) -> JobQueue:
        """From here on the folder is a sweep's, and MLflow follows it."""
        self._say(f"{self.source.title()}; everything goes to {self.folder.path}")
        queue = self.source.start()
        self.record.status = "RUNNING"
        self.record.save(self.folder.path)
        self.mirror.start()
        return queue

    def _execute(self, pool: Pool, queue: JobQueue) -> None:
        progress = dict[int, Progress]()
        total = self.record.count(*OVER) + self.source.remaining()
        with View(self.console, self.record, progress, total) as view:
            Execution(
                self.folder,
                self.record,
                queue,
                pool,
                view,
                progress,
                self.interrupt,
                save=self.mirror.save_record,
                fail_fast=self.request.options.fail_fast,
                stack=self.request.launcher.stack,
                workers=expected_workers(self.request.launcher, self.source.remaining()),
            ).run()

    def _finish(self) -> None:
        """Whatever happened: the last word of sweep.json, the answer, MLflow, and what the user is to know."""
        for job in self.record.jobs:
            job.refresh(self.folder.path)
        unfinished: Status = "FAILED" if self.interrupt.caught is None else "KILLED"
        self.record.status = "FINISHED" if self.source.complete() else unfinished
        self.folder.end.unlink(missing_ok=True)
        self.mirror.save_record()
        self.source.finish()
        with handled_by(signal.default_int_handler, signal.SIGINT):  # nothing is left to save: Ctrl-C skips a wait
            answer = self._answer() if self.request.options.answer and self.interrupt.caught is None else None
            if answer is not None and (best := self._best_job(answer)):
                self.record.best_job = best.number
                self.mirror.save_record()
            self.mirror.finish(self.console)
        self._conclude(answer)

    def _answer(self) -> Report | None:
        """Before MLflow is up to date, which is to have it; but not before it can be linked to.

        None where writing it failed, or was skipped, which costs the sweep nothing else.
        """
        try:
            with waiting(self.console, "drawing the answer (Ctrl-C leaves it out)"):
                self.mirror.await_links()
                return report_sweep(self.folder.path, self.request.options.interval)
        except KeyboardInterrupt:
            self._say(f"the answer is left out; to draw it: duograd compare {shlex.quote(str(self.folder.path))}")
        except Exception:
            self.console.print_exception()
        return None

    def _best_job(self, answer: Report) -> JobRecord | None:
        """The best run of what the answer ranks first."""
        comparison = answer.comparison
        ranked = next((rank.group for rank in comparison.ranks if rank.place == 1), None)
        folder = best_run(ranked, comparison.measure).folder if ranked else None
        return next((job for job in self.record.jobs if self.folder.path / job.folder == folder), None)

    def _conclude(self, answer: Report | None) -> None:
        """The answer; without one every job, and what failed with its error and log. Then how to go on."""
        if answer is not None:
            answer.show(self.console)
        else:
            self.console.print(progress_table(self.record.jobs, self.console.width), highlight=False)
            for job in self.record.jobs:
                if job.error is not None:
                    log = self.folder.path / job.log
                    where = f" ({log})" if log.exists() else ""
                    style = "red" if job.status == "FAILED" else "yellow"
                    self._say(f"{job.status} {run_name(job.name)}: {job.error}{where}", style)
        if self.record.status != "FINISHED":
            self._say(go_on(self.folder.path))
        self._say(f"everything is in {self.folder.path}")

    def _say(self, line: str, style: str | None = None) -> None:
        self.console.print(line, style=style, highlight=False, soft_wrap=True, markup=False)
