"""Pictures of one thing while it forms: frames/KEY/STEP.png, denser at first, when most changes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from duograd.runner.engines import Engine
from duograd.runner.hooks import Hook
from duograd.runner.plots.images import save_png
from duograd.runner.training import Floats, Training

Draw = Callable[[Engine], NDArray[Any]]
GROWTH = 1.25  # of the distance from the start between two frames: about 35 frames in 5000 epochs


class Frames(Hook):
    """Draws each key after 0, 1, 2, 3, 4, 5, 6, 8, … updates (full batch: epochs), and after the last."""

    name = "frames"

    def __init__(self, folder: Path, draw: Mapping[str, Draw]) -> None:
        self.folder = folder
        self.draw = draw
        self.due = 0

    def start(self, training: Training) -> None:
        if not training.ended:
            self._remove_the_last(training.epoch)
        if training.epoch == 0:
            self._save(training)
        self.due = next_frame(training.epoch)

    def epoch(self, training: Training, record: Floats) -> None:
        if training.epoch >= self.due or training.ended:
            self._save(training)
            self.due = next_frame(training.epoch)

    def _remove_the_last(self, epoch: int) -> None:
        """A run that goes on had no end there: what its longer self would not have drawn goes."""
        for path in self.folder.rglob("*.png"):
            step = int(path.stem) if path.stem.isdecimal() else 0
            if step > epoch or (step and next_frame(step - 1) != step):
                path.unlink()

    def _save(self, training: Training) -> None:
        for key, draw in self.draw.items():
            (self.folder / key).mkdir(parents=True, exist_ok=True)
            save_png(draw(training.engine), self.folder / key / f"{training.epoch:06d}.png")


def next_frame(epoch: int) -> int:
    """The first epoch after this one that has a frame: a function of the epoch, so a resumed run draws the same."""
    frame = 1
    while frame <= epoch:
        frame = max(frame + 1, round(frame * GROWTH))
    return frame
