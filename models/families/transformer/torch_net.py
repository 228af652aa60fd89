"""The transformer's torch twin: the same parameters and loss, its gradient by autograd.

Legend: B batch, T places, I inputs of a time step, D features, h heads, d = D / h, K outputs.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn
from torch.nn import functional

from duograd.models.arrays import Array
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.weights import initial_weights, masks, sines
from duograd.models.torch_net import TorchNet, dropout

Masks = Sequence[Tensor | None]


class TorchTransformer(TorchNet[TransformerConfig]):
    """The twin of `TransformerNet`."""

    sines: Tensor

    def build(self, shape: tuple[int, ...], outputs: int, dtype: DTypeLike) -> dict[str, Array]:
        """See TorchNet."""
        config, D = self.config, self.config.hidden_size
        self.T = config.places(shape[0])
        self.embedding = nn.Linear(config.patch * shape[1], D)
        if config.positions == "learned":
            self.positions = nn.Embedding(self.T, D)
        self.register_buffer("sines", torch.from_numpy(sines(self.T, D, dtype)), persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm, self.classifier = nn.LayerNorm(D), nn.Linear(D, outputs)
        return initial_weights(config, shape, outputs, self.seed, dtype)

    def probe(self, inputs: Tensor, targets: Any = None) -> dict[str, Tensor]:
        """What figures ask for: how much each place looks at each, (B, h, T, T) a block."""
        maps: list[Tensor] = []
        self.outputs(inputs, maps=maps)
        return {f"attention{i}": p for i, p in enumerate(maps)}

    def outputs(self, x: Tensor, masks: Masks | None = None, maps: list[Tensor] | None = None) -> Tensor:
        """See TorchNet; what each place looks at goes into the maps."""
        maps = [] if self.unfused and maps is None else maps
        drawn = masks or [None] * (1 + 2 * self.config.num_layers)
        B, steps, _ = x.shape
        padded = functional.pad(x, (0, 0, 0, -steps % self.config.patch))
        x = self.embedding(padded.reshape(B, self.T, -1))
        if self.config.positions:
            x = x + (self.sines if self.config.positions == "sines" else self.positions.weight)
        x = dropout(x, drawn[0])
        for i, block in enumerate(self.blocks):
            x = block(x, drawn[1 + 2 * i : 3 + 2 * i], maps)
        return cast(Tensor, self.classifier(self.norm(x).mean(dim=1)))

    def draw(self, B: int, step: int, dtype: DTypeLike) -> list[Array | None]:
        """A mask (B, T, D) of the patches and of each layer that adds to them."""
        return masks(self.config, B, self.T, self.seed, step, dtype)


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
        if maps is None:
            attended = functional.scaled_dot_product_attention(q, k, v)
        else:
            maps.append((q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1))
            attended = maps[-1] @ v
        return attended.transpose(1, 2).flatten(2)
