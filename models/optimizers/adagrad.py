"""Adagrad: rates that fall with the squares of all gradients so far (Duchi et al. 2011)."""

from typing import Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Slots, Twin


class AdagradConfig(FirstOrderConfig):
    """s += g²; w -= lr g / (√s + eps)."""

    rule: Literal["adagrad"]
    eps: float = Field(gt=0)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("sum",)

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["sum"]
        s += g * g
        w -= lr * g / (np.sqrt(s) + self.eps)

    def twin(self) -> Twin:
        return Twin("Adagrad", {"eps": self.eps})


OPTIMIZER = Optimizer(AdagradConfig, stacks=True)
