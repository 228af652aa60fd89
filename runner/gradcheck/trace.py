"""What a function computes, line by line: every value of its arrays."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from duograd.runner.gradcheck.source import Source, Statement
from duograd.runner.gradcheck.versions import Access, Version, root

MOST_VERSIONS = 4000  # of one pass; what a long loop leaves beyond is not recorded
MOST_OF_A_LINE = 80  # versions of one name at one line
DEPTH = 2  # containers inside containers


class TooLongError(Exception):
    """A pass with more events than can be followed."""


def is_value(value: object) -> bool:
    """Whether something can have a gradient: float arrays, and float numbers."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "f" and value.size > 0)
    return isinstance(value, float | np.floating)


def values(name: str, value: object, depth: int = DEPTH) -> Iterator[tuple[Access, Any]]:
    """The values in a variable: itself, those of a list, a dict or an object's attributes."""
    if is_value(value):
        yield (name,), value
    elif depth and isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str | int):
                yield from (((name, *inner), v) for inner, v in values(key, item, depth - 1))  # type: ignore[arg-type]
    elif depth and isinstance(value, list) and len(value) <= MOST_OF_A_LINE:
        for index, item in enumerate(value):
            yield from (((name, *inner), v) for inner, v in values(index, item, depth - 1))  # type: ignore[arg-type]
    elif depth and (name == "self" or _is_open(value)) and hasattr(value, "__dict__"):
        for key, item in vars(value).items():
            yield from (((name, *inner), v) for inner, v in values(f".{key}", item, depth - 1))


def _is_open(value: object) -> bool:
    """Whether it is an object whose attributes are looked at: self, a cache, a context."""
    return hasattr(value, "__dict__") and not callable(value) and not isinstance(value, ModuleType)


@dataclass
class _Frame:
    """A call under way: the line that is being executed, and what each of its values was before it."""

    number: int
    line: int = 0
    began: int = 0  # versions that there were when the line began
    before: dict[Access, tuple[int, bytes]] = field(default_factory=dict)
    latest: dict[str, dict[Access, Version]] = field(default_factory=dict)


class Recorder:
    """Follows all functions of some files while they run. Use as a context; `versions` then holds what they made."""

    def __init__(self, sources: dict[str, Source], limit: int = 400_000) -> None:
        self.sources, self.limit = sources, limit
        self.versions: list[Version] = []
        self.numbers: dict[str, float] = {}  # whole ones, such as N and stride
        self.phase = "forward"
        self.step = 0
        self._calls = 0
        self._frames: dict[FrameType, _Frame] = {}
        self._counts: dict[tuple[object, ...], int] = {}

    def __enter__(self) -> "Recorder":
        self._previous = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._previous)
        self._frames.clear()

    def _enter(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if not followed(frame, self.sources):
            return None
        self._calls += 1
        self.step += 1
        self._frames[frame] = _Frame(self._calls, began=len(self.versions))
        self._look(frame)
        return self._local

    def _local(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        if event in ("line", "return"):
            self.step += 1
            if self.step > self.limit:
                raise TooLongError
            self._look(frame)
            state = self._frames[frame]
            if event == "return":
                self._returned(frame, arg)
                del self._frames[frame]
            else:
                state.line, state.began = frame.f_lineno, len(self.versions)
        return self._local

    def _look(self, frame: FrameType) -> None:
        """Records what the line that has just ended changed."""
        state = self._frames[frame]
        statement = self.sources[frame.f_code.co_filename].statement(state.line) if state.line else None
        touched = None if statement is None else statement.reads | statement.writes
        reads = self._reads(state, statement)
        for name, held in list(frame.f_locals.items()):
            if touched is not None and name not in touched and not (name == "self" and held is not None):
                continue
            if isinstance(held, int | np.integer) and not isinstance(held, bool):
                self.numbers[name] = float(held)
            for access, value in values(name, held):
                if touched is not None and name == "self" and root(access) not in touched and "self" not in touched:
                    continue
                mark = (id(value), np.asarray(value).tobytes())
                if state.before.get(access) == mark:
                    continue
                first = access not in state.before
                state.before[access] = mark
                if first and name in frame.f_code.co_freevars and state.line == 0:
                    continue  # another function's: it is known from there
                self._add(frame, state, access, statement.line if statement else state.line, value, reads)

    def _reads(self, state: _Frame, statement: Statement | None) -> tuple[Version, ...]:
        """What a statement's values were made of: names of its own function, and all that it called."""
        if statement is None:
            return ()
        own = [v for name in sorted(statement.reads) for v in state.latest.get(name, {}).values()]
        called = [v for v in self.versions[state.began :] if v.call != state.number]
        return (*own, *called[-40:])

    def _returned(self, frame: FrameType, value: object) -> None:
        """What a function returns without ever having given it a name."""
        state = self._frames[frame]
        statement = self.sources[frame.f_code.co_filename].statement(state.line) if state.line else None
        known = {id(v.held) for v in self.versions if v.call == state.number and v.line}
        items = enumerate(value) if isinstance(value, tuple) else [(0, value)]
        for index, item in items:
            for access, inner in values(f"return {index + 1}", item):
                if id(inner) not in known:
                    line = statement.line if statement else state.line
                    self._add(frame, state, access, line, inner, self._reads(state, statement))

    def _add(
        self, frame: FrameType, state: _Frame, access: Access, line: int, value: Any, reads: tuple[Version, ...]
    ) -> None:
        known = state.latest.setdefault(root(access), {})
        last = known.get(access)
        if last is not None and last.held is value and last.line == line and isinstance(value, np.ndarray):
            last.step, last.value = self.step, value.copy()  # filled in a loop: the last state counts
            last.reads = tuple(dict.fromkeys((*reads, *last.reads)))[:60]
            return
        key = (frame.f_code.co_name, line, *(part for part in access if isinstance(part, str)))
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] > MOST_OF_A_LINE or len(self.versions) >= MOST_VERSIONS:
            return
        number = not isinstance(value, np.ndarray)
        copy = np.array(value, dtype=np.float64 if number else None, copy=True)
        version = Version(
            step=self.step,
            call=state.number,
            owner=frame.f_code.co_name,
            access=access,
            line=line,
            value=copy,
            scalar=number,
            phase=self.phase,
            reads=reads,
            order=len(self.versions),
            held=value,
            file=frame.f_code.co_filename,
        )
        known[access] = version
        self.versions.append(version)


def followed(frame: FrameType, sources: dict[str, Source]) -> bool:
    """Whether a call is of the user's files, and no comprehension or class body."""
    code = frame.f_code
    return code.co_filename in sources and (not code.co_name.startswith("<") or code.co_name == "<lambda>")
