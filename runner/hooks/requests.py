"""Requests from outside to end a run: a file in its folder, or a signal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from runner.hooks import Hook
from runner.training import Floats, Interrupted, Training


class StopFile(Hook):
    """A file `stop` in the run folder ends the run after the epoch, as if it had been its last."""

    name = "stop_file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def epoch(self, training: Training, record: Floats) -> None:
        if self.path.exists():
            training.stop_reason = "the file 'stop' in the run folder"


class Signals(Hook):
    """Ctrl-C and SIGTERM end a run where its state is whole: after a step. A second one ends it at once."""

    name = "signals"
    caught: int | None = None

    def step(self, training: Training) -> None:
        if self.caught is not None:
            raise Interrupted(self.caught)

    def epoch(self, training: Training, record: Floats) -> None:
        self.step(training)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles both signals inside the block, as they were handled before after it."""
        previous = {s: signal.signal(s, self._handle) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for signum, handler in previous.items():
                signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            raise Interrupted(signum)
        self.caught = signum
