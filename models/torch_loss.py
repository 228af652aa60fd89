"""A loss of outputs in torch, whatever loss it is: the twin of `OutputLoss.terms`.

Legend: B batch, K outputs of a sample.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from duograd.models.loss import OutputLoss, decayed

Settings = Mapping[str, Any]
"""What a network's loss is made of, by name: numbers and tensors."""
LAMBDA = "lambda"


class TorchLoss:
    """The loss of outputs (B, K), and the L2 penalty of the parameters that gave them. It has no state of its own.

    settings: lambda, where there is one, and the loss's constants. Networks of a stack have each their own.
    """

    def __init__(self, loss: OutputLoss) -> None:
        self.loss = loss
        self.constants = {name: torch.tensor(array) for name, array in loss.constants.items()}
        lambda_ = getattr(loss.config, "lambda_", 0.0)
        self.settings: Settings = self.constants | ({LAMBDA: lambda_} if lambda_ else {})

    def error(self, outputs: Tensor, targets: Tensor, settings: Settings | None = None) -> Tensor:
        """The loss itself."""
        return cast(Tensor, self.loss.torch_error(functional, outputs, targets, self._constants(outputs, settings)))

    def terms(
        self, outputs: Tensor, targets: Tensor, params: Iterable[tuple[str, Tensor]], settings: Settings | None = None
    ) -> dict[str, Tensor]:
        """What is minimised, the parts of it, and the metrics."""
        outputs = outputs.float() if outputs.dtype is torch.bfloat16 else outputs  # half precision could not count
        parts = {self.loss.config.name: self.error(outputs, targets, settings)}
        if LAMBDA in self.settings:
            penalty = torch.stack([(W**2).sum() for name, W in params if decayed(name)]).sum()
            parts["l2"] = (settings or self.settings)[LAMBDA] / 2 * penalty
        metrics = self.loss.torch_measure(outputs.detach(), targets, self._constants(outputs, settings))
        return {"loss": torch.stack(list(parts.values())).sum(), **parts, **metrics}

    def _constants(self, outputs: Tensor, settings: Settings | None) -> dict[str, Tensor]:
        """On the device and of the type of the outputs."""
        return {name: (settings or self.settings)[name].to(outputs) for name in self.constants}
