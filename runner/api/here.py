"""Training in this process, whatever called it: a script, a thread, a notebook, a test."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from duograd.runner.api import notebook
from duograd.runner.context import RunContext, terminal
from duograd.runner.errors import UserError, system_fault
from duograd.runner.hooks.interruption import Interruption, Signals


def context(progress: bool) -> RunContext:
    """How a run behaves here. progress: prints what the command prints, in a notebook as one can show it."""
    if not progress:
        return RunContext(Console(quiet=True), interruption())
    if not notebook.in_notebook():
        return RunContext(terminal(), interruption())
    return RunContext(
        notebook.console(), interruption(), progress=notebook.NotebookLine, ending=notebook.unfinished_ending
    )


def interruption() -> Interruption:
    """Signals in the main thread, which alone may handle them; nothing in any other."""
    return Signals() if threading.current_thread() is threading.main_thread() else Interruption()


@contextmanager
def training(around: RunContext) -> Iterator[None]:
    """Inside, a run trains; a signal that ended it then goes to whoever handles it here: Ctrl-C, KeyboardInterrupt.

    Raises UserError for what the operating system refuses.
    """
    try:
        yield
    except OSError as error:
        raise UserError(system_fault(error)) from None
    if around.interruption.caught is not None:
        signal.raise_signal(around.interruption.caught)
