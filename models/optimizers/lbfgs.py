"""L-BFGS: scipy's solver, or torch's, which the engines run on the full batch."""

from typing import Literal

from pydantic import Field

from duograd.models.optimizer import Optimizer, OptimizerConfig


class LbfgsConfig(OptimizerConfig):
    """Limited-memory BFGS with a line search, for full-batch tasks."""

    rule: Literal["lbfgs"]
    history_size: int = Field(ge=1, le=1000)


OPTIMIZER = Optimizer(LbfgsConfig)
