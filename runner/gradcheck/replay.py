"""A pass run again, stopped where one of its values was made, and that value changed."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.trace import Access, Array, followed, reach


class Replay:
    """Runs on until a step, hands the frame to `change`, and follows no further."""

    def __init__(self, sources: dict[str, Source], changes: dict[int, Callable[[FrameType], None]]) -> None:
        self.sources, self.changes = sources, dict(changes)
        self.step = 0

    def __enter__(self) -> "Replay":
        self._previous = sys.gettrace()
        if self.changes:
            sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._previous)

    def _enter(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if not followed(frame, self.sources):
            return None
        self._count(frame)
        return self._local

    def _local(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        if event in ("line", "return"):
            self._count(frame)
        return self._local

    def _count(self, frame: FrameType) -> None:
        self.step += 1
        change = self.changes.pop(self.step, None)
        if change is not None:
            change(frame)
            if not self.changes:
                sys.settrace(None)


def put(frame: FrameType, access: Access, make: Callable[[Array], Array]) -> bool:
    """Changes a value where it stands: an array in place, a number by binding it anew. Whether it could be."""
    first, *rest = access
    value = reach(frame.f_locals[str(first)], tuple(rest))
    if isinstance(value, np.ndarray):
        if not value.flags.writeable:
            return False
        value[...] = make(value)
        return True
    changed = type(value)(make(np.asarray(value)))
    if not rest:
        frame.f_locals[str(first)] = changed
        return True
    holder, last = reach(frame.f_locals[str(first)], tuple(rest[:-1])), rest[-1]
    if isinstance(last, str) and last.startswith("."):
        setattr(holder, last[1:], changed)
    else:
        holder[last] = changed
    return True
