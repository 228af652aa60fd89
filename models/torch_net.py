"""What the torch twins share: they start at the weights of the networks by hand, draw their masks, and have their loss.

Legend: B batch, K outputs.
"""

from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.arrays import Array
from duograd.models.loss import OutputLoss
from duograd.models.torch_guest import start_at
from duograd.models.torch_loss import Settings, TorchLoss

Config = TypeVar("Config")


class TorchNet(nn.Module, Generic[Config]):
    """The twin of a `Net`, of the same arguments: it says what it is made of (`build`), and what its `outputs` are.

    unfused: no kernel of torch's that `vmap` has no rule for, as in a stack.
    """

    unfused = False

    def __init__(
        self, config: Config, loss: OutputLoss, shape: tuple[int, ...], outputs: int, seed: int, dtype: DTypeLike
    ) -> None:
        super().__init__()
        self.config, self.seed, self.loss = config, seed, TorchLoss(loss)
        weights = self.build(shape, outputs, dtype)
        self.to(torch.float64 if np.dtype(dtype) == np.float64 else torch.float32)
        start_at(self, weights)

    def build(self, shape: tuple[int, ...], outputs: int, dtype: DTypeLike) -> dict[str, Array]:
        """Makes the layers; returns the parameters and buffers to start at, by name."""
        raise NotImplementedError

    def outputs(self, x: Tensor, masks: Any = None) -> Tensor:
        """x (B, …) -> outputs (B, K), with dropout's masks where given."""
        raise NotImplementedError

    def draw(self, B: int, step: int, dtype: DTypeLike) -> list[Any]:
        """Dropout's masks, those of the network by hand: functions of seed and step."""
        raise NotImplementedError

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms over inputs (B, …) and their targets. In training, dropout depends on (seed, step)."""
        return self.terms_with(inputs, targets, self.masks(inputs, step) if self.training else None, self.settings)

    @property
    def settings(self) -> Settings:
        """What its loss is made of."""
        return self.loss.settings

    def terms_with(self, inputs: Tensor, targets: Tensor, masks: Any, settings: Settings) -> dict[str, Tensor]:
        """The loss's terms by masks that were drawn, and by settings, which `vmap` may batch: see `torch_stack`."""
        return self.loss.terms(self.outputs(inputs, masks), targets, self.named_parameters(), settings)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (B, K), without dropout."""
        return self.outputs(inputs)

    def probe(self, inputs: Tensor, targets: Any = None) -> dict[str, Tensor]:
        """What figures ask for: nothing of this network."""
        return {}

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def masks(self, inputs: Tensor, step: int) -> Any:
        """Dropout's masks as tensors."""
        drawn = self.draw(len(inputs), step, np.float64 if inputs.dtype is torch.float64 else np.float32)
        return [None if mask is None else torch.as_tensor(mask).to(inputs) for mask in drawn]


def dropout(x: Tensor, mask: Tensor | None) -> Tensor:
    """x ⊙ mask; None lets everything pass."""
    return x if mask is None else x * mask


def batch_norm(features: int, momentum: float = 0.1, *, images: bool = False) -> nn.Module:
    """Batch normalisation without torch's count of batches, which is for an average of all of them."""
    norm = (nn.BatchNorm2d if images else nn.BatchNorm1d)(features, momentum=momentum)
    norm.num_batches_tracked = None
    return norm
