"""Ctrl-C, SIGTERM and a closed terminal, while a sweep goes on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from duograd.runner.signals import handled_by

HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """The first signal is a request (`caught`); a second one is KeyboardInterrupt, at once."""

    caught: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles the signals inside the block, as they were handled before after it."""
        with handled_by(self._handle, *HEARD):
            yield

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            raise KeyboardInterrupt
        self.caught = signum
