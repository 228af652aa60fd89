"""A loss of outputs in torch, whatever loss it is: the twin of `OutputLoss.terms`.

Legend: B batch, K outputs of a sample.
"""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from duograd.models.loss import OutputLoss, decayed


class TorchLoss:
    """The loss of outputs (B, K), and the L2 penalty of the parameters that gave them. It has no state of its own."""

    def __init__(self, loss: OutputLoss) -> None:
        self.loss = loss
        self.constants = {name: torch.tensor(array) for name, array in loss.constants.items()}

    def error(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss itself."""
        return cast(Tensor, self.loss.torch_error(functional, outputs, targets, self._constants(outputs)))

    def terms(self, outputs: Tensor, targets: Tensor, params: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
        """What is minimised, the parts of it, and the metrics."""
        outputs = outputs.float() if outputs.dtype is torch.bfloat16 else outputs  # half precision could not count
        config = self.loss.config
        parts = {config.name: self.error(outputs, targets)}
        if config.lambda_:
            penalty = torch.stack([(W**2).sum() for name, W in params if decayed(name)]).sum()
            parts["l2"] = config.lambda_ / 2 * penalty
        metrics = self.loss.torch_measure(outputs.detach(), targets, self._constants(outputs))
        return {"loss": torch.stack(list(parts.values())).sum(), **parts, **metrics}

    def _constants(self, outputs: Tensor) -> dict[str, Tensor]:
        """On the device and of the type of the outputs."""
        return {name: constant.to(outputs) for name, constant in self.constants.items()}
