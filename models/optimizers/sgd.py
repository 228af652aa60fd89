"""Stochastic gradient descent, with momentum and Nesterov's look ahead."""

from typing import Literal

from pydantic import Field, model_validator

from duograd.models.arrays import Array
from duograd.models.optimizer import FirstOrderConfig, Optimizer, Rule, Slots, Twin


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


def rule(c: SgdConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        if c.momentum:
            v = slots["momentum_buffer"]
            v *= c.momentum
            v += g
            g = g + c.momentum * v if c.nesterov else v
        w -= lr * g

    return Rule(("momentum_buffer",) if c.momentum else (), update)


def twin(c: SgdConfig) -> Twin:
    return Twin("SGD", {"momentum": c.momentum, "nesterov": c.nesterov})


OPTIMIZER = Optimizer(SgdConfig, rule, twin)
