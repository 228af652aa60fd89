"""What others may read: addresses without their passwords, and paths without the name of whose home they lie in."""

import json
import os
import re
from contextlib import AbstractContextManager, ExitStack, redirect_stderr, redirect_stdout
from functools import cache
from typing import IO, Any
from urllib.parse import quote

from duograd.runner.errors import mask

HOME = "DUOGRAD_HOME"  # in the environment: the user's home, where HOME is withheld from a process


def redact(text: str) -> str:
    """The text with passwords masked and the home as ~, also inside of JSON and of addresses (`sqlite:///~/x.db`)."""
    pattern = _pattern(os.environ.get(HOME) or os.path.expanduser("~"))  # noqa: PTH111 - pathlib raises without one
    return mask(text) if pattern is None else pattern.sub("~", mask(text))


@cache
def _pattern(home: str) -> re.Pattern[str] | None:
    """A home as a whole, or where a path goes on; None where there is no home, or it is the root of all."""
    homes = {path.rstrip("/") for path in (home, os.path.realpath(home)) if path.startswith("/")} - {""}
    forms = {form for path in homes for form in (path, quote(path), json.dumps(path)[1:-1])}
    either = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.~-])(?:{either})(?![\w-]|\.\w)") if forms else None


class RedactedStream:
    """A text stream through which everything is redacted. It is the stream beneath in all else."""

    def __init__(self, stream: IO[str]) -> None:
        self._beneath = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._beneath, name)

    def write(self, text: str) -> int:
        self._beneath.write(redact(text))
        return len(text)


def redacted_streams(out: IO[str], err: IO[str]) -> AbstractContextManager[object]:
    """While the block lasts, what is printed to standard output and standard error is redacted."""
    stack = ExitStack()
    stack.enter_context(redirect_stdout(RedactedStream(out)))
    stack.enter_context(redirect_stderr(RedactedStream(err)))
    return stack
