"""The dense stack by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: I inputs, O outputs of a layer, K outputs of the network.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from duograd.models.arrays import Array
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.weights import initial_buffers, initial_weights, masks
from duograd.models.layers.activations import activation
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.layer import Back, Layer, chain, named, plain
from duograd.models.layers.norm import layer_norm
from duograd.models.net import Net


class MlpNet(Net[MlpConfig]):
    """Dense layers; shape (I,)."""

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """See Net."""
        self.params = initial_weights(self.config, shape[-1], outputs, self.seed, self.dtype)
        self.buffers = initial_buffers(self.config, self.dtype)

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """See Net."""
        return chain(self._layers(masks(self.config, len(x), self.seed, step, self.dtype), training=True))(x)

    def outputs(self, x: Array) -> Array:
        """See Net."""
        return chain(self._layers([None] * len(self.config.dense), training=False))(x)[0]

    def _layers(self, masks: Sequence[Array | None], *, training: bool) -> Iterator[Layer]:
        """dropout(activation(norm(x Wᵀ + b))) for each mask, and the layer that gives the outputs."""
        for i, mask in enumerate(masks):
            yield self._affine(f"dense{i}", needs_dx=i > 0)
            if self.config.dense_norm:
                yield named(f"norm{i}", partial(self._norm, f"norm{i}", training))
            yield plain(partial(activation, self.config.activation))
            yield plain(partial(dropout, mask=mask))
        yield self._affine("output", needs_dx=bool(masks))

    def _affine(self, name: str, needs_dx: bool) -> Layer:
        W, b = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
        return named(name, lambda x: affine(x, W, b, needs_dx=needs_dx, threads=self.threads))

    def _norm(self, name: str, training: bool, z: Array) -> tuple[Array, Back]:
        weight, bias = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
        if self.config.dense_norm == "layer":
            return layer_norm(z, weight, bias, threads=self.threads)
        running = {key: self.buffers[f"{name}.running_{key}"] for key in ("mean", "var")}
        return batch_norm(z, weight, bias, running, training=training, threads=self.threads)
