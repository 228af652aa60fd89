"""The image classifier by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: N samples, B batch, C channels, H height, W width, K outputs.
"""

import math
from collections.abc import Callable, Sequence

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
from duograd.models.layers.norm import batch_norm, group_norm
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.layers.threads import Threads
from duograd.models.loss import OutputLoss

Grads = dict[str, Array]
Back = Callable[[Array], tuple[Array | None, Grads]]
"""dy -> dx, gradients by the parameter's name within its layer. dy may be overwritten."""
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
            grads = backward(error_backward())
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

    def _train(self, x: Array, dropout_masks: Sequence[Array]) -> tuple[Array, Callable[[Array], Grads]]:
        """Logits, and backward(dlogits) -> the gradient of every parameter."""
        remaining = iter(dropout_masks)
        x = self._own(x)
        backs: list[tuple[str, Back]] = []
        for i, layer in enumerate(self.layers):
            mask = next(remaining) if isinstance(layer, Dropout) else None
            x, back = self._forward(layer, x, mask, training=True, needs_dx=i > self.first)
            backs.append((getattr(layer, "name", ""), back))

        def backward(d: Array | None) -> Grads:
            grads: Grads = {}
            while backs:  # each is let go as soon as it is done, with the arrays that it keeps
                name, back = backs.pop()
                if d is None:
                    break
                d, layer_grads = back(d)
                grads |= {f"{name}.{key}": g for key, g in layer_grads.items()}
            return grads

        return x, backward

    def _predict_chunk(self, x: Array, maps: Maps | None = None) -> Array:
        """Logits of a few samples; what each activation gives goes into the maps."""
        x = self._own(x)
        for layer in self.layers:
            x, _ = self._forward(layer, x, None, training=False, needs_dx=False)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x.copy()
        return x

    def _own(self, x: Array) -> Array:
        """A copy where the first layer would work in place on the caller's images."""
        return x.copy() if isinstance(self.layers[0], Activation) else x

    # -- one layer ---------------------------------------------------------------------------------------------------

    def _forward(
        self, layer: Layer, x: Array, mask: Array | None, *, training: bool, needs_dx: bool
    ) -> tuple[Array, Back]:
        threads = self.threads
        match layer:
            case Conv():
                W, b = self._weights(layer.name)
                return conv2d(x, W, b, layer.stride, layer.padding, needs_dx=needs_dx, threads=threads)
            case Affine():
                return affine(x, *self._weights(layer.name), needs_dx=needs_dx, threads=threads)
            case Norm():
                return self._norm(layer, x, training)
            case Activation():
                return activated(layer.kind, x)
            case Dropout():
                return without_weights(dropout(x, mask))
            case Pool(kind, size, stride):
                pool = max_pool2d if kind == "max" else average_pool2d
                return without_weights(pool(x, size, stride, threads=threads))
            case GlobalPool():
                return without_weights(global_average_pool(x))
            case Flatten():
                return x.reshape(len(x), math.prod(x.shape[1:])), lambda dy: (dy.reshape(x.shape), {})

    def _norm(self, layer: Norm, x: Array, training: bool) -> tuple[Array, Back]:
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


def without_weights(layer: tuple[Array, Callable[[Array], Array]]) -> tuple[Array, Back]:
    """A layer without parameters, in the form of those that have some."""
    y, backward = layer
    return y, lambda dy: (backward(dy), {})
