"""The image classifier by hand: its layers' forward passes in order, their backward passes in reverse.

Legend: B batch, C channels, F filters, H height, W width.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

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
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.layer import Back, chain, flatten, named, plain
from duograd.models.layers.layer import Layer as ByHand
from duograd.models.layers.norm import group_norm
from duograd.models.layers.pool import average_pool2d, global_average_pool, max_pool2d
from duograd.models.net import Net

Maps = dict[str, Array]
ROWS = 250  # samples that are predicted at once; bounds the memory that evaluation takes


class ConvNet(Net[ConvNetConfig]):
    """Convolutions and dense layers; shape (C, H, W)."""

    rows = ROWS

    def build(self, shape: Shape, outputs: int) -> None:
        """See Net."""
        self.layers = architecture(self.config, shape, outputs)
        self.fewest_values = pools_first(self.layers)
        self.params = initial_weights(self.config, shape, outputs, self.seed, self.dtype)
        self.buffers = initial_buffers(self.layers, self.dtype)
        self.first = next(i for i, layer in enumerate(self.layers) if isinstance(layer, Conv | Norm | Affine))

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """See Net."""
        remaining = iter(masks(self.layers, len(x), self.seed, step, self.dtype))
        drawn = [next(remaining) if isinstance(layer, Dropout) else None for layer in self.fewest_values]
        steps = zip(self.fewest_values, drawn, strict=True)
        by_hand = (self._by_hand(layer, mask, True, i > self.first) for i, (layer, mask) in enumerate(steps))
        return chain(by_hand)(self._own(x))

    def outputs(self, x: Array, maps: Maps | None = None) -> Array:
        """See Net; what each activation gives goes into the maps."""
        x = self._own(x)
        for layer in self.fewest_values if maps is None else self.layers:
            x, _ = self._by_hand(layer, None, training=False, needs_dx=False)(x)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x.copy()
        return x

    def probe(self, inputs: Array, targets: Array | None = None) -> Maps:
        """What figures ask for: the activation maps (B, F, H, W) of each convolution, by its name."""
        maps: Maps = {}
        with self.threads.single_blas_thread():
            self.outputs(inputs, maps)
        return {name: a for name, a in maps.items() if name.startswith("conv")}

    def _own(self, x: Array) -> Array:
        """A copy where the first layer would work in place on the caller's images."""
        return x.copy() if isinstance(self.layers[0], Activation) else x

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


def pools_first(layers: Sequence[Layer]) -> list[Layer]:
    """A ReLU and a max pool in either order give the same, and the same gradient: here the pool comes first, so that a
    2 × 2 pool leaves a quarter of the values to the ReLU."""
    ordered = list(layers)
    for i, pair in enumerate(pairwise(layers)):
        match pair:
            case Activation(_, "relu") as relu, Pool("max") as pool:
                ordered[i : i + 2] = pool, relu
    return ordered


def activated(kind: str, z: Array) -> tuple[Array, Back]:
    """The activation in place: z becomes y, and dy becomes dz. Nobody else needs z: no layer keeps its own output."""
    function = ACTIVATIONS[kind]
    y = function.forward(z)
    return y, lambda dy: (function.backward(dy, y), {})
