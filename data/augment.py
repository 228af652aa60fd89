"""Augmentation: a sample is varied a little each time it is drawn for training, so that none is seen twice.

Legend: B batch, T time steps, S channels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Array = NDArray[Any]


class VariationConfig(BaseModel):
    """How far a window of sensor channels is varied, as standard deviations in the unit of the network's input.

    noise: added to each value. offset: added to a whole channel, as if the sensor sat a little differently.
    scale: a whole channel is multiplied by 1 + this, as if the person moved more or less strongly.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
    noise: float = Field(default=0.0, ge=0, le=10)
    offset: float = Field(default=0.0, ge=0, le=10)
    scale: float = Field(default=0.0, ge=0, le=1)

    @property
    def varies(self) -> bool:
        """Whether anything is varied at all."""
        return bool(self.noise or self.offset or self.scale)


def vary(config: VariationConfig, windows: Array, rng: np.random.Generator) -> Array:
    """New windows (B, T, S) from the given ones, in their dtype."""
    B, _, S = windows.shape

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape, dtype=np.float64).astype(windows.dtype)

    varied = windows * (1 + config.scale * normal(B, 1, S)) + config.offset * normal(B, 1, S)
    return varied + config.noise * normal(*windows.shape) if config.noise else varied
