"""How far jobs are, read from their folders while they go on."""

import time
from dataclasses import dataclass, field
from typing import Any

from duograd.runner.store.folders import RunFolder
from duograd.runner.store.lines import Tail


@dataclass
class Progress:
    """A job that is out. epochs: that it is to train; began: by the clock of this process; first: where it began."""

    folder: RunFolder
    epochs: int
    began: float = field(default_factory=time.monotonic)
    first: int = 0
    line: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tail = Tail(self.folder.metrics)
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
        """Reads what is new in metrics.jsonl."""
        self.line = [self.line, *self._tail.new()][-1]
