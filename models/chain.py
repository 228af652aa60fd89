"""A network as a chain of layers: each a function that returns (y, backward), ours or anybody's.

    Chain([Layer(affine, weight=(32, I), bias=(32,)), relu, Layer(affine, weight=(K, 32), bias=(K,))])

It has loss, gradient, evaluation and initial weights for nothing. Parameters are called as in torch's `nn.Sequential`
of as many modules, `0.weight`, `0.bias`, `2.weight`, …, so that one is its twin.

Legend: B batch, I inputs, K outputs of the network.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.guest import require_gradient, require_outputs
from duograd.models.layers.init import DRAWS
from duograd.models.layers.layer import Back, Grads, chain
from duograd.models.layers.layer import Layer as ByHand
from duograd.models.layers.layer import flatten as flatten
from duograd.models.loss import OutputLoss
from duograd.models.net import Net

Forward = Callable[..., tuple[Array, Callable[[Array], Any]]]
"""(x, parameters in turn) -> y, backward(dy) -> dx, or (dx, {name: gradient}), or (dx, gradients in turn)."""
INITS = ("torch", *DRAWS)
NOISE = 3  # sets the layers' random numbers apart from those of the initial weights, which have the same seed


class Layer:
    """A function with its parameters: each a shape, to be drawn, or an array, at which it starts.

    Matrices and filters are drawn by the chain's scheme, vectors start at 0 (by the scheme `torch`: at ± 1/√fan_in).
    A function that takes `rng` has a generator in training, None else; `threads` those of the network.
    """

    def __init__(self, forward: Forward, **parameters: tuple[int, ...] | Array) -> None:
        self.forward, self.parameters = forward, parameters
        self.extra = [name for name in ("rng", "threads") if _takes(forward, name) and name not in parameters]

    @property
    def name(self) -> str:
        """Of its function."""
        inner = self.forward.func if isinstance(self.forward, partial) else self.forward
        return str(getattr(inner, "__name__", type(inner).__name__))

    def initial(self, rng: np.random.Generator, scheme: str) -> dict[str, Array]:
        """Its parameters at the start."""
        shapes = [p for p in self.parameters.values() if not isinstance(p, np.ndarray)]
        fan_in = next((math.prod(shape[1:]) for shape in shapes if len(shape) > 1), 0)
        limit = 1 / math.sqrt(fan_in) if scheme == "torch" and fan_in else 0.0
        return {name: _drawn(rng, p, scheme, limit) for name, p in self.parameters.items()}


def _takes(forward: Forward, name: str) -> bool:
    try:
        return name in inspect.signature(forward).parameters
    except (TypeError, ValueError):  # of what is written in C
        return False


def _drawn(rng: np.random.Generator, parameter: tuple[int, ...] | Array, scheme: str, limit: float) -> Array:
    if isinstance(parameter, np.ndarray):
        return parameter.copy()
    if len(parameter) > 1 and scheme != "torch":
        return DRAWS[scheme](rng, parameter)
    return rng.uniform(-limit, limit, parameter)


@dataclass(frozen=True)
class Chain:
    """layers: functions of x alone, and `Layer`s where there are parameters."""

    layers: Sequence[Layer | Forward]

    def parts(self) -> Iterator[Layer]:
        """Each as a Layer."""
        return (part if isinstance(part, Layer) else Layer(part) for part in self.layers)


class ChainNet(Net[Chain]):
    """The network of a chain. init: the scheme by which its layers' parameters are drawn."""

    def __init__(
        self,
        chain: Chain,
        loss: OutputLoss,
        outputs: int,
        seed: int,
        dtype: DTypeLike,
        threads: int | None,
        init: str,
        where: str,
    ) -> None:
        """outputs: how many it must say of a sample. where: the file, for people."""
        self.init, self.expected, self.where = init, outputs, where
        super().__init__(chain, loss, (), outputs, seed, dtype, threads)  # its layers know their shapes

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """See Net."""
        self.layers = list(self.config.parts())
        rng = np.random.default_rng(self.seed)
        self.params = {
            f"{i}.{name}": np.ascontiguousarray(w, self.dtype)
            for i, layer in enumerate(self.layers)
            for name, w in layer.initial(rng, self.init).items()
        }

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """See Net."""
        y, backward = chain(self._by_hand(i, layer, step) for i, layer in enumerate(self.layers))(x)
        require_outputs(y.shape, x.shape, self.expected, self.where)
        return y, backward

    def outputs(self, x: Array) -> Array:
        """See Net."""
        y = x
        for i, layer in enumerate(self.layers):
            y = self._call(i, layer, y, None)[0]
        require_outputs(y.shape, x.shape, self.expected, self.where)
        return y

    def _by_hand(self, i: int, layer: Layer, step: int) -> ByHand:
        """A layer that gives dx and all gradients, whatever form its own backward has."""

        def by_hand(x: Array) -> tuple[Array, Back]:
            y, back = self._call(i, layer, x, step)
            return y, partial(self._backward, i, layer, back)

        return by_hand

    def _backward(self, i: int, layer: Layer, back: Callable[[Array], Any], dy: Array) -> tuple[Array | None, Grads]:
        """dx and gradients by the parameter's name, as a backward gives them. Raises ArchitectureError."""
        dx, grads = _gradients(i, layer, back(dy))
        for name, gradient in grads.items():
            require_gradient(name, gradient.shape, self.params[name].shape, self.where)
        return dx, grads

    def _call(self, i: int, layer: Layer, x: Array, step: int | None) -> tuple[Array, Callable[[Array], Any]]:
        rng = None if step is None else np.random.default_rng((self.seed, step, NOISE, i))
        extra = {name: {"rng": rng, "threads": self.threads}[name] for name in layer.extra}
        return layer.forward(x, *(self.params[f"{i}.{name}"] for name in layer.parameters), **extra)

    def check(self, inputs: Array) -> None:
        """Raises ArchitectureError, naming the layer and all its shapes, where one cannot take what it is given."""
        x = inputs
        for i, layer in enumerate(self.layers):
            shapes = {"x": x.shape, **{name: self.params[f"{i}.{name}"].shape for name in layer.parameters}}
            takes = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            try:
                result: Any = self._call(i, layer, x, 0)
            except Exception as error:
                raise ArchitectureError(f"layer {i}, {layer.name}, cannot take {takes}: {error}") from error
            if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
                raise ArchitectureError(f"layer {i}, {layer.name}, returns {type(result).__name__}: give (y, backward)")
            x = result[0]


def _gradients(i: int, layer: Layer, result: Any) -> tuple[Array | None, Grads]:
    """dx and gradients by the parameter's name, of whatever form a backward's result has. Raises ArchitectureError."""
    names = list(layer.parameters)
    dx, *rest = result if isinstance(result, tuple) else (result,)
    grads = rest[0] if len(rest) == 1 and isinstance(rest[0], Mapping) else dict(zip(names, rest, strict=False))
    if dx is None and i:
        raise ArchitectureError(f"layer {i}, {layer.name}: its backward gives no dx, which layer {i - 1} needs")
    if missing := [name for name in names if name not in grads]:
        raise ArchitectureError(
            f"layer {i}, {layer.name}: its backward gives no gradient of {', '.join(missing)}: return dx, "
            f"{{{', '.join(f'{name!r}: …' for name in names)}}}"
        )
    return dx, {f"{i}.{name}": np.asarray(grads[name]) for name in names}
