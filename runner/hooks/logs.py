"""What training writes line by line: metrics.jsonl by epoch, steps.jsonl by step, on disk as soon as it is known."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from duograd.runner.hooks import Hook
from duograd.runner.store import lines
from duograd.runner.store.files import DamagedError
from duograd.runner.training import Floats, Losses, Training


class LineLog(Hook):
    """A file of lines numbered from 1 by `key`. A resumed run first drops those that its checkpoint does not know."""

    key = ""

    def __init__(self, path: Path) -> None:
        self.lines = lines.Writer(path)

    def cut(self, last: int) -> None:
        """Keeps the lines up to number `last`."""
        self.lines.cut(lambda row: isinstance(row.get(self.key), int) and row[self.key] <= last)

    def state(self) -> dict[str, Any]:
        return {"crc32": self.lines.checksum}

    def require(self, loop: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Raises DamagedError where the file is not what it was: it ends too soon, or some line is another."""
        last, path = loop[self.key], self.lines.path
        known = lines.whole_lines(path)[:last]
        missing, checksum = len(known) != last, zlib.crc32(b"".join(known))
        if missing or checksum != state.get("crc32", checksum):  # checkpoints of earlier versions have none
            what = f"lacks some of the {last} {self.key}s" if missing else f"says something else of the {self.key}s"
            raise DamagedError(
                f"{path} {what} that the checkpoint knows: put the file back, or remove checkpoint.safetensors to "
                "train again from the start"
            )


class MetricsLog(LineLog):
    """metrics.jsonl."""

    name = "metrics_log"
    key = "epoch"

    def start(self, training: Training) -> None:
        self.cut(training.epoch)
        self.lines.open()

    def end(self) -> None:
        self.lines.close()

    def epoch(self, training: Training, record: Floats) -> None:
        self.lines.write([record])


class StepsLog(LineLog):
    """steps.jsonl: losses whenever the loop has read some: every 50 steps, with each epoch and with each checkpoint.

    So the file never lacks a step that the checkpoint knows. Full batches have no steps of their own: their losses are
    the epochs' in metrics.jsonl, and no file is written.
    """

    name = "steps_log"
    key = "step"

    def __init__(self, path: Path, full_batch: bool = False) -> None:
        super().__init__(path)
        self.full_batch = full_batch

    def require(self, loop: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        if not self.full_batch:
            super().require(loop, state)

    def start(self, training: Training) -> None:
        self.cut(training.step)
        training.on_losses = self._append

    def _append(self, losses: Losses) -> None:
        self.lines.write({"step": step, "train/loss": loss} for step, loss in losses)
        self.lines.close()  # the last checkpoint comes after `end`
