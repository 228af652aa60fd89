"""Softmax cross-entropy, with class weights and smoothed labels.

Legend: B batch, C classes.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.layers.losses import cross_entropy
from duograd.models.loss import ACCURACY, ClassLoss, Loss, Metric, PenalisedConfig, Targets

NO_CLASS = -(2**63)  # torch passes over targets of -100 in silence, unless told another number


class CrossEntropyConfig(PenalisedConfig):
    """class_weights: one a class, or balanced (from the training labels), or null (all one)."""

    name: Literal["cross_entropy"]
    label_smoothing: float = Field(ge=0, lt=1)
    class_weights: Literal["balanced"] | list[Annotated[float, Field(ge=0)]] | None


class CrossEntropy(ClassLoss):
    """The mean of -log p of the right class. Raises ArchitectureError where class weights do not fit the classes."""

    def __init__(self, config: CrossEntropyConfig, targets: Targets) -> None:
        super().__init__(config, targets)
        weights = class_weights(config, targets)
        self.constants = {} if weights is None else {"class_weights": weights}

    def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        return cross_entropy(outputs, targets, self.constants.get("class_weights"), self.config.label_smoothing)

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
        options = {"label_smoothing": self.config.label_smoothing, "ignore_index": NO_CLASS}
        return F.cross_entropy(outputs, targets.long(), constants.get("class_weights"), **options)


def class_weights(config: CrossEntropyConfig, targets: Targets) -> Array | None:
    """The weights (C,) that the loss names, or those that balance the training labels; None where all are one."""
    if config.class_weights is None:
        return None
    if config.class_weights == "balanced":
        return balanced(targets)
    weights = np.asarray(config.class_weights, float)
    if len(weights) != targets.size:
        raise ArchitectureError(
            f"class_weights={weights.tolist()} has {len(weights)} weights: expected one for each of {targets.size} "
            "classes"
        )
    return weights


def balanced(targets: Targets) -> Array:
    """The weights (C,) that make every class count alike: N / (C count_c), 1 where classes are equally frequent."""
    if targets.train is None:
        raise ArchitectureError("class_weights=balanced needs the training labels")
    counts = np.bincount(targets.train, minlength=targets.size)
    if not counts.all():
        name = targets.names[counts.argmin()] if targets.names else counts.argmin()
        raise ArchitectureError(
            f"loss.class_weights=balanced: no training sample is of class '{name}', so it cannot be weighed; give data "
            "that holds each class, or use loss.class_weights=null"
        )
    return np.asarray(len(targets.train) / (targets.size * counts))


LOSS = Loss(
    config=CrossEntropyConfig,
    targets="classes",
    metrics=(Metric("cross_entropy"), ACCURACY),
    bind=CrossEntropy,
    stacks=True,
)
