"""Code of the user's that raised: one line that says where and who called it, and the traceback from its first line."""

import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from duograd.runner.errors import UserError


class OwnCodeError(UserError):
    """traceback: from the first line of the user's own code on."""

    def __init__(self, line: str, text: str) -> None:
        super().__init__(line)
        self.traceback = text


@contextmanager
def own_faults(files: Callable[[], Collection[str]]) -> Iterator[None]:
    """What these files raise in the block is an OwnCodeError; what duograd raises, through them or not, stays.

    A file that ends the process ends its import alone.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        fault = None if type(error).__module__.startswith("duograd.") else fault_of(error, files())
        if fault is None:
            raise
        raise fault from None


def fault_of(error: BaseException, files: Collection[str]) -> OwnCodeError | None:
    """The fault of a user's code that an exception went through; None where it went through none."""
    caller: FrameType | None = None
    step: TracebackType | None = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename not in files:
        caller, step = step.tb_frame, step.tb_next
    if step is None:
        return None
    text = "".join(traceback.format_exception(type(error), error, step))
    where = step.tb_frame.f_code
    inside = "" if where.co_name == "<module>" else f", in {where.co_qualname}"
    hook = f", called by duograd's {_hook(caller)}" if caller and inside else ", while it was imported"
    name = Path(where.co_filename).name
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return OwnCodeError(f"{name}, line {step.tb_lineno}{inside}{hook}: {what}", text)


def _hook(caller: FrameType) -> str:
    return caller.f_code.co_qualname.replace(".<locals>", "")
