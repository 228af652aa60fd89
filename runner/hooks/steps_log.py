"""steps.jsonl: the loss of every optimizer step of mini-batch training."""

import json
import os
from itertools import takewhile
from pathlib import Path

from duograd.runner.hooks import Hook
from duograd.runner.training import Losses, Training


class StepsLog(Hook):
    """Appends losses whenever the loop has read some: every 50 steps, with each epoch and with each checkpoint.

    So the file never lacks a step that the checkpoint knows, and a resumed run first drops those that it does not.
    Full batches have no steps of their own: their losses are the epochs' in metrics.jsonl, and no file is written.
    """

    name = "steps_log"

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, training: Training) -> None:
        if self.path.exists():
            lines = self.path.read_bytes().splitlines(keepends=True)
            known = takewhile(lambda line: line.endswith(b"\n") and json.loads(line)["step"] <= training.step, lines)
            os.truncate(self.path, sum(map(len, known)))
        training.on_losses = self._append

    def _append(self, losses: Losses) -> None:
        lines = "".join(json.dumps({"step": step, "train/loss": loss}) + "\n" for step, loss in losses)
        with self.path.open("ab", buffering=0) as file:  # opened each time: the last checkpoint comes after `end`
            file.write(lines.encode())
