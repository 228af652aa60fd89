"""What an optimizer is, as checked configuration. Names and semantics are torch's."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class FirstOrder(BaseModel):
    """What every rule of one gradient a step shares. The gradient is clipped by value, then by norm, then decayed."""

    model_config = _STRICT
    name: str
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_value: float | None = Field(gt=0)
    clip_norm: float | None = Field(gt=0)


class SgdConfig(FirstOrder):
    """v = momentum v + g; w -= lr v (with nesterov: w -= lr (g + momentum v))."""

    rule: Literal["sgd"]
    momentum: float = Field(ge=0, lt=1)
    nesterov: bool

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "SgdConfig":
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=true needs momentum > 0")
        return self


class AdagradConfig(FirstOrder):
    """s += g²; w -= lr g / (√s + eps)."""

    rule: Literal["adagrad"]
    eps: float = Field(gt=0)


class RmspropConfig(FirstOrder):
    """s = alpha s + (1 − alpha) g²; w -= lr g / (√s + eps)."""

    rule: Literal["rmsprop"]
    alpha: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)


class AdamConfig(FirstOrder):
    """m, s: averages of g and g² by beta1 and beta2; w -= lr m / (√s + eps), with or without Adam's bias correction."""

    rule: Literal["adam"]
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)
    eps: float = Field(gt=0)
    bias_correction: bool


class LbfgsConfig(BaseModel):
    """Limited-memory BFGS with a line search, for full-batch tasks: scipy's solver, or torch's."""

    model_config = _STRICT
    name: str
    rule: Literal["lbfgs"]
    history_size: int = Field(ge=1, le=1000)


FirstOrderConfig = SgdConfig | AdagradConfig | RmspropConfig | AdamConfig
OptimizerConfig = Annotated[FirstOrderConfig | LbfgsConfig, Field(discriminator="rule")]
