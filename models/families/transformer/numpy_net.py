"""The transformer by hand: patches and their positions, blocks, the mean of all places, a loss of what it says.

A step is shared out by samples: each share goes all the way forward by itself, its errors all the way back, and the
shares' gradients are added in order.

Legend: N samples, B batch, T places, I inputs of a time step, D features, h heads, K outputs.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.transformer.block import block, dense, dropped, normed
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.weights import initial_weights, masks, sines
from duograd.models.layers.attention import Watch
from duograd.models.layers.layer import Back, Grads, Layer, chain
from duograd.models.layers.threads import Threads, ordered_sum, shares
from duograd.models.loss import OutputLoss

PLACES = 2048  # predicted at once, so that what is between layers stays in cache. Part of the result.
Masks = Sequence[Array | None]


class TransformerNet:
    """Parameters (torch's names and shapes), the loss and its gradient. Not for use by two threads at once.

    shape: of a sample, (time steps, I). outputs: K, how many values the network says of it.
    threads: None takes the machine's cores; the result does not depend on it. Raises ArchitectureError.
    """

    def __init__(
        self,
        config: TransformerConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.config, self.loss, self.seed, self.dtype = config, loss, seed, np.dtype(dtype)
        self.T = config.places(shape[0])
        self.params = initial_weights(config, shape, outputs, seed, dtype)
        self.buffers: dict[str, Array] = {}  # nothing is carried along
        self.sines = sines(self.T, config.hidden_size, dtype)
        self.threads = Threads(threads)

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over inputs (B, time steps, I), targets (B,), and its gradient. Dropout depends on (seed,
        step)."""
        drawn = masks(self.config, len(inputs), self.T, self.seed, step, self.dtype)
        parts = shares(len(inputs), max(1, len(inputs)))
        with self.threads.single_blas_thread():
            passes = self.threads.map(lambda part: self._forward(inputs[part], [of(m, part) for m in drawn]), parts)
            outputs = np.concatenate([y for y, _ in passes])
            error, error_backward = self.loss.error(outputs, targets)
            d = error_backward()
            by_part = self.threads.map(lambda part, each: each[1](d[part])[1], parts, passes)
        grads = {name: ordered_sum(g[name] for g in by_part) for name in self.params}
        return self.loss.penalised(outputs, targets, error, self.params, grads), grads

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, time steps, I), targets (N,), without dropout."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, K)."""
        parts, still = shares(len(inputs), max(1, PLACES // self.T)), self._no_masks()
        with self.threads.single_blas_thread():
            return np.concatenate(self.threads.map(lambda part: self._forward(inputs[part], still)[0], parts))

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
