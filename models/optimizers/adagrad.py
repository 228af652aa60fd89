"""Adagrad: rates that fall with the squares of all gradients so far (Duchi et al. 2011)."""

from typing import Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Rule, Slots, Twin


class AdagradConfig(FirstOrderConfig):
    """s += g²; w -= lr g / (√s + eps)."""

    rule: Literal["adagrad"]
    eps: float = Field(gt=0)


def rule(c: AdagradConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["sum"]
        s += g * g
        w -= lr * g / (np.sqrt(s) + c.eps)

    return Rule(("sum",), update)


def twin(c: AdagradConfig) -> Twin:
    return Twin("Adagrad", {"eps": c.eps})


OPTIMIZER = Optimizer(AdagradConfig, rule, twin)
