"""A terminal in which a command runs: what was on its screen, as text, whenever that changed."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte
from patience import HANGING_S


@dataclass(frozen=True)
class Shown:
    """screens: one after the other, each its lines without spaces at their ends. last: what is left on it."""

    screens: list[list[str]]
    code: int

    @property
    def last(self) -> list[str]:
        return self.screens[-1]

    def lines(self, start: str) -> list[str]:
        """Every line that began so, as it was when it was new."""
        return list(dict.fromkeys(line for screen in self.screens for line in screen if line.startswith(start)))


def on_screen(arguments: Sequence[str], size: tuple[int, int], here: Path, **environ: str) -> Shown:
    """Runs duograd in a pseudo-terminal of so many columns and lines, started in a directory."""
    columns, rows = size
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "duograd", *arguments],
        cwd=here,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **environ},
        start_new_session=True,
    )
    os.close(theirs)
    screens = list[list[str]]()
    while (content := _read(ours)) is not None:
        for part in re.split(rb"(?=\r)", content):  # after a return something else is written over the line
            stream.feed(part)
            lines = [line.rstrip() for line in screen.display]
            if not screens or lines != screens[-1]:
                screens.append(lines)
    os.close(ours)
    return Shown(screens, process.wait(HANGING_S))


def _read(terminal: int) -> bytes | None:
    """What came next; None after the end."""
    ready, _, _ = select.select([terminal], [], [], HANGING_S)
    assert ready, "the command says nothing any more"
    try:
        return os.read(terminal, 1 << 12) or None
    except OSError:  # the other end is closed
        return None
