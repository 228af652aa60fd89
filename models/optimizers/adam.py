"""Adam (Kingma and Ba 2015), and as first printed in many lecture notes, without bias correction."""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Rule, Slots, Twin


class AdamConfig(FirstOrderConfig):
    """m, s: averages of g and g² by beta1 and beta2; w -= lr m / (√s + eps), with or without Adam's bias correction."""

    rule: Literal["adam"]
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)
    bias_correction: bool


def rule(c: AdamConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        m, s = slots["exp_avg"], slots["exp_avg_sq"]
        m *= c.beta1
        m += (1 - c.beta1) * g
        s *= c.beta2
        s += (1 - c.beta2) * g * g
        if c.bias_correction:
            w -= lr / (1 - c.beta1**t) * m / (np.sqrt(s) / math.sqrt(1 - c.beta2**t) + c.eps)
        else:
            w -= lr * m / (np.sqrt(s) + c.eps)

    return Rule(("exp_avg", "exp_avg_sq"), update)


def twin(c: AdamConfig) -> Twin:
    """torch's own, which always corrects the bias; without correction, in the methods of its tensors."""

    def update(w: Any, g: Any, slots: dict[str, Any], lr: float, t: int) -> None:
        m = slots["exp_avg"].mul_(c.beta1).add_(g, alpha=1 - c.beta1)
        s = slots["exp_avg_sq"].mul_(c.beta2).addcmul_(g, g, value=1 - c.beta2)
        w.addcdiv_(m, s.sqrt().add_(c.eps), value=-lr)

    return Twin("Adam", {"betas": (c.beta1, c.beta2), "eps": c.eps}) if c.bias_correction else Twin(update)


OPTIMIZER = Optimizer(AdamConfig, rule, twin)
