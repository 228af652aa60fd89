"""Jobs on a cluster: hand one out, hear of each as it ends. Nothing in here knows which jobs there are, or why."""

import queue
import time
import uuid
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
    """Up to as many jobs at a time as there are workers."""

    def __init__(self, workers: Workers) -> None:
        self._place, self._client = workers, workers.client
        self._futures: dict[Any, tuple[int, Future[Any]]] = {}
        self._done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._workers, self._looked = 1, 0.0
        self._deserted: float | None = None  # since when there is no worker
        self._client.register_plugin(Warm())

    @property
    def running(self) -> list[int]:
        """The numbers of the jobs that are out, the first first."""
        return [number for number, _ in self._futures.values()]

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

    def submit(self, number: int, task: Task) -> None:
        """Hands the job to the cluster."""
        future = self._client.submit(work, task, key=f"duograd-{uuid.uuid4().hex}", pure=False, retries=0)
        self._futures[future.key] = number, future
        future.add_done_callback(self._done.put)

    def ended(self, timeout: float) -> list[Ended]:
        """The jobs that have ended, after waiting up to `timeout` seconds for a first one. Raises UserError."""
        ended = []
        try:
            ended.append(self._settle(self._done.get(timeout=timeout)))
            while True:
                ended.append(self._settle(self._done.get_nowait()))
        except queue.Empty:
            pass
        if self._client.status != "running":
            raise UserError(GONE)
        self._look()
        return ended

    def _settle(self, future: Future[Any]) -> Ended:
        """Lets go of a result at once: one still held by a worker that dies would be computed again."""
        number, _ = self._futures.pop(future.key)
        try:
            if future.status == "finished":
                return Ended(number, future.result())
            error = future.exception() if future.status == "error" else None
            return Ended(number, DIED if isinstance(error, KilledWorker | None) else f"its worker failed: {error}")
        finally:
            future.release()
