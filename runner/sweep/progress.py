"""How far jobs are, read from their folders while they go on."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duograd.runner.folder import RunFolder

TAIL = 4096  # bytes, enough for the last line of metrics.jsonl


@dataclass
class Progress:
    """A job that is out. epochs: that it is to train; began: by the clock of this process; first: where it began."""

    folder: RunFolder
    epochs: int
    began: float = field(default_factory=time.monotonic)
    first: int = 0
    line: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.look()
        self.first = self.epoch

    @property
    def epoch(self) -> int:
        return int(self.line.get("epoch", 0))

    @property
    def share(self) -> float:
        """What is done of it, 0 to 1."""
        return min(1.0, self.epoch / self.epochs)

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first epoch."""
        done = self.epoch - self.first
        return (time.monotonic() - self.began) / done * (self.epochs - self.epoch) if done > 0 else None

    def look(self) -> None:
        """Reads the last whole line of metrics.jsonl."""
        self.line = last_line(self.folder.metrics) or self.line


def last_line(path: Path) -> dict[str, Any] | None:
    """The last line that is whole; None where there is none yet."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            lines = file.read().rpartition(b"\n")[0].splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
    except (OSError, ValueError, IndexError):
        return None
    return found
