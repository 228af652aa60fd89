"""The image classifier by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: N samples, B batch, C channels, H height, W width, K outputs.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import (
    Activation,
    Affine,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Norm,
    Pool,
    Shape,
    architecture,
)
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.weights import initial_buffers, initial_weights, masks
from duograd.models.layers.activations import ACTIVATIONS
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.layer import Back, Grads, chain, flatten, named, plain
from duograd.models.layers.layer import Layer as ByHand
from duograd.models.layers.norm import batch_norm, group_norm
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.layers.threads import Threads
from duograd.models.loss import OutputLoss

Maps = dict[str, Array]
ROWS = 250  # samples that are predicted at once; bounds the memory that evaluation takes


class ConvNet:
    """Parameters (torch's names and shapes), the loss and its gradient. Not for use by two threads at once.

    shape: of a sample, (C, H, W). outputs: K, how many values the network says of it.
    threads: None takes the machine's cores; the result does not depend on it. Raises ArchitectureError.
    """

    def __init__(
        self,
        config: ConvNetConfig,
        loss: OutputLoss,
        shape: Shape,
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.config = config
        self.loss = loss
        self.layers = architecture(config, shape, outputs)
        self.params = initial_weights(config, shape, outputs, seed, dtype)
        self.buffers = initial_buffers(self.layers, dtype)
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.threads = Threads(threads)
        self.first = next(i for i, layer in enumerate(self.layers) if isinstance(layer, Conv | Norm | Affine))

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over inputs (B, C, H, W), targets (B,), and its gradient. Moves the running averages.

        Dropout depends on (seed, step).
        """
        dropout_masks = masks(self.layers, len(inputs), self.seed, step, self.dtype)
        with self.threads.single_blas_thread():
            logits, backward = self._train(inputs, dropout_masks)
            error, error_backward = self.loss.error(logits, targets)
            grads = backward(error_backward())[1]
        terms = self.loss.penalised(logits, targets, error, self.params, grads)
        return terms, {name: grads[name] for name in self.params}

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, C, H, W), targets (N,): no dropout, running averages."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Logits (N, K)."""
        with self.threads.single_blas_thread():
            starts = range(0, max(1, len(inputs)), ROWS)
            return np.concatenate([self._predict_chunk(inputs[start : start + ROWS]) for start in starts])

    def probe(self, inputs: Array, targets: Array | None = None) -> Maps:
        """What figures ask for: the activation maps (B, F, H, W) of each convolution, by its name."""
        maps: Maps = {}
        with self.threads.single_blas_thread():
            self._predict_chunk(inputs, maps)
        return {name: a for name, a in maps.items() if name.startswith("conv")}

    # -- all layers --------------------------------------------------------------------------------------------------

    def _train(self, x: Array, dropout_masks: Sequence[Array]) -> tuple[Array, Back]:
        """Logits, and backward(dlogits) -> None, the gradient of every parameter."""
        remaining = iter(dropout_masks)
        masks = [next(remaining) if isinstance(layer, Dropout) else None for layer in self.layers]
        steps = zip(self.layers, masks, strict=True)
        by_hand = (self._by_hand(layer, mask, True, i > self.first) for i, (layer, mask) in enumerate(steps))
        return chain(by_hand)(self._own(x))

    def _predict_chunk(self, x: Array, maps: Maps | None = None) -> Array:
        """Logits of a few samples; what each activation gives goes into the maps."""
        x = self._own(x)
        for layer in self.layers:
            x, _ = self._by_hand(layer, None, training=False, needs_dx=False)(x)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x.copy()
        return x

    def _own(self, x: Array) -> Array:
        """A copy where the first layer would work in place on the caller's images."""
        return x.copy() if isinstance(self.layers[0], Activation) else x

    # -- one layer ---------------------------------------------------------------------------------------------------

    def _by_hand(self, layer: Layer, mask: Array | None, training: bool, needs_dx: bool) -> ByHand:
        threads = self.threads
        match layer:
            case Conv(name, _, _, _, stride, padding):
                W, b = self._weights(name)
                return named(name, lambda x: conv2d(x, W, b, stride, padding, needs_dx=needs_dx, threads=threads))
            case Affine(name):
                W, b = self._weights(name)
                return named(name, lambda x: affine(x, W, b, needs_dx=needs_dx, threads=threads))
            case Norm(name):
                return named(name, partial(self._norm, layer, training))
            case Activation(_, kind):
                return partial(activated, kind)
            case Dropout():
                return plain(partial(dropout, mask=mask))
            case Pool(kind, size, stride):
                pool = max_pool2d if kind == "max" else average_pool2d
                return plain(lambda x: pool(x, size, stride, threads=threads))
            case GlobalPool():
                return plain(global_average_pool)
            case Flatten():
                return plain(flatten)

    def _norm(self, layer: Norm, training: bool, x: Array) -> tuple[Array, Back]:
        weight, bias = self.params[f"{layer.name}.weight"], self.params[f"{layer.name}.bias"]
        if layer.kind != "batch":
            return group_norm(x, layer.groups, weight, bias, threads=self.threads)
        running = {key: self.buffers[f"{layer.name}.running_{key}"] for key in ("mean", "var")}
        momentum = self.config.norm_momentum
        return batch_norm(x, weight, bias, running, training=training, momentum=momentum, threads=self.threads)

    def _weights(self, name: str) -> tuple[Array, Array | None]:
        return self.params[f"{name}.weight"], self.params.get(f"{name}.bias")


def activated(kind: str, z: Array) -> tuple[Array, Back]:
    """The activation in place: z becomes y, and dy becomes dz. Nobody else needs z: no layer keeps its own output."""
    function = ACTIVATIONS[kind]
    y = function.forward(z)
    return y, lambda dy: (function.backward(dy, y), {})
