"""What training writes line by line: metrics.jsonl by epoch, steps.jsonl by step, on disk as soon as it is known."""

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

    def require(self, loop: Mapping[str, Any]) -> None:
        """Raises DamagedError where the file ends before the loop's state does, or has a gap."""
        last, path = loop[self.key], self.lines.path
        numbers = [row.get(self.key) for row in lines.read(path)][:last]
        if len(numbers) != last or any(number != i for i, number in enumerate(numbers, 1)):
            raise DamagedError(
                f"{path} lacks some of the {last} {self.key}s that the checkpoint knows: put the file back, or remove "
                "checkpoint.safetensors to train again from the start"
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

    def require(self, loop: Mapping[str, Any]) -> None:
        if not self.full_batch:
            super().require(loop)

    def start(self, training: Training) -> None:
        self.cut(training.step)
        training.on_losses = self._append

    def _append(self, losses: Losses) -> None:
        self.lines.write({"step": step, "train/loss": loss} for step, loss in losses)
        self.lines.close()  # the last checkpoint comes after `end`
