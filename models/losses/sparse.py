"""The sparse autoencoder's cost, which couples all samples through its hidden units.

The network itself computes it: `models/families/autoencoder/cost.py` has the equations.
"""

from typing import Literal

from pydantic import Field

from duograd.models.loss import Loss, Metric, PenalisedConfig


class SparseLossConfig(PenalisedConfig):
    """J = 1/(2N) Σ‖d − o‖² + lambda/2 Σ‖W‖² + beta Σ_b KL(rho | rho_hat_b)."""

    name: Literal["sparse"]
    beta: float = Field(ge=0)
    rho: float = Field(gt=0, lt=1)


LOSS = Loss(
    config=SparseLossConfig,
    targets="inputs",
    metrics=(Metric("mse"), Metric("l2"), Metric("kl")),
    bind=lambda config, _: config,
    stacks=True,
)
