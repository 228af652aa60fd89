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
from duograd.models.layers.init import DRAWS
from duograd.models.layers.layer import flatten as flatten
from duograd.models.layers.threads import Threads
from duograd.models.loss import OutputLoss

Grads = dict[str, Array]
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


class ChainNet:
    """The network of a chain: parameters, the loss and its gradient. Not for use by two threads at once."""

    def __init__(
        self,
        chain: Chain,
        loss: OutputLoss,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
        init: str = "torch",
    ) -> None:
        self.layers, self.loss, self.seed = list(chain.parts()), loss, seed
        self.threads = Threads(threads)
        self.buffers: dict[str, Array] = {}
        rng = np.random.default_rng(seed)
        self.params = {
            f"{i}.{name}": np.ascontiguousarray(w, dtype)
            for i, layer in enumerate(self.layers)
            for name, w in layer.initial(rng, init).items()
        }

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over a batch, and its gradient. What is random in a layer depends on (seed, step)."""
        with self.threads.single_blas_thread():
            outputs, backward = self._forward(inputs, step)
            error, error_backward = self.loss.error(outputs, targets)
            grads = backward(error_backward())
        penalty, decay = self.loss.penalty(self.params)
        for name, dW in decay.items():
            grads[name] = grads[name] + dW
        return self.loss.terms(outputs, targets, error, penalty), {name: grads[name] for name in self.params}

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms; nothing random."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, K)."""
        with self.threads.single_blas_thread():
            return self._forward(inputs)[0]

    def probe(self, inputs: Array, targets: Array | None = None) -> dict[str, Array]:
        """What figures ask for: nothing of this network."""
        return {}

    def _forward(self, x: Array, step: int | None = None) -> tuple[Array, Callable[[Array], Grads]]:
        """x (B, …) -> outputs (B, K), and backward(doutputs) -> the gradient of every parameter."""
        backs = []
        for i, layer in enumerate(self.layers):
            x, back = self._call(i, layer, x, step)
            backs.append(back)

        def backward(d: Array) -> Grads:
            grads: Grads = {}
            for i, layer in reversed(list(enumerate(self.layers))):
                d, of_layer = _returned(i, layer, backs[i](d))
                grads |= of_layer
            return grads

        return x, backward

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


def _returned(i: int, layer: Layer, result: Any) -> tuple[Array, Grads]:
    """dx and gradients by the parameter's name, of whatever form a backward has. Raises ArchitectureError."""
    names = list(layer.parameters)
    dx, *rest = result if isinstance(result, tuple) else (result,)
    grads = rest[0] if len(rest) == 1 and isinstance(rest[0], Mapping) else dict(zip(names, rest, strict=False))
    if missing := [name for name in names if name not in grads]:
        raise ArchitectureError(
            f"layer {i}, {layer.name}: its backward gives no gradient of {', '.join(missing)}: return dx, "
            f"{{{', '.join(f'{name!r}: …' for name in names)}}}"
        )
    return dx, {f"{i}.{name}": np.asarray(grads[name]) for name in names}
