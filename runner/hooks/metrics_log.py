"""metrics.jsonl: one line per epoch, on disk as soon as the epoch is over."""

import json
from pathlib import Path

from duograd.runner.hooks import Hook
from duograd.runner.training import Floats, Training


class MetricsLog(Hook):
    """Appends each record. A resumed run first drops the lines that its checkpoint does not know."""

    name = "metrics_log"

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, training: Training) -> None:
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        kept = b"".join(lines[: training.epoch])
        self.file = self.path.open("ab", buffering=0)  # a line is one write: whole, or torn only by a full disk
        self.file.truncate(len(kept))

    def end(self) -> None:
        self.file.close()

    def epoch(self, training: Training, record: Floats) -> None:
        self.file.write((json.dumps(record) + "\n").encode())
