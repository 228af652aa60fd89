"""Which code this user has run before: by its digest, in a folder of the user's own, which no archive of a run reaches.

A run folder says of itself what it likes; that its code is the user's is believed of this record alone.
"""

import os
from contextlib import suppress
from pathlib import Path

from duograd.runner.own.code import Code


def remember(code: Code) -> None:
    """From now on the code is familiar; where the record cannot be written, it stays a stranger's."""
    with suppress(OSError):
        _record().mkdir(mode=0o700, parents=True, exist_ok=True)
        (_record() / code.digest).touch(mode=0o600)


def is_familiar(code: Code) -> bool:
    """Whether this user has run it: by the name of its file, or because it was trusted."""
    try:
        return (_record() / code.digest).is_file()
    except OSError:
        return False


def _record() -> Path:
    """$XDG_STATE_HOME/duograd/code, an empty file for each digest."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if Path(state).is_absolute() else Path("~/.local/state").expanduser()) / "duograd" / "code"
