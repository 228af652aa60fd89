"""Ctrl-C and its kin: a run ends where its state is whole, and can be resumed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from duograd.runner.hooks import Hook
from duograd.runner.signals import Request
from duograd.runner.training import Floats, Interrupted, Training


class Interruption(Hook):
    """Ends a run where its state is whole: after a step. `caught` is the signal that it ends with."""

    name = "signals"  # in checkpoints: a job of a sweep can be resumed alone, and the other way round

    @property
    def caught(self) -> int | None:
        return None

    def step(self, training: Training) -> None:
        if self.caught is not None:
            raise Interrupted(self.caught)

    def epoch(self, training: Training, record: Floats) -> None:
        self.step(training)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Requests inside the block are heard."""
        yield


class Signals(Interruption):
    """Signals to the process. A later one ends the run at once, wherever it is: nothing is saved then."""

    def __init__(self) -> None:
        self._request = Request(partial(Interrupted, whole=False))

    @property
    def caught(self) -> int | None:
        return self._request.caught

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles signals inside the block, as they were handled before after it."""
        with self._request.listening():
            yield


class EndFile(Interruption):
    """A file stands for Ctrl-C: a job of a sweep is no main thread, and may be on another machine than the terminal.

    leaving: whether the process is about to be ended anyway.
    """

    def __init__(self, path: Path, leaving: Callable[[], bool] = lambda: False) -> None:
        self.path, self._leaving = path, leaving
        self._seen = False

    @property
    def caught(self) -> int | None:
        """SIGINT, once a step has seen the file: that the sweep removes it afterwards changes nothing."""
        return signal.SIGINT if self._seen else None

    def step(self, training: Training) -> None:
        self._seen = self._seen or self.path.exists() or self._leaving()
        super().step(training)
