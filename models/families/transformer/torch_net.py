"""The transformer's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, T places, I inputs of a time step, D features, h heads, d = D / h, K outputs.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn
from torch.nn import functional

from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.weights import initial_weights, masks, sines
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss

Masks = Sequence[Tensor | None]


class TorchTransformer(nn.Module):
    """Starts at the weights of `TransformerNet`, and draws its masks."""

    sines: Tensor

    def __init__(
        self,
        config: TransformerConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike,
    ) -> None:
        super().__init__()
        self.config, self.seed, self.loss = config, seed, TorchLoss(loss)
        self.T, D = config.places(shape[0]), config.hidden_size
        self.embedding = nn.Linear(config.patch * shape[1], D)
        if config.positions == "learned":
            self.positions = nn.Embedding(self.T, D)
        self.register_buffer("sines", torch.from_numpy(sines(self.T, D, dtype)), persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm, self.classifier = nn.LayerNorm(D), nn.Linear(D, outputs)
        arrays = initial_weights(config, shape, outputs, seed, dtype)
        self.load_state_dict({name: torch.from_numpy(w) for name, w in arrays.items()}, assign=True)

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms over inputs (B, time steps, I), targets (B,); dropout by (seed, step), in training only."""
        drawn = self.masks(inputs, step) if self.training else self._no_masks()
        return self.loss.terms(self._outputs(inputs, drawn), targets, self.named_parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (B, K), without dropout."""
        return self._outputs(inputs, self._no_masks())

    def probe(self, inputs: Tensor, targets: Tensor | None = None) -> dict[str, Tensor]:
        """What figures ask for: how much each place looks at each, (B, h, T, T) a block."""
        maps: list[Tensor] = []
        self._outputs(inputs, self._no_masks(), maps)
        return {f"attention{i}": p for i, p in enumerate(maps)}

    def _outputs(self, inputs: Tensor, drawn: Masks, maps: list[Tensor] | None = None) -> Tensor:
        B, steps, _ = inputs.shape
        padded = functional.pad(inputs, (0, 0, 0, -steps % self.config.patch))
        x = self.embedding(padded.reshape(B, self.T, -1))
        if self.config.positions:
            x = x + (self.sines if self.config.positions == "sines" else self.positions.weight)
        x = dropout(x, drawn[0])
        for i, block in enumerate(self.blocks):
            x = block(x, drawn[1 + 2 * i : 3 + 2 * i], maps)
        return cast(Tensor, self.classifier(self.norm(x).mean(dim=1)))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def masks(self, inputs: Tensor, step: int) -> list[Tensor | None]:
        """A mask (B, T, D) of the patches and of each layer that adds to them: those of the by-hand network."""
        dtype = np.float64 if inputs.dtype is torch.float64 else np.float32
        drawn = masks(self.config, len(inputs), self.T, self.seed, step, dtype)
        return [None if mask is None else torch.as_tensor(mask).to(inputs) for mask in drawn]

    def _no_masks(self) -> Masks:
        return [None] * (1 + 2 * self.config.num_layers)


class Block(nn.Module):
    """x + attention(norm(x)), then x + dense layers(norm(x)), of x (B, T, D)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        D, self.heads = config.hidden_size, config.heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(D), nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.norm2, self.up = nn.LayerNorm(D), nn.Linear(D, config.feed_forward)
        self.down = nn.Linear(config.feed_forward, D)

    def forward(self, x: Tensor, drawn: Masks, maps: list[Tensor] | None) -> Tensor:
        of_attention, of_dense = drawn
        x = x + dropout(self.out(self._attend(self.norm1(x), maps)), of_attention)
        between = functional.gelu(self.up(self.norm2(x)), approximate="tanh")
        return x + dropout(self.down(between), of_dense)

    def _attend(self, x: Tensor, maps: list[Tensor] | None) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, h, T, d) each
        if maps is not None:
            maps.append((q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1))
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def dropout(x: Tensor, mask: Tensor | None) -> Tensor:
    """x ⊙ mask; None lets everything pass."""
    return x if mask is None else x * mask
