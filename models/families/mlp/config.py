"""What a stack of dense layers is, as checked configuration."""

from typing import Literal, Self

from pydantic import Field, model_validator

from duograd.models.family import ModelConfig, Size
from duograd.models.layers.init import DenseInit


class MlpConfig(ModelConfig):
    """[dense - norm - activation - dropout] × N -> a dense layer that gives the outputs.

    dense: the sizes of the N; none gives a linear model. init: how weights are drawn, biases being zero; torch: its own
    default, ± 1/√I, biases too.
    """

    family: Literal["mlp"]
    dense: list[Size]
    activation: Literal["relu", "leaky_relu", "sigmoid", "tanh"]
    dense_norm: Literal["batch", "layer"] | None
    dropout: float = Field(ge=0, lt=1)
    init: DenseInit

    @model_validator(mode="after")
    def _what_has_no_place(self) -> Self:
        for key in ("dense_norm", "dropout"):
            if not self.dense and getattr(self, key):
                raise ValueError(f"model.{key}={getattr(self, key)} has no place in a linear model: set model.dense")
        return self


def fault_alone(config: MlpConfig, shape: tuple[int, ...]) -> str | None:
    """Why a batch of one sample teaches nothing: a batch norm has one value a feature, and no variance; None else."""
    return "model.dense_norm=batch needs a variance" if config.dense_norm == "batch" else None
