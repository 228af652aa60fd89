"""The dense stack's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, I inputs, K outputs.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn
from torch.nn import functional

from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.weights import initial_buffers, initial_weights, masks, sizes
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss


class TorchMlp(nn.Module):
    """Dense layers; starts at the weights of `MlpNet`, and draws its masks."""

    def __init__(
        self,
        config: MlpConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike,
    ) -> None:
        super().__init__()
        self.config, self.seed, self.loss = config, seed, TorchLoss(loss)
        *hidden, (I, K) = sizes(config, shape[-1], outputs)
        for i, (inputs, O) in enumerate(hidden):
            self.add_module(f"dense{i}", nn.Linear(inputs, O))
            if config.dense_norm:
                self.add_module(f"norm{i}", normalisation(config.dense_norm, O))
        self.output = nn.Linear(I, K)
        arrays = initial_weights(config, shape[-1], outputs, seed, dtype) | initial_buffers(config, dtype)
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.to(weights["output.weight"].dtype)
        with torch.no_grad():
            for name, w in self.state_dict().items():
                w.copy_(weights[name])

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms over inputs (B, I) and their targets. In training, dropout depends on (seed, step)."""
        drawn = self.masks(inputs, step) if self.training else [None] * len(self.config.dense)
        return self.loss.terms(self._outputs(inputs, drawn), targets, self.named_parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (B, K), without dropout."""
        return self._outputs(inputs, [None] * len(self.config.dense))

    def probe(self, inputs: Tensor, targets: Tensor | None = None) -> dict[str, Tensor]:
        """What figures ask for: nothing of this network."""
        return {}

    def _outputs(self, x: Tensor, masks: Sequence[Tensor | None]) -> Tensor:
        for i, mask in enumerate(masks):
            x = self.get_submodule(f"dense{i}")(x)
            if self.config.dense_norm:
                x = self.get_submodule(f"norm{i}")(x)
            x = getattr(functional, self.config.activation)(x)
            x = x if mask is None else x * mask
        return cast(Tensor, self.output(x))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def masks(self, inputs: Tensor, step: int) -> list[Tensor | None]:
        """A mask (B, O) a hidden layer: those of the by-hand network."""
        dtype = np.float64 if inputs.dtype is torch.float64 else np.float32
        drawn = masks(self.config, len(inputs), self.seed, step, dtype)
        return [None if mask is None else torch.as_tensor(mask).to(inputs) for mask in drawn]


def normalisation(kind: str, features: int) -> nn.Module:
    """Layer or batch norm; the latter without torch's count of batches, which is for an average of all of them."""
    if kind == "layer":
        return nn.LayerNorm(features)
    norm = nn.BatchNorm1d(features)
    norm.num_batches_tracked = None
    return norm
