"""Engines: the only code that knows a backend. Everything else in `runner` speaks NumPy to one of these.

A NumPy run never imports torch: `numpy_engine` and `torch_engine` are imported by `runner.build` alone, one of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from duograd.data.dataset import Batch

Array = NDArray[Any]
Terms = Mapping[str, Any]
"""Loss terms by name, `loss` being what is minimised. Values are read lazily by float(): no device waits until then."""
Grads = dict[str, Array]
AfterIteration = Callable[[Terms, Grads], None]
"""Called after each iteration of a solver, with the terms and the parameters at its start; StopIteration ends it."""


class Engine(Protocol):
    """A network, its optimizer and its randomness on one backend.

    threads: that the last bits of its results depend on; None where they depend on no number of them.
    """

    threads: int | None

    def step(self, batch: Batch, lr: float) -> Terms:
        """Forward, backward, clip, update; the terms are those before the update."""

    def loss_and_grad(self, batch: Batch) -> tuple[Terms, Grads]:
        """Terms, and the gradient of `loss` by parameter."""

    def minimize(self, batch: Batch, iterations: int, after: AfterIteration) -> str:
        """Runs the backend's own L-BFGS on one batch; says why it ended."""

    def evaluate(self, batch: Batch) -> Terms:
        """Terms without a gradient."""

    def predict(self, inputs: Array) -> Array:
        """The network's output."""

    def probe(self, batch: Batch) -> dict[str, Array]:
        """What figures ask for, by name."""

    def params(self) -> dict[str, Array]:
        """Copies of the parameters, by torch's names."""

    def weights(self) -> dict[str, Array]:
        """Copies of the parameters and of what training carries along with them (running averages): a network whole."""

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """Replaces all that `weights` gives."""

    def state(self) -> dict[str, Array]:
        """Copies of all that the next step depends on: the weights, and the optimizer's memory under `optimizer/`."""

    def load(self, state: Mapping[str, Array]) -> None:
        """Puts back what `state` gave, from either backend."""
