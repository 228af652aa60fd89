"""The dense stack by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: N samples, B batch, I inputs, O outputs of a layer, K outputs of the network.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.weights import initial_buffers, initial_weights, masks
from duograd.models.layers.activations import activation
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.norm import batch_norm, layer_norm
from duograd.models.layers.threads import Threads
from duograd.models.loss import OutputLoss

Grads = dict[str, Array]
Back = Callable[[Array], tuple[Array | None, Grads]]
"""dy -> dx, gradients by the parameter's name."""


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
            outputs, backward = self._forward(inputs, drawn, training=True)
            error, error_backward = self.loss.error(outputs, targets)
            grads = backward(error_backward())
        terms = self.loss.penalised(outputs, targets, error, self.params, grads)
        return terms, {name: grads[name] for name in self.params}

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, I) and their targets: no dropout, running averages."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, K)."""
        with self.threads.single_blas_thread():
            return self._forward(inputs, [None] * len(self.config.dense), training=False)[0]

    def probe(self, inputs: Array, targets: Array | None = None) -> dict[str, Array]:
        """What figures ask for: nothing of this network."""
        return {}

    def _forward(
        self, x: Array, masks: Sequence[Array | None], *, training: bool
    ) -> tuple[Array, Callable[[Array], Grads]]:
        """x (B, I) -> outputs (B, K), and backward(doutputs) -> the gradient of every parameter."""
        backs: list[Back] = []
        for i, mask in enumerate(masks):
            x, back = self._hidden(i, x, mask, training)
            backs.append(back)
        outputs, last = self._affine("output", x, needs_dx=bool(backs))

        def backward(d: Array | None) -> Grads:
            grads: Grads = {}
            for back in (last, *reversed(backs)):
                assert d is not None  # only the first layer gives none
                d, of_layer = back(d)
                grads |= of_layer
            return grads

        return outputs, backward

    def _hidden(self, i: int, x: Array, mask: Array | None, training: bool) -> tuple[Array, Back]:
        """y = dropout(activation(norm(x Wᵀ + b)))."""
        z, affine_back = self._affine(f"dense{i}", x, needs_dx=i > 0)
        normal, norm_back = self._norm(i, z, training)
        a, activation_back = activation(self.config.activation, normal)
        y, dropout_back = dropout(a, mask)

        def backward(dy: Array) -> tuple[Array | None, Grads]:
            dz, of_norm = norm_back(activation_back(dropout_back(dy)))
            assert dz is not None
            dx, of_affine = affine_back(dz)
            return dx, of_affine | of_norm

        return y, backward

    def _affine(self, name: str, x: Array, needs_dx: bool) -> tuple[Array, Back]:
        W, b = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
        return named(name, affine(x, W, b, needs_dx=needs_dx, threads=self.threads))

    def _norm(self, i: int, z: Array, training: bool) -> tuple[Array, Back]:
        name = f"norm{i}"
        if self.config.dense_norm is None:
            return z, lambda dy: (dy, {})
        weight, bias = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
        if self.config.dense_norm == "layer":
            return named(name, layer_norm(z, weight, bias, threads=self.threads))
        running = {key: self.buffers[f"{name}.running_{key}"] for key in ("mean", "var")}
        return named(name, batch_norm(z, weight, bias, running, training=training, threads=self.threads))


def named(name: str, layer: tuple[Array, Callable[[Array], tuple[Array | None, Grads]]]) -> tuple[Array, Back]:
    """A layer whose gradients bear its name."""
    y, back = layer

    def backward(dy: Array) -> tuple[Array | None, Grads]:
        dx, grads = back(dy)
        return dx, {f"{name}.{key}": g for key, g in grads.items()}

    return y, backward
