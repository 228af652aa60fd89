"""Adam (Kingma and Ba 2015), and as first printed in many lecture notes, without bias correction."""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Slots, Twin


class AdamConfig(FirstOrderConfig):
    """m, s: averages of g and g² by beta1 and beta2; w -= lr m / (√s + eps), with or without Adam's bias correction."""

    rule: Literal["adam"]
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)
    bias_correction: bool

    @property
    def slots(self) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        m, s = slots["exp_avg"], slots["exp_avg_sq"]
        m *= self.beta1
        m += (1 - self.beta1) * g
        s *= self.beta2
        s += (1 - self.beta2) * g * g
        if self.bias_correction:
            w -= lr / (1 - self.beta1**t) * m / (np.sqrt(s) / math.sqrt(1 - self.beta2**t) + self.eps)
        else:
            w -= lr * m / (np.sqrt(s) + self.eps)

    def twin(self) -> Twin:
        """torch's own, which always corrects the bias; without correction, in the methods of its tensors."""

        def update(w: Any, g: Any, slots: dict[str, Any], lr: float, t: int) -> None:
            m = slots["exp_avg"].mul_(self.beta1).add_(g, alpha=1 - self.beta1)
            s = slots["exp_avg_sq"].mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
            w.addcdiv_(m, s.sqrt().add_(self.eps), value=-lr)

        if not self.bias_correction:
            return Twin(update)
        return Twin("Adam", {"betas": (self.beta1, self.beta2), "eps": self.eps})


OPTIMIZER = Optimizer(AdamConfig, stacks=True)
