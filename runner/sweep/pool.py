"""Jobs on a cluster: hand one out, hear of each as it ends. Nothing in here knows which jobs there are, or why."""

import queue
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distributed import Future, KilledWorker

from duograd.runner.errors import UserError
from duograd.runner.store.records import DIED
from duograd.runner.sweep.cluster import Workers
from duograd.runner.sweep.worker import Task, Warm, work

GONE = "the scheduler went away: start it again, then go on with duograd resume"
LOOK_SECONDS = 2.0  # between two looks at how many workers there are


@dataclass(frozen=True)
class Ended:
    """A job that came back from its worker, and what went wrong beyond what its folder says."""

    number: int
    error: str | None


class Pool:
    """Up to as many jobs at a time as there are workers, or stacks of jobs."""

    def __init__(self, workers: Workers) -> None:
        self._place, self._client = workers, workers.client
        self._futures: dict[Any, dict[str, int]] = {}  # by key, the jobs of each that are out, by their attempts
        self._done: queue.SimpleQueue[Future[Any] | tuple[str, str | None]] = queue.SimpleQueue()
        self._topic = f"duograd-{uuid.uuid4().hex}"
        self._client.subscribe_topic(self._topic, lambda event: self._done.put(tuple(event[1])))
        self._workers, self._looked = 1, 0.0
        self._deserted: float | None = None  # since when there is no worker
        self._client.register_plugin(Warm(workers.gpus))

    @property
    def running(self) -> list[int]:
        """The numbers of the jobs that are out, the first first."""
        return [number for jobs in self._futures.values() for number in jobs.values()]

    @property
    def free(self) -> bool:
        """Whether another job would find a worker. Without any worker one job waits for the first to come."""
        self._look()
        return len(self._futures) < max(1, self._workers)

    def waiting(self) -> str | None:
        """What it waits for, where no worker is left."""
        return None if self._deserted is None else self._place.waiting()

    def _look(self) -> None:
        """Counts workers. Raises UserError where there has been none for too long, or no scheduler."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        try:
            self._workers, self._looked = len(self._client.nthreads()), now
        except OSError:
            raise UserError(GONE) from None
        self._deserted = None if self._workers else self._deserted or now
        patience, address = self._place.patience, self._place.address
        if self._deserted is not None and patience is not None and now - self._deserted > patience:
            raise UserError(
                f"no worker is left at {address}: start some with 'dask worker {address} --nthreads 1', "
                "then go on with duograd resume"
            )

    def submit(self, tasks: Mapping[int, Task]) -> None:
        """Hands jobs to the cluster by their numbers, to be trained as one where they are several."""
        key = f"duograd-{uuid.uuid4().hex}"
        self._futures[key] = {task.attempt: number for number, task in tasks.items()}
        sent = list(tasks.values()), self._topic
        future = self._client.submit(work, *sent, key=key, pure=False, retries=0)
        future.add_done_callback(self._done.put)

    def ended(self, timeout: float) -> list[Ended]:
        """The jobs that have ended, after waiting up to `timeout` seconds for a first one. Raises UserError."""
        ended = []
        try:
            ended += self._settle(self._done.get(timeout=timeout))
            while True:
                ended += self._settle(self._done.get_nowait())
        except queue.Empty:
            pass
        if self._client.status != "running":
            raise UserError(GONE)
        self._look()
        return ended

    def _settle(self, end: "Future[Any] | tuple[str, str | None]") -> list[Ended]:
        """What one job of a stack says as it ends, or what became of all that were sent together."""
        if isinstance(end, tuple):
            attempt, error = end
            numbers = [jobs.pop(attempt) for jobs in self._futures.values() if attempt in jobs]
            return [Ended(number, error) for number in numbers]
        errors = _errors(end)
        return [
            Ended(number, errors if isinstance(errors, str) else errors.get(attempt))
            for attempt, number in self._futures.pop(end.key).items()
        ]


def _errors(future: Future[Any]) -> dict[str, str | None] | str:
    """What went wrong with each job, by its attempt, or with all of them.

    Lets go of a result at once: one still held by a worker that dies would be computed again.
    """
    try:
        if future.status == "finished":
            return dict(future.result())
        error = future.exception() if future.status == "error" else None
        return DIED if isinstance(error, KilledWorker | None) else f"its worker failed: {error}"
    finally:
        future.release()
