"""RMSprop: rates that follow a running average of squared gradients (Tieleman and Hinton 2012)."""

from typing import Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Slots, Twin


class RmspropConfig(FirstOrderConfig):
    """s = alpha s + (1 − alpha) g²; w -= lr g / (√s + eps)."""

    rule: Literal["rmsprop"]
    alpha: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("square_avg",)

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["square_avg"]
        s *= self.alpha
        s += (1 - self.alpha) * g * g
        w -= lr * g / (np.sqrt(s) + self.eps)

    def twin(self) -> Twin:
        return Twin("RMSprop", {"alpha": self.alpha, "eps": self.eps})


OPTIMIZER = Optimizer(RmspropConfig, stacks=True)
