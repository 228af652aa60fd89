"""Signals that ask a run or a sweep to end: the first is a request, and the work ends where its state is whole."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a polite kill, a closed terminal
SAME_S = 1.0  # signals so close together are one: terminals, shells and supervisors send several


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], object], *signals: signal.Signals) -> Iterator[None]:
    """The signals go to the handler inside the block, and where they went before after it. For main threads only.

    One that is ignored stays so: `nohup` means it.
    """
    heeded = [signum for signum in signals if signal.getsignal(signum) is not signal.SIG_IGN]
    before = {signum: signal.signal(signum, handler) for signum in heeded}
    try:
        yield
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)


class Request:
    """The signal that asked for the end, if one has. `at_once` makes what a later one raises, wherever it comes."""

    def __init__(self, at_once: Callable[[int], BaseException]) -> None:
        self.caught: int | None = None
        self._since = 0.0
        self._at_once = at_once

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Signals inside the block are requests; after it they are what they were before."""
        with handled_by(self._handle, *ENDING):
            yield

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.caught is None:
            self.caught, self._since = signum, time.monotonic()
        elif time.monotonic() - self._since > SAME_S:
            raise self._at_once(signum)
