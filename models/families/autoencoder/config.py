"""What an autoencoder is, as checked configuration."""

from typing import Literal

from pydantic import Field

from duograd.models.family import ModelConfig
from duograd.models.loss import LossConfig

ActivationName = Literal["sigmoid", "tanh", "relu"]
InitName = Literal["report", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"]


class AutoencoderConfig(ModelConfig):
    """input -> hidden_size -> input, dense."""

    family: Literal["autoencoder"]
    hidden_size: int = Field(ge=1, le=1_000_000)
    hidden_activation: ActivationName
    output_activation: ActivationName
    init: InitName

    def fault_with(self, loss: LossConfig) -> str | None:
        beta = getattr(loss, "beta", 0)
        if not beta or self.hidden_activation == "sigmoid":
            return None
        return (
            f"model.hidden_activation={self.hidden_activation} does not go with loss.beta={beta}: the KL term needs "
            "mean activations in (0, 1); use sigmoid or loss.beta=0"
        )
