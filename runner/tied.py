"""A process that ends when the one who started it is gone, be it by SIGKILL: its standard input is a pipe that nobody
writes to, and whose end is the message.

`python -m duograd.runner.tied MODULE ARGUMENTS` is `python -m MODULE ARGUMENTS`, so tied.
"""

import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "duograd.runner.tied"


@contextmanager
def pipe() -> Iterator[int]:
    """The standard input of a tied process, which lives for the block at the longest."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def end_with_parent() -> None:
    """From now on this process, with its group where it leads one, is asked to end once its standard input does."""
    pipe = os.dup(0)  # no process that is started from here inherits it
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    threading.Thread(target=_end_after, args=(pipe,), daemon=True).start()


def _end_after(pipe: int) -> None:
    os.read(pipe, 1)
    end = os.killpg if os.getpgrp() == os.getpid() else os.kill
    end(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
