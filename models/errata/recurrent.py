"""Back-propagation through time as the report did it (rows 5, 6, 7, 8, 10), under its dense layers (rows 15, 17).

Legend: B batch, T time, I input, H hidden, C outputs.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

from duograd.models.arrays import Array
from duograd.models.errata.dense import Pair, dense_stack
from duograd.models.errata.table import CARRIED, EVERY_STEP, MANY, NOT_THE_FIRST, SUM
from duograd.models.errors import ArchitectureError
from duograd.models.families.recurrent.cell import find_cell
from duograd.models.families.recurrent.numpy_net import RecurrentNet
from duograd.models.families.recurrent.weights import dense_names
from duograd.models.layers.recurrence import Watch
from duograd.models.layers.stacked import units_first

OWN_ERROR = 2  # dense layers of the network whose steps each have their own error; that of 4 has the last one's at each


class ReportRecurrent(RecurrentNet):
    """A recurrent network that learns by the gradient of the report. rows: the mistakes that it makes.

    batch: samples of a step. The state that is carried on (row 10) is a buffer, so that a run goes on from it; a batch
    that is smaller takes the first of it.
    """

    def __init__(self, rows: Collection[int], batch: int, *net: Any) -> None:
        self.mistakes, self.batch = frozenset(rows), batch
        self.first = int(NOT_THE_FIRST in self.mistakes)  # the step at which the way back ends
        super().__init__(*net)

    def build(self, shape: tuple[int, ...], outputs: int) -> None:
        """See Net."""
        if shape[0] <= self.first:
            raise ArchitectureError(f"gradient=row_{NOT_THE_FIRST} leaves nothing of one time step: use gradient=exact")
        super().build(shape, outputs)
        if CARRIED in self.mistakes:
            states = "hc"[: find_cell(self.config.cell).states]
            empty = partial(np.zeros, (self.batch, self.config.hidden_size), self.dtype)
            self.buffers = {f"carried.{name}": empty() for name in states}

    def loss_and_grad(self, inputs: Array, targets: Array, step: int = 0) -> tuple[dict[str, float], dict[str, Array]]:
        """The loss's terms over inputs (B, T, I) and their targets, and the report's gradient by parameter."""
        with self.threads.single_blas_thread():
            outputs, error, grads = self._forward_and_back(inputs, targets)
        terms = self.loss.penalised(outputs, targets, error, self.params, grads)
        self._carry_on(len(inputs))
        size = len(inputs) if SUM in self.mistakes else 1
        return terms, {name: size * grads[name] for name in self.params}

    def probe(self, inputs: Array, targets: Any = None) -> dict[str, Array]:
        """How large the error is at each step, as the report has it go back (T,)."""
        norms = np.zeros(inputs.shape[1])

        def watch(t: int, dh: Array) -> None:
            norms[t] = np.linalg.norm(dh)

        with self.threads.single_blas_thread():
            self._forward_and_back(inputs, targets, watch)
        return {"gradient_norm_by_step": norms}

    def _forward_and_back(
        self, x: Array, targets: Any, watch: Watch | None = None
    ) -> tuple[Array, float, dict[str, Array]]:
        """Outputs (B, C) of the last step, their loss, gradients by parameter."""
        [layer], [weights] = self.layers, self._recurrent_weights()
        hs, recurrent_backward = layer.forward(units_first(x), weights, start=self._start(len(x)))  # (T, H, B)
        outputs, dense_backward = dense_stack(self.mistakes, self._dense_layers(), hs[-1].T)
        error, error_backward = self.loss.error(outputs, targets)

        entering = np.zeros_like(hs)  # the error from outside, at each step
        if MANY in self.mistakes:
            dense = self._through_every_step(hs, targets, error_backward(), entering)
        else:
            dh, dense = dense_backward(error_backward())
            entering[0 if EVERY_STEP in self.mistakes else -1 :] = dh.T
        _, recurrent = recurrent_backward(np.zeros_like(hs[0]), entering, self.first, watch=watch)
        grads = {f"recurrent.{key}_l0": g for key, g in recurrent.items()}
        for name, (dW, db) in zip(dense_names(self.config), dense, strict=True):
            grads |= {f"{name}.weight": dW, f"{name}.bias": db}
        return outputs, error, grads

    def _through_every_step(self, hs: Array, targets: Array, last: Array, entering: Array) -> list[Pair]:
        """Row 7: the dense layers' gradients, summed over steps; the error that enters at each is written down.

        Each step's features are a sample of their own: with two dense layers it has its own error, with four the last
        step's error, (B, C), meets features that it does not belong to.
        """
        T, H, B = hs.shape
        n = T - self.first
        outputs, backward = dense_stack(
            self.mistakes, self._dense_layers(), hs[self.first :].transpose(0, 2, 1).reshape(n * B, H)
        )
        if len(self.config.dense) == OWN_ERROR:
            d = n * self.loss.error(outputs, np.concatenate([targets] * n))[1]()  # a mean of n·B errors: n of B
        else:
            d = np.concatenate([last] * n)
        dh, grads = backward(d)
        entering[self.first :] = dh.reshape(n, B, H).transpose(0, 2, 1)
        return grads

    def _dense_layers(self) -> list[Pair]:
        return [(self.params[f"{name}.weight"], self.params[f"{name}.bias"]) for name in dense_names(self.config)]

    def _start(self, B: int) -> list[Array] | None:
        """The state (H, B) in which a batch begins; None: zeros."""
        if CARRIED not in self.mistakes:
            return None
        start = [np.zeros((state.shape[1], B), self.dtype) for state in self.buffers.values()]
        for whole, state in zip(start, self.buffers.values(), strict=True):
            whole[:, : len(state)] = state[:B].T
        return start

    def _carry_on(self, B: int) -> None:
        """Keeps the final state of a batch for the next."""
        for state, final in zip(self.buffers.values(), self.layers[0].end(), strict=False):
            state[:B] = final.T[: len(state)]
