"""What a sweep asks of whatever thinks of its jobs: a grid (grid.py) or a search (search.py)."""

from typing import Protocol

from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.plan import Job
from duograd.runner.sweep.progress import Progress


class JobQueue(Protocol):
    """Jobs while they run. A new job's record is added to the sweep's before the job is handed out."""

    def ask(self) -> tuple[JobRecord, Job] | None:
        """The next job; None for none now. When no job is out either, that is the end."""
        ...

    def tell(self, record: JobRecord) -> None:
        """A job has ended, as its record says."""
        ...

    def should_prune(self, record: JobRecord, progress: Progress) -> bool:
        """Whether a job that is out should end after its epoch, and be called PRUNED."""
        ...


class JobSource(Protocol):
    """Jobs in the life of a sweep: start comes before sweep.json is written, finish after all jobs have ended."""

    def remaining(self) -> int:
        """How many jobs are still to be run, at the most."""
        ...

    def title(self) -> str:
        """`sweep of 9 jobs, 3 of them finished already`."""
        ...

    def start(self) -> JobQueue:
        """Opens what it needs, writes what must stand in the folder first."""
        ...

    def complete(self) -> bool:
        """Whether nothing is left to be done, by the records of the jobs."""
        ...

    def finish(self) -> None:
        """Writes what it has to say of the whole."""
        ...
