"""Threads: fixed parts of the work, done side by side, with the same bits for any number of threads.

The parts depend on sizes alone, what is summed over them is summed in their order, and BLAS has one thread inside of
each: `with threads.single_blas_thread():` around a whole step sees to that.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cached_property, partial, reduce
from typing import Any, Generic, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from duograd.models.arrays import Array

T = TypeVar("T")
SHARES = 4  # of a batch that is large enough: so many threads can help. Part of the result.
FEW = 2  # shares of a batch of images: of smaller ones, handing over takes longer than threads gain
LARGE = 2**20  # values of which a pass is worth sharing out


def thread_environment(count: int) -> dict[str, str]:
    """What tells the libraries of a process that is yet to start how many threads to have."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(count))


class Threads:
    """A few threads: `count`, or one a core of the machine, but not above `most`. Results do not depend on it."""

    def __init__(self, count: int | None = None, most: int | None = None) -> None:
        count = count or os.cpu_count() or 1
        self.count = min(count, most or count)
        self._blas = ThreadpoolController()

    def map(self, work: Callable[..., T], *parts: Iterable[Any]) -> list[T]:
        """work(part, …) of every part, in their order whatever thread does them; raises what one of them raised.

        The calling thread works too, from the first part on, helpers from the last: so either finds in its cache what
        it made of the same parts before. On a busy machine it may have done all before a helper gets a core: that
        helper is not waited for.
        """
        jobs = list(zip(*parts, strict=True))
        waiting, done = deque(range(len(jobs))), dict[int, T]()

        def work_on(take: Callable[[], int]) -> None:
            while True:
                try:
                    i = take()
                except IndexError:
                    return
                done[i] = work(*jobs[i])

        helpers = [self._pool.submit(work_on, waiting.pop) for _ in range(min(self.count, len(jobs)) - 1)]
        try:
            work_on(waiting.popleft)
        finally:
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()
        return [done[i] for i in range(len(jobs))]

    @contextmanager
    def single_blas_thread(self) -> Iterator[None]:
        """BLAS on one thread: more would wait for each other, and might change the last bits. Floating-point warnings
        are off, as in the helpers: gates saturate by way of infinity."""
        with self._blas.limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
            yield

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return _quiet_pool(max(1, self.count - 1))


class Background:
    """Does jobs beside the caller, in their order, on one thread of its own; or at once, where it may have none."""

    def __init__(self, thread: bool) -> None:
        self.thread = thread
        self._jobs: list[Future[None]] = []

    def submit(self, job: Callable[..., None], *args: Any) -> None:
        """Has job(*args) done after those before it."""
        if self.thread:
            self._jobs.append(self._pool.submit(job, *args))
        else:
            job(*args)

    def wait(self) -> None:
        """Returns when all jobs are done; raises what one of them raised."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.result()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return _quiet_pool(1)


class Scratch(Generic[T]):
    """What only one thread at a time may use, such as buffers: made when needed, so that there is one a thread."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._free: deque[T] = deque()

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """One that nobody else uses meanwhile."""
        try:
            scratch = self._free.pop()
        except IndexError:
            scratch = self._make()
        try:
            yield scratch
        finally:
            self._free.append(scratch)


def map_parts(threads: Threads | None, work: Callable[..., T], *parts: Iterable[Any]) -> list[T]:
    """work(part, …) of every part, in order: on the threads, or on the calling one where there are none."""
    return [work(*job) for job in zip(*parts, strict=True)] if threads is None else threads.map(work, *parts)


def enough(threads: Threads | None, values: int) -> Threads | None:
    """The threads, where a pass over so many values gains by them: to wake one takes 40 to 100 µs."""
    return threads if values >= LARGE else None


def shares(n: int, most: int, multiple: int = SHARES) -> list[slice]:
    """0 … n in nearly equal parts of at most `most`, at least one: a multiple of so many, if n is that large."""
    count = max(1, min(n, multiple * max(1, -(-n // (multiple * most)))))
    return [slice(n * i // count, n * (i + 1) // count) for i in range(count)]


def sample_shares(x: Array, values: int, multiple: int = SHARES) -> list[slice]:
    """The samples of x (B, …) in parts of at most so many values, where a sample has not more."""
    return shares(len(x), max(1, values // max(1, math.prod(x.shape[1:]))), multiple)


def ordered_sum(arrays: Iterable[Array]) -> Array:
    """Σ of the parts' arrays, from the first to the last."""
    return reduce(np.add, arrays)


def _quiet_pool(count: int) -> ThreadPoolExecutor:
    """Threads that do not warn: overflow ends in a loss that is not finite, which the loop tells."""
    return ThreadPoolExecutor(count, "duograd", initializer=partial(np.seterr, all="ignore"))
