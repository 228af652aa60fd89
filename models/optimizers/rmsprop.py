"""RMSprop: rates that follow a running average of squared gradients (Tieleman and Hinton 2012)."""

from typing import Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Rule, Slots, Twin


class RmspropConfig(FirstOrderConfig):
    """s = alpha s + (1 − alpha) g²; w -= lr g / (√s + eps)."""

    rule: Literal["rmsprop"]
    alpha: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)


def rule(c: RmspropConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["square_avg"]
        s *= c.alpha
        s += (1 - c.alpha) * g * g
        w -= lr * g / (np.sqrt(s) + c.eps)

    return Rule(("square_avg",), update)


def twin(c: RmspropConfig) -> Twin:
    return Twin("RMSprop", {"alpha": c.alpha, "eps": c.eps})


OPTIMIZER = Optimizer(RmspropConfig, rule, twin)
