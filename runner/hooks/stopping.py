"""What ends a run before its last epoch, as if that had been it: no gain, or a request in its folder."""

from pathlib import Path
from typing import Any

from duograd.runner.display import counted
from duograd.runner.hooks import Hook
from duograd.runner.training import Floats, Training


class Patience(Hook):
    """Stops after `patience` epochs in which the monitored metric did not improve by more than min_delta."""

    name = "patience"

    def __init__(self, patience: int, min_delta: float) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.reference: float | None = None
        self.waited = 0

    def epoch(self, training: Training, record: Floats) -> None:
        monitor = training.plan.monitor
        value = record[monitor]
        gained = self.reference is None or abs(value - self.reference) > self.min_delta
        if gained and (self.reference is None or training.plan.better(value, self.reference)):
            self.reference, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited >= self.patience:
            training.stop_reason = f"early stopping: {monitor} did not improve for {counted(self.waited, 'epoch')}"

    def state(self) -> dict[str, Any]:
        return {"reference": self.reference, "waited": self.waited}

    def load(self, state: dict[str, Any]) -> None:
        self.reference, self.waited = state["reference"], state["waited"]


class Gap(Hook):
    """Stops when validation loss has drifted more than `gap` above training loss.

    The report's rule, mended: its condition `train - val < threshold` holds as soon as the curves are close.
    """

    name = "gap"

    def __init__(self, gap: float) -> None:
        self.gap = gap

    def epoch(self, training: Training, record: Floats) -> None:
        drift = record["val/loss"] - record["train/loss"]
        if drift > self.gap:
            training.stop_reason = f"early stopping: val/loss is {drift:.4g} above train/loss (gap {self.gap:g})"


LONGEST_REASON = 200  # characters


class StopFile(Hook):
    """A file `stop` in the run folder ends the run after the epoch, as if it had been its last; its text says why."""

    name = "stop_file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def epoch(self, training: Training, record: Floats) -> None:
        if self.path.exists() and not training.ended:
            training.stop_reason = self._text() or "the file 'stop' in the run folder"

    def _text(self) -> str:
        """In one line, whatever a person put there."""
        try:
            return " ".join(self.path.read_text(errors="replace").split())[:LONGEST_REASON]
        except OSError:  # a folder, say
            return ""
