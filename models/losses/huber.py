"""The Huber loss of values: squared near the target, straight beyond delta, so that outliers pull no harder (1964).

Legend: B batch, V values of a sample; o outputs, t targets, both (B, V).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.loss import R2, Loss, Metric, PenalisedConfig
from duograd.models.losses.squared_error import SquaredError, finish


class HuberConfig(PenalisedConfig):
    """½ d² where |d| ≤ delta, else delta (|d| − ½ delta); d = o − t, summed over values, averaged over the batch."""

    name: Literal["huber"]
    delta: float = Field(gt=0)


class Huber(SquaredError):
    """L = 1/B Σ_n Σ_v h(d_nv), whose slope is d cut to ± delta. Measures the squared error too."""

    def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        difference = self.difference(outputs, targets)
        slope = np.clip(difference, -self.config.delta, self.config.delta)

        def backward() -> Array:
            return np.asarray(slope / outputs.dtype.type(len(outputs)))

        # ½ c² + |c| (|d| − |c|), c being d cut: both branches at once
        value = np.vdot(slope, difference) - np.vdot(slope, slope) / 2
        return float(value) / len(outputs) if len(outputs) else math.nan, backward

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        squared = super().error(outputs, targets)[0]
        return {"squared_error": squared, **super().measure(outputs, targets)}

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
        return F.huber_loss(outputs, targets, reduction="sum", delta=self.config.delta) / len(outputs)

    def torch_measure(self, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
        squared = ((outputs - targets) ** 2).sum() / (2 * len(outputs))
        return {"squared_error": squared, **super().torch_measure(outputs, targets, constants)}


LOSS = Loss(
    config=HuberConfig,
    targets="values",
    metrics=(Metric("huber"), Metric("squared_error"), Metric("mae"), R2),
    bind=Huber,
    finish=finish,
    stacks=True,
)
