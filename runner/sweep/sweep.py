"""A sweep from beginning to end: what is to be done, doing it, and what came out."""

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from duograd.runner.config import MlflowTracking, dump
from duograd.runner.errors import UserError
from duograd.runner.report.report import Report
from duograd.runner.store.folders import SweepFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.checks import refuse_unfit
from duograd.runner.sweep.cluster import connected
from duograd.runner.sweep.ending import await_links, tell, written
from duograd.runner.sweep.execute import Execution, Grid, Source, remember_runs
from duograd.runner.sweep.interrupt import Interrupt
from duograd.runner.sweep.merge import merge, rebase
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.options import LauncherOptions, SweepOptions
from duograd.runner.sweep.plan import Job, effort
from duograd.runner.sweep.pool import Pool
from duograd.runner.sweep.preview import preview
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.table import View
from duograd.runner.sweep.worker import Task
from duograd.runner.tracking.follower import Follower

MIRROR_SECONDS = 60.0  # the longest wait at the end for MLflow to be brought up to date,
MIRROR_SECONDS_A_JOB = 1.0  # and so much more for each job;
INTERRUPTED_SECONDS = 10.0  # or only this, after Ctrl-C


@dataclass(frozen=True)
class Request:
    """What a sweep is asked for. fixed: the overrides that all jobs share; command: how to ask for it again."""

    folder: Path
    jobs: list[Job]
    fixed: list[str]
    options: SweepOptions
    launcher: LauncherOptions
    directory: Path
    command: str


def go(request: Request) -> int:
    """Does it, or says what it would do. 0: every job is finished, 1: not so, 128 + a signal. Raises UserError."""
    console, folder, asked = Console(), SweepFolder(request.folder), request.options
    if asked.dry_run:
        preview(console, *_known(folder, request), request.launcher, asked.estimate)
        return 0
    with folder.locked():
        record, jobs = _known(folder, request)
        if asked.estimate:
            preview(console, record, jobs, request.launcher, estimate=True)
        return Sweep(request, folder, record, jobs, console).go()


def _known(folder: SweepFolder, request: Request) -> tuple[SweepRecord, dict[int, Job]]:
    """The sweep's record, as its folder has it where there is one; the jobs wanted now by number. Writes nothing."""
    record = found(folder, request) or new(folder, request)
    for job in record.jobs:
        job.refresh(folder.path)
    jobs = merge(folder.path, request.jobs, record.jobs)
    rebase(record, request.fixed, jobs)
    record.command, record.launcher = request.command, request.launcher.model_dump()
    return record, jobs


def found(folder: SweepFolder, request: Request) -> SweepRecord | None:
    """The record of the sweep to go on with; None for a new one. Raises UserError where the folder says otherwise."""
    known, wanted = folder.record.exists(), request.options.resume
    if known and not wanted:
        raise UserError(
            f"{folder.path} already holds a sweep: go on with it by 'duograd resume {folder.path}' or "
            "sweep.resume=true, or choose another folder with hydra.sweep.dir=DIR"
        )
    if wanted and not known:
        raise UserError(f"sweep.resume=true: {folder.path} holds no sweep: name its folder with hydra.sweep.dir=DIR")
    return SweepRecord.load(folder.path) if known else None


def new(folder: SweepFolder, request: Request) -> SweepRecord:
    """The record of a sweep that is about to begin."""
    config = request.jobs[0].config
    tracking = config.tracking if isinstance(config.tracking, MlflowTracking) else None
    return SweepRecord(
        id=uuid.uuid4().hex,
        name=folder.path.name,
        task=config.task.name,
        started=time.time(),
        command=request.command,
        directory=str(request.directory),
        overrides=request.fixed,
        launcher=request.launcher.model_dump(),
        uri=tracking.uri if tracking else None,
        experiment=tracking.experiment or config.task.name if tracking else None,
    )


class Sweep:
    """One sweep on its way through its folder, which this process holds."""

    def __init__(
        self, request: Request, folder: SweepFolder, record: SweepRecord, jobs: dict[int, Job], console: Console
    ) -> None:
        self.request, self.folder, self.record, self.jobs, self.console = request, folder, record, jobs, console
        self.interrupt = Interrupt()

    def go(self) -> int:
        """Runs what is left of it, and tells what came out; the exit code. Raises UserError."""
        wanted = self._wanted()
        self.folder.end.unlink(missing_ok=True)
        with self.interrupt.listening(), ExitStack() as stack:
            if wanted:
                with self._pool(wanted) as pool:  # until here nothing is written
                    self._say(wanted)
                    stack.enter_context(self._told())
                    self._execute(pool)
            else:
                self._say(wanted)
                stack.enter_context(self._told())
        if self.interrupt.caught is not None:
            return 128 + self.interrupt.caught
        return 0 if self.record.status == "FINISHED" else 1

    def _wanted(self) -> int:
        """How many jobs are still to be run."""
        return len(self._left())

    def _left(self) -> list[JobRecord]:
        return [job for job in self.record.jobs if job.number in self.jobs and not job.settled]

    def _say(self, wanted: int) -> None:
        over = len(self.jobs) - wanted
        already = f", {over} of them finished already" if over else ""
        line = f"sweep of {len(self.jobs)} jobs{already}; everything goes to {self.folder.path}"
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    @contextmanager
    def _pool(self, jobs: int) -> Iterator[Pool]:
        """Workers that were found fit. Raises UserError."""
        launcher = self.request.launcher
        with connected(launcher, jobs) as client:
            if launcher.scheduler is not None:
                refuse_unfit(client, self.folder.path, launcher.timeout)
            yield Pool(client)

    def _source(self) -> Source:
        """The longest first: at the end no worker waits long for another."""
        left = sorted(self._left(), key=lambda job: -effort(self.jobs[job.number].config))
        return Grid((job, self._task(job), self.jobs[job.number].config.epochs) for job in left)

    def _execute(self, pool: Pool) -> None:
        source, progress = self._source(), dict[int, Progress]()
        with View(self.console, self.record, progress) as view:
            fail_fast = self.request.options.fail_fast
            Execution(self.folder, self.record, source, pool, view, progress, self.interrupt, fail_fast).go()

    def _task(self, record: JobRecord) -> Task:
        job = self.jobs[record.number]
        return Task(
            config=dump(job.config),
            sweep=str(self.folder.path),
            folder=str(self.folder.path / record.folder),
            attempt=uuid.uuid4().hex,
            name=run_name(job.name),
            overrides=list(job.overrides),
            swept=job.swept,
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever happens in the block, afterwards sweep.json, MLflow and the user are told how the sweep ended."""
        self.record.status = "RUNNING"
        self.record.save(self.folder.path)
        follower = Follower.start(self.folder.path) if self.record.uri else None
        try:
            yield
        finally:
            self._close()
            answer = self._answer() if self.request.options.answer and self.interrupt.caught is None else None
            if follower is not None:
                self._wait_for(follower)
            tell(self.console, self.record, self.folder, answer)

    def _close(self) -> None:
        """The last word of sweep.json on each job, and on the whole."""
        for job in self.record.jobs:
            job.refresh(self.folder.path)
        self.record.status = "FINISHED" if self._over() else "FAILED" if self.interrupt.caught is None else "KILLED"
        self.folder.end.unlink(missing_ok=True)
        self._save()

    def _over(self) -> bool:
        """Whether nothing is left to be done."""
        return all(job.settled for job in self.record.jobs if job.number in self.jobs)

    def _answer(self) -> Report | None:
        """Before MLflow is up to date, which is to have it; but not before it can be linked to."""
        with self.console.status("drawing the answer"):
            await_links(self.folder, self.record, self.interrupt)
            self._save()
            return written(self.folder, self.console)

    def _wait_for(self, follower: Follower) -> None:
        """For MLflow to be brought up to date: it has been following, so little is left."""
        with self.console.status("bringing MLflow up to date"):
            patient = MIRROR_SECONDS + MIRROR_SECONDS_A_JOB * len(self.jobs)
            wait = patient if self.interrupt.caught is None else INTERRUPTED_SECONDS
            trouble = follower.finish(wait, self.console)
        said = trouble or "look at it in MLflow: duograd ui"
        self.console.print(said, style="yellow" if trouble else None, highlight=False, soft_wrap=True)
        self._save()

    def _save(self) -> None:
        remember_runs(self.folder, self.record)
        self.record.save(self.folder.path)
