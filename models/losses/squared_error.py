"""Squared error of values, with the mean absolute error and R² as metrics.

Legend: B batch, V values of a sample; o outputs, t targets, both (B, V).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.loss import R2, Loss, Means, Metric, OutputLoss, PenalisedConfig, Targets


class SquaredErrorConfig(PenalisedConfig):
    """½‖o − t‖², averaged over the batch."""

    name: Literal["squared_error"]


class SquaredError(OutputLoss):
    """L = 1/B Σ_n ½‖o_n − t_n‖². Raises ArchitectureError where all training targets are alike."""

    def __init__(self, config: PenalisedConfig, targets: Targets) -> None:
        super().__init__(config, targets)
        if targets.train is None:
            raise ArchitectureError(f"loss={config.name} needs the training targets: R² compares with their mean")
        if not np.ptp(targets.train, axis=0).any():
            raise ArchitectureError(f"loss={config.name}: all training targets are alike, there is nothing to learn")
        self.constants = {"mean": targets.train.mean(axis=0, dtype=np.float64)}

    def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        difference = self.difference(outputs, targets)

        def backward() -> Array:
            return np.asarray(difference / outputs.dtype.type(len(outputs)))

        return float(np.vdot(difference, difference)) / (2 * len(outputs)) if len(outputs) else math.nan, backward

    def difference(self, outputs: Array, targets: Array) -> Array:
        """o − t. Raises ValueError where shapes differ: NumPy would take each output with each target."""
        if outputs.shape != targets.shape:
            raise ValueError(f"targets have shape {targets.shape}, outputs {outputs.shape}: both must be the same")
        return np.asarray(np.subtract(outputs, targets.astype(outputs.dtype, copy=False)))

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        """mae: |o − t|, over samples and values. spread: ‖t − t̄‖², t̄ the mean of the training targets."""
        spread = ((targets - self.constants["mean"]) ** 2).sum(axis=1).mean()
        return {"mae": float(np.abs(outputs - targets).mean()), "spread": float(spread)}

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
        return F.mse_loss(outputs, targets, reduction="sum") / (2 * len(outputs))

    def torch_measure(self, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
        spread = ((targets - constants["mean"]) ** 2).sum(dim=1).mean()
        return {"mae": (outputs - targets).abs().mean(), "spread": spread}


def finish(means: Means) -> Means:
    """R² = 1 − Σ‖o − t‖² / Σ‖t − t̄‖²: how much better than to say t̄, which training knows, whatever the sample.

    On the training split this is the textbook's R². A mean of batches' R² would be something else.
    """
    rest = {name: value for name, value in means.items() if name != "spread"}
    return {**rest, "r2": 1 - 2 * means["squared_error"] / means["spread"] if means["spread"] else math.nan}


LOSS = Loss(
    config=SquaredErrorConfig,
    targets="values",
    metrics=(Metric("squared_error"), Metric("mae"), R2),
    bind=SquaredError,
    finish=finish,
    stacks=True,
)
