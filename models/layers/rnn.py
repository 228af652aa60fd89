"""The plain recurrent cell by hand: clear (`rnn_step`) and fast (`RNN`).

    h_t = φ(W_ih x_t + b + W_hh h_{t-1}),   φ = tanh or ReLU              (Elman 1990)

Legend: T time, B batch, I input, H hidden, K = H + 1 + I.
"""

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from duograd.models.arrays import Array
from duograd.models.layers.activations import ACTIVATIONS
from duograd.models.layers.dense import affine
from duograd.models.layers.recurrence import Recurrence, packed
from duograd.models.layers.threads import Background
from duograd.models.layers.unroll import State, Step, StepBackward, Weights, product

Nonlinearity = Literal["tanh", "relu"]


def rnn_step(nonlinearity: Nonlinearity) -> Step:
    """One step. x (B, I), h (B, H) -> h after it (B, H), backward."""
    return partial(_step, nonlinearity)


def _step(nonlinearity: Nonlinearity, x: Array, state: State, w: Weights) -> tuple[State, StepBackward]:
    phi = ACTIVATIONS[nonlinearity]
    zx, affine_backward = affine(x, w["weight_ih"], w["bias_ih"])
    zh, product_backward = product(state[0], w["weight_hh"])
    h = phi.forward(zx + zh)

    def backward(d_state: State) -> tuple[Array, State, Weights]:
        dz = phi.backward(d_state[0].copy(), h.copy())
        dh, dW_hh = product_backward(dz)
        dx, dW_ih = affine_backward(dz)
        return dx, (dh,), {"weight_ih": dW_ih["weight"], "weight_hh": dW_hh, "bias_ih": dW_ih["bias"]}

    return (h,), backward


class RNN(Recurrence):
    """The same over whole sequences."""

    def __init__(self, nonlinearity: Nonlinearity, hidden_size: int, dtype: DTypeLike, background: Background) -> None:
        super().__init__(hidden_size, dtype, background)
        self.phi = ACTIVATIONS[nonlinearity]

    def prepare(self, w: Weights, T: int, B: int, keep: bool) -> None:
        self.A = packed(w["weight_hh"], w["bias_ih"], w["weight_ih"])
        self.U = np.ascontiguousarray(w["weight_hh"].T)
        self.d = self.buffer("d", T if keep else 1, self.H, B)

    def step(self, t: int) -> None:
        h = self.s[t + 1, : self.H]
        self.phi.forward(np.matmul(self.A, self.s[t], out=h))

    def slopes(self, steps: slice) -> None:
        d, h = self.d[steps], self.s[steps.start + 1 : steps.stop + 1, : self.H]
        d[...] = 1
        self.phi.backward(d, h.copy())

    def back(self, t: int, dh: Array) -> None:
        dz = self.d[t]
        dz *= dh
        np.matmul(self.U, dz, out=dh)
