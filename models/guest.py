"""A network of anybody's: an object with params, loss_and_grad and predict, as the engine asks for it.

Legend: B batch, K outputs.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError

NEEDED = ("params", "loss_and_grad", "predict")


class GuestNet:
    """params: a dict of arrays, changed in place, so that the object must not keep others. Raises ArchitectureError.

    loss_and_grad(inputs, targets[, step]) -> the loss or its terms, gradients by name; predict(inputs) -> outputs.
    evaluate(inputs, targets) -> terms, probe and buffers may be left out: the chosen loss of `predict`, and nothing.
    """

    def __init__(self, net: Any, loss: Any, outputs: int | None, dtype: DTypeLike, where: str) -> None:
        """outputs: how many it must say of a sample; None for any. where: the file, for people."""
        if missing := [name for name in NEEDED if not hasattr(net, name)]:
            raise ArchitectureError(
                f"{type(net).__name__} has no {', '.join(missing)}: give a duograd.Chain, or an object with params, "
                "loss_and_grad and predict"
            )
        _require_arguments(net.loss_and_grad, "inputs", "targets")
        _require_arguments(net.predict, "inputs")
        self.net, self.loss, self.expected, self.where = net, loss, outputs, where
        if not isinstance(net.params, dict):
            raise ArchitectureError(
                f"{type(net).__name__}.params is {_what(net.params)}: give a dict of arrays of floats"
            )
        for name, w in net.params.items():
            if not (isinstance(w, np.ndarray) and w.dtype.kind == "f"):
                raise ArchitectureError(f"parameter {name} is {_what(w)}: give an array of floats")
            net.params[name] = np.ascontiguousarray(w, dtype)
        self.steps = "step" in inspect.signature(net.loss_and_grad).parameters

    @property
    def params(self) -> dict[str, Array]:
        """By name, as the object has them."""
        params: dict[str, Array] = self.net.params
        return params

    @property
    def buffers(self) -> dict[str, Array]:
        """What it carries along."""
        return dict(getattr(self.net, "buffers", {}))

    def loss_and_grad(self, inputs: Array, targets: Any, step: int = 0) -> tuple[dict[str, float], dict[str, Array]]:
        """Terms, and gradients by parameter. Raises ArchitectureError where these are not the parameters'."""
        returned = self.net.loss_and_grad(inputs, targets, **({"step": step} if self.steps else {}))
        if not (isinstance(returned, tuple | list) and len(returned) == 2 and isinstance(returned[1], Mapping)):
            raise ArchitectureError(f"loss_and_grad returns {_what(returned)}: give (loss, gradients by name)")
        value, grads = returned
        if grads.keys() != self.params.keys():
            odd = ", ".join(sorted(grads.keys() ^ self.params.keys()))
            raise ArchitectureError(f"loss_and_grad gives other gradients than there are parameters: {odd}")
        for name, w in self.params.items():
            require_gradient(name, np.shape(grads[name]), w.shape, self.where)
        return terms(value), grads

    def evaluate(self, inputs: Array, targets: Any) -> dict[str, float]:
        """Terms without a gradient."""
        if hasattr(self.net, "evaluate"):
            return terms(self.net.evaluate(inputs, targets))
        measured: dict[str, float] = self.loss.evaluate(self.predict(inputs), targets, self.params)
        return measured

    def predict(self, inputs: Array) -> Array:
        """Outputs (B, K)."""
        outputs = np.asarray(self.net.predict(inputs))
        require_outputs(outputs.shape, inputs.shape, self.expected, self.where)
        return outputs

    def probe(self, inputs: Array, targets: Any = None) -> dict[str, Array]:
        """What figures ask for."""
        return dict(self.net.probe(inputs, targets)) if hasattr(self.net, "probe") else {}


def require_outputs(shape: tuple[int, ...], inputs: tuple[int, ...], outputs: int | None, where: str) -> None:
    """Raises ArchitectureError where a network's outputs are not so many a sample."""
    if outputs is not None and shape != (expected := (inputs[0], outputs)):
        raise ArchitectureError(
            f"{where} gives outputs of shape {tuple(shape)} for inputs of shape {tuple(inputs)}: expected {expected}, "
            f"{outputs} a sample"
        )


def require_gradient(name: str, shape: tuple[int, ...], parameter: tuple[int, ...], where: str) -> None:
    """Raises ArchitectureError where a gradient has another shape than its parameter."""
    if shape != parameter:
        raise ArchitectureError(f"{where}: the gradient of {name} has shape {shape}, the parameter {parameter}")


def terms(value: Any) -> dict[str, float]:
    """A loss by itself is the one term. Raises ArchitectureError where there is none called `loss`, or no number."""
    named = value if isinstance(value, Mapping) else {"loss": value}
    if "loss" not in named:
        raise ArchitectureError(f"its terms are {', '.join(named)}: give what is minimised as 'loss'")
    for name, term in named.items():
        try:
            float(term)
        except (TypeError, ValueError):
            raise ArchitectureError(f"its term '{name}' is {_what(term)}: give a number") from None
    return dict(named) if isinstance(value, Mapping) else {"loss": float(value)}


def _require_arguments(method: Any, *arguments: str) -> None:
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError as error:
        raise ArchitectureError(f"{method.__qualname__}({', '.join(arguments)}) is called: {error}") from None


def _what(value: Any) -> str:
    return f"an array of {value.dtype}, {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
