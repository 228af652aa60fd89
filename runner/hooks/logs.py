"""What training writes line by line: metrics.jsonl by epoch, steps.jsonl by step, on disk as soon as it is known."""

from pathlib import Path

from duograd.runner.hooks import Hook
from duograd.runner.store.lines import Writer
from duograd.runner.training import Floats, Losses, Training


class MetricsLog(Hook):
    """metrics.jsonl. A resumed run first drops the lines that its checkpoint does not know."""

    name = "metrics_log"

    def __init__(self, path: Path) -> None:
        self.lines = Writer(path)

    def start(self, training: Training) -> None:
        self.lines.cut(lambda row: row["epoch"] <= training.epoch)
        self.lines.open()

    def end(self) -> None:
        self.lines.close()

    def epoch(self, training: Training, record: Floats) -> None:
        self.lines.write([record])


class StepsLog(Hook):
    """steps.jsonl: losses whenever the loop has read some: every 50 steps, with each epoch and with each checkpoint.

    So the file never lacks a step that the checkpoint knows, and a resumed run first drops those that it does not.
    Full batches have no steps of their own: their losses are the epochs' in metrics.jsonl, and no file is written.
    """

    name = "steps_log"

    def __init__(self, path: Path) -> None:
        self.lines = Writer(path)

    def start(self, training: Training) -> None:
        self.lines.cut(lambda row: row["step"] <= training.step)
        training.on_losses = self._append

    def _append(self, losses: Losses) -> None:
        self.lines.write({"step": step, "train/loss": loss} for step, loss in losses)
        self.lines.close()  # the last checkpoint comes after `end`
