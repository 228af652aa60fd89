"""The NumPy engine: a network whose gradient was derived by hand."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Batch
from duograd.models.layers.memory import keep_freed_memory
from duograd.models.optimizer import Descent, FirstOrderConfig, OptimizerConfig, descent
from duograd.models.optimizers.lbfgs import LbfgsConfig
from duograd.runner.engines import AfterIteration, Grads, Terms

Array = NDArray[Any]


class NumpyNet(Protocol):
    """What a by-hand network offers: parameters, loss_and_grad over them, and buffers that it carries along.

    step: how many steps were done before; what is random in a step is a function of the network's seed and this.
    """

    params: dict[str, Array]
    buffers: dict[str, Array]

    def loss_and_grad(self, inputs: Array, targets: Any, step: int = 0) -> tuple[dict[str, float], Grads]: ...
    def evaluate(self, inputs: Array, targets: Any) -> dict[str, float]: ...
    def predict(self, inputs: Array) -> Array: ...
    def probe(self, inputs: Array, targets: Any) -> dict[str, Array]: ...


class NumpyEngine:
    """A by-hand network with its optimizer, which `rule` makes of its configuration; see `runner.engines.Engine`."""

    def __init__(
        self, net: NumpyNet, optimizer: OptimizerConfig, rule: Callable[[FirstOrderConfig], Descent] = descent
    ) -> None:
        keep_freed_memory()
        self.threads: int | None = None  # sums are taken in one order
        self.net = net
        self.config = optimizer
        self.optimizer = rule(optimizer) if isinstance(optimizer, FirstOrderConfig) else None
        self.memory = self.optimizer.init(net.params) if self.optimizer else {}

    def step(self, batch: Batch, lr: float) -> Terms:
        assert self.optimizer is not None, "L-BFGS takes no single steps: use minimize"
        terms, grads = self.net.loss_and_grad(*batch, int(self.memory["step"]))
        self.optimizer.update(self.net.params, grads, self.memory, lr)
        return terms

    def loss_and_grad(self, batch: Batch) -> tuple[Terms, Grads]:
        return self.net.loss_and_grad(*batch)

    def minimize(self, batch: Batch, iterations: int, after: AfterIteration) -> str:
        """scipy's L-BFGS-B. It works in float64 on one flat vector, whatever the network's own dtype."""
        from scipy.optimize import OptimizeResult, minimize

        assert isinstance(self.config, LbfgsConfig)
        seen: dict[bytes, Terms] = {}  # terms of the points of the running iteration, so that none is computed twice

        def cost(w: Array) -> tuple[float, Array]:
            self._set_flat(w)
            terms, grads = self.net.loss_and_grad(*batch)
            seen[w.tobytes()] = terms
            return terms["loss"], self._flat(grads)

        start = self.weights()
        terms_at_start: Terms | None = None

        def callback(intermediate_result: OptimizeResult) -> None:
            nonlocal start, terms_at_start, seen
            if terms_at_start is None:
                terms_at_start = seen[self._flat(start).tobytes()]
            w = intermediate_result.x
            self._set_flat(w)
            at_start, before = terms_at_start, start
            start, terms_at_start = self.weights(), seen[w.tobytes()]
            seen = {}
            after(at_start, before)

        limits = {"maxiter": iterations, "maxfun": 10**9, "ftol": 0.0, "gtol": 1e-10}
        options: Any = {**limits, "maxcor": self.config.history_size}
        solve: Any = minimize  # its stubs know no fun that returns cost and gradient of one float64 vector
        result = solve(cost, self._flat(start), jac=True, method="L-BFGS-B", callback=callback, options=options)
        self.set_weights(start)  # the solver's last point may be a trial of its line search
        return f"L-BFGS: {result.message}"

    def evaluate(self, batch: Batch) -> Terms:
        return self.net.evaluate(*batch)

    def predict(self, inputs: Array) -> Array:
        return self.net.predict(inputs)

    def probe(self, batch: Batch) -> dict[str, Array]:
        return self.net.probe(*batch)

    def params(self) -> dict[str, Array]:
        return {name: w.copy() for name, w in self.net.params.items()}

    def weights(self) -> dict[str, Array]:
        return self.params() | {name: value.copy() for name, value in self.net.buffers.items()}

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        for name, w in (self.net.params | self.net.buffers).items():
            w[...] = weights[name]

    def state(self) -> dict[str, Array]:
        return self.weights() | {f"optimizer/{key}": value.copy() for key, value in self.memory.items()}

    def load(self, state: Mapping[str, Array]) -> None:
        self.set_weights(state)
        for key, value in self.memory.items():
            value[...] = state[f"optimizer/{key}"]

    def _flat(self, arrays: Mapping[str, Array]) -> Array:
        return np.concatenate([arrays[name].ravel() for name in self.net.params]).astype(np.float64)

    def _set_flat(self, vector: Array) -> None:
        start = 0
        for w in self.net.params.values():
            w[...] = vector[start : start + w.size].reshape(w.shape)
            start += w.size
