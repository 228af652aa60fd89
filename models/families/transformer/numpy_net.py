"""The transformer by hand: patches and their positions, blocks, the mean of all places, a loss of what it says.

A step is shared out by samples: each share goes all the way forward by itself, its errors all the way back, and the
shares' gradients are added in order.

Legend: B batch, T places, I inputs of a time step, D features, h heads, K outputs.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from duograd.models.arrays import Array
from duograd.models.families.transformer.block import block, dense, dropped, normed
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.weights import initial_weights, masks, sines
from duograd.models.layers.attention import Watch
from duograd.models.layers.layer import Back, Grads, Layer, chain
from duograd.models.layers.threads import ordered_sum, shares
from duograd.models.net import Net

PLACES = 2048  # predicted at once, so that what is between layers stays in cache. Part of the result.
Masks = Sequence[Array | None]


class TransformerNet(Net[TransformerConfig]):
    """Blocks over patches; shape (time steps, I)."""

    by_samples = True

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """See Net."""
        self.T = self.config.places(shape[0])
        self.params = initial_weights(self.config, shape, outputs, self.seed, self.dtype)
        self.sines = sines(self.T, self.config.hidden_size, self.dtype)

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """See Net."""
        drawn = masks(self.config, len(x), self.T, self.seed, step, self.dtype)
        parts = shares(len(x), max(1, len(x)))
        passes = self.threads.map(lambda part: self._forward(x[part], [of(m, part) for m in drawn]), parts)

        def backward(d: Array) -> tuple[None, Grads]:
            by_part = self.threads.map(lambda part, each: each[1](d[part])[1], parts, passes)
            return None, {name: ordered_sum(g[name] for g in by_part) for name in self.params}

        return np.concatenate([y for y, _ in passes]), backward

    def outputs(self, x: Array) -> Array:
        """See Net."""
        return self._forward(x, self._no_masks())[0]

    def parts(self, N: int) -> list[slice]:
        """See Net."""
        return shares(N, max(1, PLACES // self.T))

    def probe(self, inputs: Array, targets: Array | None = None) -> dict[str, Array]:
        """What figures ask for: how much each place looks at each, (B, h, T, T) a block."""
        maps: list[Array] = []
        self._forward(inputs, self._no_masks(), maps.append)
        return {f"attention{i}": p for i, p in enumerate(maps)}

    def _forward(self, x: Array, masks: Masks, watch: Watch | None = None) -> tuple[Array, Back]:
        """x (B, time steps, I) -> outputs (B, K), and backward(doutputs) -> the gradient of every parameter."""
        c, of_patches, of_blocks = self.config, masks[0], masks[1:]
        layers: list[Layer] = [dense(self.params, "embedding"), self._place, dropped(of_patches)]
        for i in range(c.num_layers):
            layers.append(block(self.params, f"blocks.{i}", c.heads, self.T, of_blocks[2 * i : 2 * i + 2], watch))
        layers += [normed(self.params, "norm"), partial(mean_of_places, T=self.T), dense(self.params, "classifier")]
        return chain(layers)(patches(x, c.patch))

    def _place(self, x: Array) -> tuple[Array, Back]:
        """Each patch's features (B · T, D) and its position's."""
        if self.config.positions is None:
            return x, lambda dy: (dy, {})
        learned = self.config.positions == "learned"
        E = self.params["positions.weight"] if learned else self.sines
        by_sample = (-1, *E.shape)
        y = (x.reshape(by_sample) + E).reshape(x.shape)
        return y, lambda dy: (dy, {"positions.weight": dy.reshape(by_sample).sum(axis=0)} if learned else {})

    def _no_masks(self) -> Masks:
        return [None] * (1 + 2 * self.config.num_layers)


def patches(x: Array, size: int) -> Array:
    """x (B, time steps, I) -> (B · T, size · I), the last of a sample filled up with zeros."""
    _, steps, I = x.shape
    padded = np.pad(x, ((0, 0), (0, -steps % size), (0, 0))) if steps % size else x
    return padded.reshape(-1, size * I)


def mean_of_places(x: Array, T: int) -> tuple[Array, Back]:
    """(B · T, D) -> (B, D), backward."""
    y = x.reshape(-1, T, x.shape[1]).mean(axis=1)
    return y, lambda dy: (np.repeat(dy / T, T, axis=0), {})


def of(mask: Array | None, part: slice) -> Array | None:
    """A mask (B, T, D) of some samples, (n · T, D)."""
    return None if mask is None else mask[part].reshape(-1, mask.shape[2])
