"""The dense stack's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, I inputs, O outputs of a layer, K outputs.
"""

from collections.abc import Sequence
from typing import cast

from numpy.typing import DTypeLike
from torch import Tensor, nn
from torch.nn import functional

from duograd.models.arrays import Array
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.weights import initial_buffers, initial_weights, masks, sizes
from duograd.models.torch_net import TorchNet, batch_norm, dropout


class TorchMlp(TorchNet[MlpConfig]):
    """The twin of `MlpNet`."""

    def build(self, shape: tuple[int, ...], outputs: int, dtype: DTypeLike) -> dict[str, Array]:
        """See TorchNet."""
        *hidden, (I, K) = sizes(self.config, shape[-1], outputs)
        for i, (inputs, O) in enumerate(hidden):
            self.add_module(f"dense{i}", nn.Linear(inputs, O))
            if self.config.dense_norm:
                self.add_module(f"norm{i}", nn.LayerNorm(O) if self.config.dense_norm == "layer" else batch_norm(O))
        self.output = nn.Linear(I, K)
        weights = initial_weights(self.config, shape[-1], outputs, self.seed, dtype)
        return weights | initial_buffers(self.config, dtype)

    def outputs(self, x: Tensor, masks: Sequence[Tensor | None] | None = None) -> Tensor:
        """See TorchNet."""
        for i, mask in enumerate(masks or [None] * len(self.config.dense)):
            x = self.get_submodule(f"dense{i}")(x)
            if self.config.dense_norm:
                x = self.get_submodule(f"norm{i}")(x)
            x = dropout(getattr(functional, self.config.activation)(x), mask)
        return cast(Tensor, self.output(x))

    def draw(self, B: int, step: int, dtype: DTypeLike) -> list[Array | None]:
        """A mask (B, O) a hidden layer."""
        return masks(self.config, B, self.seed, step, dtype)
