"""Stochastic gradient descent, with momentum and Nesterov's look ahead."""

from typing import Literal

from pydantic import Field, model_validator

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Slots, Twin


class SgdConfig(FirstOrderConfig):
    """v = momentum v + g; w -= lr v (with nesterov: w -= lr (g + momentum v))."""

    rule: Literal["sgd"]
    momentum: float = Field(ge=0, lt=1)
    nesterov: bool

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "SgdConfig":
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=true needs momentum > 0")
        return self

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum_buffer",) if self.momentum else ()

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        if self.momentum:
            v = slots["momentum_buffer"]
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        w -= lr * g

    def twin(self) -> Twin:
        return Twin("SGD", {"momentum": self.momentum, "nesterov": self.nesterov})


OPTIMIZER = Optimizer(SgdConfig, stacks=True)
