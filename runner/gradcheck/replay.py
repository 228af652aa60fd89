"""A pass run again, stopped where one of its values was made, and that value changed."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import numpy as np

from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.trace import followed
from duograd.runner.gradcheck.versions import Access, Array, Version, reach

Change = tuple[Version, Callable[[Array], Array]]
"""A value, and what it becomes."""


class Replay:
    """Runs on until each of some values was made, changes it, and follows no further."""

    def __init__(self, sources: dict[str, Source], changes: Sequence[Change]) -> None:
        self.sources, self.step = sources, 0
        self.changes: dict[int, list[Change]] = {}
        for version, make in changes:
            self.changes.setdefault(version.step, []).append((version, make))

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
        for version, make in self.changes.pop(self.step, ()):
            # a value that is no more where it was, or that nothing may change, stays
            with suppress(KeyError, AttributeError, TypeError, ValueError, IndexError):
                put(frame, version.access, make)
        if not self.changes:
            sys.settrace(None)


def put(frame: FrameType, access: Access, make: Callable[[Array], Array]) -> None:
    """Changes a value where it stands: an array in place, a number by binding it anew."""
    first, *rest = access
    value = reach(frame.f_locals[str(first)], tuple(rest))
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = make(value)
        return
    changed = type(value)(make(np.asarray(value)))
    if not rest:
        frame.f_locals[str(first)] = changed
        return
    holder, last = reach(frame.f_locals[str(first)], tuple(rest[:-1])), rest[-1]
    if isinstance(last, str) and last.startswith("."):
        setattr(holder, last[1:], changed)
    else:
        holder[last] = changed
