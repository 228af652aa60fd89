"""Saves the run every few seconds."""

import time
from collections.abc import Callable

from duograd.runner.hooks import Hook
from duograd.runner.training import Floats, Training


class Checkpointing(Hook):
    """Calls save() once `every_seconds` have gone by since the last time: when is free, what is saved is not."""

    name = "checkpointing"

    def __init__(self, every_seconds: float, save: Callable[[], None]) -> None:
        self.every_seconds = every_seconds
        self.save = save
        self.last = time.monotonic()

    def step(self, training: Training) -> None:
        if time.monotonic() - self.last >= self.every_seconds:
            self.save()
            self.last = time.monotonic()

    def epoch(self, training: Training, record: Floats) -> None:
        self.step(training)
