"""What a person sees in Jupyter: a line that is updated in place, and plain text."""

import sys
import time
from collections.abc import Mapping
from html import escape
from typing import Any

from rich.console import Console

from duograd.runner.api.sweep_process import WIDTH
from duograd.runner.context import Stdout
from duograd.runner.display import ending
from duograd.runner.progress_line import APART, ProgressLine, fit
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Floats, Training

UPDATE_SECONDS = 0.2


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def console() -> Console:
    """A console that prints into the output of a cell, without the control characters of a terminal."""
    stream: Any = Stdout()
    return Console(file=stream, width=WIDTH, color_system=None, force_terminal=False, force_jupyter=False)


def unfinished_ending(console: Console, folder: RunFolder, summary: Mapping[str, Any]) -> None:
    """How a run ended, unless it has finished: then the Run shows itself."""
    if summary["status"] != "FINISHED":
        ending(console, folder, summary)


class Bar:
    """A bar with a line beside it, in the output of a cell; updated in place, some times a second."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = 0.0

    def update(self, share: float, line: str, now: bool = False) -> None:
        """share: what is done, 0 to 1. now: however short a time ago the last update was."""
        if not now and time.monotonic() - self._last < UPDATE_SECONDS:
            return
        from IPython import display

        self._last = time.monotonic()
        bar = f'<progress value="{share:.4f}" style="width:12em;vertical-align:middle"></progress>'
        content = {"text/html": f"{bar} <code>{escape(line)}</code>", "text/plain": line}
        if self._handle is None:
            show: Any = display.display
            self._handle = show(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


class NotebookLine(ProgressLine):
    """The line of a training, in the output of a cell."""

    def start(self, training: Training) -> None:
        super().start(training)
        self._bar = Bar()

    def step(self, training: Training) -> None:
        self._show()

    def epoch(self, training: Training, record: Floats) -> None:
        self._record = record
        self._pace.mark(self._clock(), training.epoch)
        self._show(now=training.ended)

    def _show(self, now: bool = False) -> None:
        line = APART.join(part.text for part in fit(self._parts(), self.console.width))
        self._bar.update(self._done / self._training.plan.epochs, line, now)
