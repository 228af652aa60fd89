"""What an autoencoder and its cost are, as checked configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ActivationName = Literal["sigmoid", "tanh", "relu"]
InitName = Literal["report", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"]

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, populate_by_name=True)


class AutoencoderConfig(BaseModel):
    """input -> hidden_size -> input, dense."""

    model_config = _STRICT
    name: str
    family: Literal["autoencoder"]
    hidden_size: int = Field(ge=1, le=1_000_000)
    hidden_activation: ActivationName
    output_activation: ActivationName
    init: InitName


class SparseLossConfig(BaseModel):
    """J = 1/(2N) Σ‖d − o‖² + lambda/2 Σ‖W‖² + beta Σ_b KL(rho | rho_hat_b)."""

    model_config = _STRICT
    name: Literal["sparse"]
    lambda_: float = Field(alias="lambda", ge=0)
    beta: float = Field(ge=0)
    rho: float = Field(gt=0, lt=1)
