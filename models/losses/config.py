"""What a classifier's loss is, as checked configuration."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Penalised(BaseModel):
    """What every loss has: + lambda/2 Σ‖W‖² over what `decayed` names."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, populate_by_name=True)
    lambda_: float = Field(alias="lambda", ge=0)


class CrossEntropyConfig(Penalised):
    """Softmax cross-entropy, averaged over the batch.

    class_weights: one a class, or balanced (from the training labels), or null (all one).
    """

    name: Literal["cross_entropy"]
    label_smoothing: float = Field(ge=0, lt=1)
    class_weights: Literal["balanced"] | list[Annotated[float, Field(ge=0)]] | None


class SvmConfig(Penalised):
    """The multi-class hinge loss of a linear SVM: Σ_{j ≠ y} max(0, s_j − s_y + margin), averaged over the batch."""

    name: Literal["svm"]
    margin: float = Field(gt=0)


ClassifierLossConfig = CrossEntropyConfig | SvmConfig


def decayed(name: str) -> bool:
    """Whether the L2 penalty counts a parameter: weights; neither biases nor the scales of normalisation layers."""
    layer, key = name.rsplit(".", 1)
    return key.startswith("weight") and "norm" not in layer
