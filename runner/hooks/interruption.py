"""Ctrl-C and its kin: a run ends where its state is whole, and can be resumed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from duograd.runner.hooks import Hook
from duograd.runner.signals import handled_by
from duograd.runner.training import Floats, Interrupted, Training


class Interruption(Hook):
    """Ends a run where its state is whole: after a step. `caught` is the signal that it ends with."""

    name = "signals"  # in checkpoints: a job of a sweep can be resumed alone, and the other way round
    caught: int | None = None

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
    """Ctrl-C and SIGTERM. A second one ends the run at once."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles both signals inside the block, as they were handled before after it."""
        with handled_by(self._handle, signal.SIGINT, signal.SIGTERM):
            yield

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            raise Interrupted(signum)
        self.caught = signum


class EndFile(Interruption):
    """A file stands for Ctrl-C: a job of a sweep is no main thread, and may be on another machine than the terminal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def step(self, training: Training) -> None:
        if self.path.exists():
            self.caught = signal.SIGINT
        super().step(training)
