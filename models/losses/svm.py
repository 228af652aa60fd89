"""The multi-class hinge loss of a linear SVM."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.layers.losses import svm
from duograd.models.loss import ACCURACY, ClassLoss, Loss, Metric, PenalisedConfig


class SvmConfig(PenalisedConfig):
    """Σ_{j ≠ y} max(0, s_j − s_y + margin), averaged over the batch."""

    name: Literal["svm"]
    margin: float = Field(gt=0)


class Svm(ClassLoss):
    """The mean of Σ_{j ≠ y} max(0, s_j − s_y + margin)."""

    def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        return svm(outputs, targets, self.config.margin)

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
        return F.multi_margin_loss(outputs, targets.long(), margin=self.config.margin) * outputs.shape[1]  # it divides


LOSS = Loss(
    config=SvmConfig,
    targets="classes",
    metrics=(Metric("svm"), ACCURACY),
    bind=Svm,
)
