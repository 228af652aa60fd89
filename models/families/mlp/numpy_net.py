"""The dense stack by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: N samples, B batch, I inputs, O outputs of a layer, K outputs of the network.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.weights import initial_buffers, initial_weights, masks
from duograd.models.layers.activations import activation
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.layer import Back, Grads, Layer, chain, named, plain
from duograd.models.layers.norm import batch_norm, layer_norm
from duograd.models.layers.threads import Threads
from duograd.models.loss import OutputLoss


class MlpNet:
    """Parameters (torch's names and shapes), the loss and its gradient. Not for use by two threads at once.

    shape: of a sample, (I,). outputs: K, how many values the network says of it. threads: None takes the machine's
    cores; the result does not depend on it.
    """

    def __init__(
        self,
        config: MlpConfig,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.config, self.loss, self.seed, self.dtype = config, loss, seed, np.dtype(dtype)
        self.params = initial_weights(config, shape[-1], outputs, seed, dtype)
        self.buffers = initial_buffers(config, dtype)
        self.threads = Threads(threads)

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over inputs (B, I) and their targets, and its gradient. Moves the running averages.

        Dropout depends on (seed, step).
        """
        drawn = masks(self.config, len(inputs), self.seed, step, self.dtype)
        with self.threads.single_blas_thread():
            outputs, backward = chain(self._layers(drawn, training=True))(inputs)
            error, error_backward = self.loss.error(outputs, targets)
            grads = backward(error_backward())[1]
        terms = self.loss.penalised(outputs, targets, error, self.params, grads)
        return terms, {name: grads[name] for name in self.params}

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, I) and their targets: no dropout, running averages."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, K)."""
        with self.threads.single_blas_thread():
            return chain(self._layers([None] * len(self.config.dense), training=False))(inputs)[0]

    def probe(self, inputs: Array, targets: Array | None = None) -> dict[str, Array]:
        """What figures ask for: nothing of this network."""
        return {}

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
