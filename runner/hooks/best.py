"""Keeps the weights that gave the best value of the monitored metric."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from duograd.runner.hooks import Hook
from duograd.runner.training import Floats, Training


class Best(Hook):
    """value: the best so far, at epoch; weights: those that gave it, not those of one update later."""

    name = "best"

    def __init__(self) -> None:
        self.value: float | None = None
        self.at_epoch = 0
        self.weights: Mapping[str, NDArray[Any]] = {}

    def epoch(self, training: Training, record: Floats) -> None:
        monitor = training.plan.monitor
        if self.value is None or training.plan.better(record[monitor], self.value):
            self.value, self.at_epoch = record[monitor], training.epoch
            of_training = monitor.startswith("train/") and training.before is not None
            self.weights = training.before if of_training and training.before else training.engine.weights()

    def state(self) -> dict[str, Any]:
        return {"value": self.value, "epoch": self.at_epoch}

    def load(self, state: dict[str, Any]) -> None:
        self.value, self.at_epoch = state["value"], state["epoch"]
