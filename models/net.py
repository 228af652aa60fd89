"""What networks by hand share: the loss of their outputs and its gradient, evaluation, prediction.

Legend: N samples, B batch, K outputs.
"""

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.layers.layer import Back, Grads
from duograd.models.layers.threads import Threads, map_parts
from duograd.models.loss import OutputLoss

Config = TypeVar("Config")


class Net(Generic[Config]):
    """Parameters (torch's names and shapes), the loss and its gradient. Not for use by two threads at once.

    shape: of a sample. outputs: K, how many values the network says of it. threads: None takes the machine's cores; the
    result does not depend on it. Raises ArchitectureError.

    A network says how it starts (`build`), and how its outputs come about: in training (`forward`), where the way back
    is kept, and else (`outputs`).
    """

    most: int | None = None  # threads that can help
    rows: int | None = None  # samples that are predicted at once; None: all
    by_samples = False  # whether threads share out what is predicted; else a network's layers may

    def __init__(
        self,
        config: Config,
        loss: OutputLoss,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike = np.float32,
        threads: int | None = None,
    ) -> None:
        self.config, self.loss, self.seed, self.dtype = config, loss, seed, np.dtype(dtype)
        self.threads = Threads(threads, self.most)
        self.params: Grads = {}
        self.buffers: Grads = {}  # carried along
        self.build(shape, outputs)

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """Sets the parameters, and the buffers where there are some."""
        raise NotImplementedError

    def forward(self, x: Array, step: int) -> tuple[Array, Back]:
        """x (B, …) -> outputs (B, K), and backward(doutputs) -> gradients. What is random depends on (seed, step)."""
        raise NotImplementedError

    def outputs(self, x: Array) -> Array:
        """x (n, …) -> outputs (n, K), of `rows` samples at most; nothing is random."""
        raise NotImplementedError

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], Grads]:
        """The loss's terms over inputs (B, …) and their targets, and its gradient; moves the running averages."""
        with self.threads.single_blas_thread():
            outputs, backward = self.forward(inputs, step)
            error, error_backward = self.loss.error(outputs, targets)
            grads = backward(error_backward())[1]
        terms = self.loss.penalised(outputs, targets, error, self.params, grads)
        return terms, {name: grads[name] for name in self.params}

    def evaluate(self, inputs: Array, targets: Array) -> dict[str, float]:
        """The loss's terms over inputs (N, …) and their targets: no dropout, running averages."""
        return self.loss.evaluate(self.predict(inputs), targets, self.params)

    def predict(self, inputs: Array) -> Array:
        """Outputs (N, K)."""
        parts = [inputs[part] for part in self.parts(len(inputs))]
        with self.threads.single_blas_thread():
            outputs = map_parts(self.threads if self.by_samples else None, self.outputs, parts)
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def parts(self, N: int) -> list[slice]:
        """Of samples, each predicted at once. They are part of the result."""
        rows = self.rows or max(1, N)
        return [slice(start, start + rows) for start in range(0, max(1, N), rows)]

    def probe(self, inputs: Array, targets: Any = None) -> dict[str, Array]:
        """What figures ask for: nothing of this network."""
        return {}
