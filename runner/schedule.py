"""Learning-rate schedules: a factor on the optimizer's rate, as a pure function of the step."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ScheduleConfig(BaseModel):
    """constant: 1. exponential: gamma^k, k counting the epochs or the steps done. cosine: 1 down to `end`.

    one_cycle: from `start` up to 1 over the first `warmup` of all steps, then down to `end`, both along half a cosine
    (Smith 2018; torch's OneCycleLR with its defaults, where start = 1/25 and end = start/10⁴).
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
    name: Literal["constant", "exponential", "cosine", "one_cycle"]
    gamma: float = Field(gt=0, le=1)
    every: Literal["epoch", "step"]
    warmup: float = Field(gt=0, lt=1)
    start: float = Field(ge=0, le=1)
    end: float = Field(ge=0, le=1)

    @property
    def spans_the_run(self) -> bool:
        """Whether a step's factor depends on how many there are in all."""
        return self.name in ("cosine", "one_cycle")


def factor(config: ScheduleConfig, step: int, epoch: int, steps: int) -> float:
    """The factor for the step that follows `step` steps and `epoch` epochs, of `steps` in all."""
    match config.name:
        case "constant":
            return 1.0
        case "exponential":
            return float(config.gamma ** (epoch if config.every == "epoch" else step))
        case "cosine":
            return _half_cosine(1, config.end, step / steps)
        case "one_cycle":
            return _one_cycle(config, step, steps)


def _one_cycle(config: ScheduleConfig, step: int, steps: int) -> float:
    peak, last = max(config.warmup * steps - 1, 1e-9), max(steps - 1, 1)
    if step <= peak:
        return _half_cosine(config.start, 1, step / peak)
    return _half_cosine(1, config.end, min(1.0, (step - peak) / (last - peak)))


def _half_cosine(start: float, end: float, share: float) -> float:
    """From start (share 0) to end (share 1), level at both."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
