"""Learning-rate schedules: a factor on the optimizer's rate, as a pure function of the step."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ScheduleConfig(BaseModel):
    """constant: lr. exponential: lr · gamma^k, k counting the epochs or the steps already done."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
    name: Literal["constant", "exponential"]
    gamma: float = Field(gt=0, le=1)
    every: Literal["epoch", "step"]


def factor(config: ScheduleConfig, step: int, epoch: int) -> float:
    """The factor for the step that follows `step` steps and `epoch` epochs."""
    if config.name == "constant":
        return 1.0
    done = epoch if config.every == "epoch" else step
    return float(config.gamma**done)
