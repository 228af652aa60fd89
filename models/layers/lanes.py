"""Lanes: shares of a batch, worked on side by side by a few threads, with the same bits for any number of them.

The shares depend on sizes alone, what is summed over them is summed in their order, and BLAS has one thread inside of
each: `with lanes.calm():` around a whole step sees to that.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cached_property, partial, reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

Array = NDArray[Any]
T = TypeVar("T")
SHARES = 4  # of a batch that is large enough: so many threads can help. Part of the result.


class Lanes:
    """A few threads. None takes the machine's cores; the result of what they do does not depend on their number."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or os.cpu_count() or 1
        self._blas = ThreadpoolController()

    def map(self, work: Callable[..., T], *parts: Iterable[Any]) -> list[T]:
        """work(part, …) of every part, in their order whatever thread does them; raises what one of them raised.

        The calling thread works too. On a busy machine it may have done all before a helper gets a core: that helper
        is not waited for.
        """
        jobs = list(zip(*parts, strict=True))
        waiting, done = deque(range(len(jobs))), dict[int, T]()

        def lane() -> None:
            while True:
                try:
                    i = waiting.popleft()
                except IndexError:
                    return
                done[i] = work(*jobs[i])

        helpers = [self._pool.submit(lane) for _ in range(min(self.threads, len(jobs)) - 1)]
        try:
            lane()
        finally:
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()
        return [done[i] for i in range(len(jobs))]

    @contextmanager
    def calm(self) -> Iterator[None]:
        """BLAS on one thread: more would wait for each other, and might change the last bits."""
        with self._blas.limit(limits=1, user_api="blas"):
            yield

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        quiet = partial(np.seterr, all="ignore")  # overflow ends in a loss that is not finite, which the loop tells
        return ThreadPoolExecutor(max(1, self.threads - 1), "lane", initializer=quiet)


def over(workers: Lanes | None, work: Callable[..., T], *parts: Iterable[Any]) -> list[T]:
    """work(part, …) of every part, in order: by the lanes, or by the calling thread where there are none."""
    return [work(*job) for job in zip(*parts, strict=True)] if workers is None else workers.map(work, *parts)


def shares(n: int, most: int) -> list[slice]:
    """0 … n in nearly equal parts of at most `most`: a multiple of SHARES of them, if n is that large."""
    count = min(n, SHARES * max(1, -(-n // (SHARES * most))))
    return [slice(n * i // count, n * (i + 1) // count) for i in range(count)]


def in_order(arrays: Iterable[Array]) -> Array:
    """Σ of the lanes' arrays, from the first to the last."""
    return reduce(np.add, arrays)
