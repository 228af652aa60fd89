"""What surrounds a run: alone with a terminal and a process of its own, or one of many in a sweep's worker."""

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from rich.console import Console

from duograd.data.dataset import DataSet
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.display import ending
from duograd.runner.engines import Engine
from duograd.runner.hooks import Hook
from duograd.runner.hooks.interruption import Interruption, Signals
from duograd.runner.progress_line import ProgressLine
from duograd.runner.redaction import redact
from duograd.runner.store.folders import RunFolder

LOG_WIDTH = 200  # columns of a log, at least


@dataclass(frozen=True)
class RunContext:
    """How a run is to behave. Nothing in here changes its result.

    console: where it prints. interruption: what ends it early. load: where its data comes from; engine: its engine.
    progress, ending: show its epochs, and how it ended.
    name, swept: given by a sweep. threads: for a backend that names no number. mirrored: by a follower of its own.
    drawn: its figures; without them only the facts that they would find. flags: that its command begins with.
    stacked: with how many runs, itself among them, its engine computes.
    project: where the command was given, which moves as a whole.
    """

    console: Console
    interruption: Interruption
    load: Callable[[RunConfig], DataSet] = build.data_set
    engine: Callable[[RunConfig, DataSet], Engine] = build.engine
    progress: Callable[[Console, Sequence[str]], Hook] = ProgressLine
    ending: Callable[[Console, RunFolder, Mapping[str, Any]], None] = ending
    name: str | None = None
    swept: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    stacked: int = 1
    mirrored: bool = True
    drawn: bool = True
    flags: Sequence[str] = ()
    project: Path = field(default_factory=Path.cwd)

    def threaded(self, config: RunConfig) -> RunConfig:
        """The configuration with this context's threads, unless it names its own."""
        if self.threads is None or config.backend.threads is not None:
            return config
        return config.model_copy(update={"backend": config.backend.model_copy(update={"threads": self.threads})})


def alone() -> RunContext:
    """A run by itself."""
    return RunContext(terminal(), Signals())


class Stdout:
    """Standard output, as long as it can be written: a reader that left, or hung up, does not end the work."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def rich_proxied_file(self) -> "Stdout":
        """What rich writes to while a live display of its own stands for sys.stdout: this, not what is behind it."""
        return self

    @property
    def _stream(self) -> Any:
        return getattr(sys.stdout, "rich_proxied_file", sys.stdout)

    def write(self, text: str) -> int:
        with self._silenced_by_loss():
            self._stream.write(redact(text))
        return len(text)

    def flush(self) -> None:
        with self._silenced_by_loss():
            self._stream.flush()

    @contextmanager
    def _silenced_by_loss(self) -> Iterator[None]:
        """After a failure everything goes nowhere, Python's own last flush included."""
        try:
            yield
        except OSError:
            with suppress(OSError, ValueError):  # ValueError: what stands for stdout has no descriptor
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class Terminal(Console):
    """A console on standard output that outlives its readers. What it prints for good, a journal can keep."""

    def __init__(self) -> None:
        stream: IO[str] = Stdout()  # type: ignore[assignment]
        super().__init__(file=stream)
        self.journal: logging.Logger | None = None

    def print(self, *objects: Any, end: str = "\n", **options: Any) -> None:
        super().print(*objects, end=end, **options)
        if self.journal and end == "\n":
            text = io.StringIO()
            Console(file=text, width=max(self.width, LOG_WIDTH), color_system=None).print(*objects, **options)
            for line in filter(str.strip, text.getvalue().splitlines()):
                self.journal.info("%s", line.rstrip())


def terminal() -> Terminal:
    """A console on standard output that outlives its readers."""
    return Terminal()


@contextmanager
def kept_in(journal: logging.Logger | None, console: Console) -> Iterator[None]:
    """What a terminal prints inside the block stands in the journal as well; in none, where that has it already."""
    if not isinstance(console, Terminal):
        yield
        return
    before, console.journal = console.journal, journal
    try:
        yield
    finally:
        console.journal = before


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A full disk is said once, by what fails because of it."""


@contextmanager
def logged_to(path: Path) -> Iterator[logging.Logger]:
    """A logger of the run's own, that writes to a file and is taken down again."""
    log, handler = logging.Logger("duograd"), _LogFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    finally:
        with suppress(OSError):
            handler.close()
