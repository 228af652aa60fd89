"""A grid: jobs that are all known, and checked, before the first begins."""

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from duograd.runner.config import RunConfig
from duograd.runner.store import code
from duograd.runner.store.folders import RunFolder, SweepFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.gpus import refuse_absent
from duograd.runner.sweep.longer import Hashes, reopen
from duograd.runner.sweep.options import Request
from duograd.runner.sweep.plan import Job
from duograd.runner.sweep.preview import preview
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.records import merge, open_record, rebase
from duograd.runner.sweep.stacks import refuse_by_hand
from duograd.runner.sweep.sweep import Sweep


class Grid:
    """A `JobSource`. jobs: those of the grid, by the number of their record. ended: folders whose runs are to go on."""

    def __init__(
        self, folder: Path, record: SweepRecord, jobs: Mapping[int, Job], ended: Sequence[RunFolder] = ()
    ) -> None:
        self._folder, self._record, self.jobs, self._ended = folder, record, jobs, ended

    def unsettled(self) -> list[JobRecord]:
        """The grid's jobs that have not come to their end."""
        return [record for record in self._record.jobs if record.number in self.jobs and not record.settled]

    def remaining(self) -> int:
        return len(self.unsettled())

    def title(self) -> str:
        settled = len(self.jobs) - self.remaining()
        return f"sweep of {len(self.jobs)} jobs" + (f", {settled} of them finished already" if settled else "")

    def start(self) -> "GridQueue":
        """The longest first: at the end no worker waits long for another."""
        for folder in self._ended:
            folder.summary.unlink(missing_ok=True)  # else it would be taken for finished
        left = [(record, self.jobs[record.number]) for record in self.unsettled()]
        for record, job in left:
            record.status, record.error = "PENDING", None  # not over any more
            code.keep(job.config, self._folder)
        return GridQueue(sorted(left, key=lambda pair: -effort(pair[1].config)))

    def complete(self) -> bool:
        return not self.unsettled()

    def finish(self) -> None:
        """sweep.json says it all."""


class GridQueue:
    """Jobs one after the other, each to its own end."""

    def __init__(self, jobs: Sequence[tuple[JobRecord, Job]]) -> None:
        self._waiting = deque(jobs)

    def ask(self) -> tuple[JobRecord, Job] | None:
        return self._waiting.popleft() if self._waiting else None

    def tell(self, record: JobRecord) -> None:
        """Nothing follows from it."""

    def should_prune(self, record: JobRecord, progress: Progress) -> bool:
        return False


def effort(config: RunConfig) -> int:
    """Grows with the time that a job takes, as far as a configuration tells without its data."""
    return config.epochs * int(getattr(config.model, "hidden_size", 1))


def run_grid(request: Request, jobs: Sequence[Job], fixed: list[str], hashes: Hashes | None = None) -> int:
    """Runs the jobs, or says what it would run. fixed: the overrides that all share; hashes: of jobs that go on longer.

    0: every job is finished, 1: not so, 128 + a signal. Raises UserError.
    """
    options = request.options
    refuse_by_hand([job.config for job in jobs], request.launcher.stack)
    if options.dry_run or options.estimate:
        record, grid = _plan(request, jobs, fixed)
        preview(Console(), record, grid.jobs, request.launcher, options.estimate)
        return 0
    with SweepFolder(request.folder).locked():
        record, grid = _plan(request, jobs, fixed, hashes)
        refuse_absent([grid.jobs[job.number].config for job in grid.unsettled()], request.launcher)
        return Sweep(request, record, grid).run()


def _plan(
    request: Request, jobs: Sequence[Job], fixed: list[str], hashes: Hashes | None = None
) -> tuple[SweepRecord, Grid]:
    """The sweep's record, as its folder has it where there is one, and its grid. Writes nothing."""
    record = open_record(request, fixed, jobs[0].config)
    ended = reopen(record, hashes or {})
    numbered = merge(request.folder, jobs, record.jobs)
    rebase(record, fixed, numbered)
    return record, Grid(request.folder, record, numbered, [RunFolder(request.folder / job.folder) for job in ended])
