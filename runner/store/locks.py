"""File locks between processes: who mirrors a folder, who creates a database, who trains."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

TRAINER = ".lock"  # held by the process that trains in a run folder
MIRROR = ".mlflow.lock"  # held by the process that mirrors it
SWEEP = ".sweep.lock"  # held by the process that runs a sweep, in the sweep's folder
POLL_S = 0.05


@contextmanager
def locked(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock file `path` for the block; TimeoutError if another process holds it for all of `wait_s` seconds."""
    with path.open("a") as file:
        _acquire(file.fileno(), time.monotonic() + wait_s, path)
        yield  # closing the file, or dying, gives the lock back


@contextmanager
def claimed(path: Path, wait_s: float, refusal: Exception) -> Iterator[None]:
    """The same, with an error of its own where another process holds it; what the block raises is left alone."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, wait_s))
        except TimeoutError:
            raise refusal from None
        yield


def _acquire(descriptor: int, deadline: float, path: Path) -> None:
    while not _try(descriptor):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} is held by another process")
        time.sleep(POLL_S)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file `path` now."""
    try:
        with path.open("r") as file:
            return not _try(file.fileno())
    except FileNotFoundError:
        return False
