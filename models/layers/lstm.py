"""The long short-term memory by hand: clear (`lstm_step`) and fast (`LSTM`).

    i, f, o = σ(z_i), σ(z_f), σ(z_o),   g = tanh(z_g),   z = W_ih x_t + b + W_hh h_{t-1}
    c_t = f ⊙ c_{t-1} + i ⊙ g,          h_t = o ⊙ tanh(c_t)             (Hochreiter and Schmidhuber 1997; Gers 2000)

Gates stand in torch's order i, f, g, o.

Legend: T time, B batch, I input, H hidden, K = H + 1 + I.
"""

from collections.abc import Sequence

import numpy as np

from duograd.models.arrays import Array
from duograd.models.layers.activations import sigmoid, tanh
from duograd.models.layers.dense import affine
from duograd.models.layers.recurrence import Recurrence, packed, sigmoid_of_minus, sigmoid_slope, tanh_slope
from duograd.models.layers.unroll import State, StepBackward, Weights, product


def lstm_step(x: Array, state: State, w: Weights) -> tuple[State, StepBackward]:
    """One step. x (B, I), state h, c (B, H) -> h, c after it, backward."""
    h_before, c_before = state
    zx, affine_backward = affine(x, w["weight_ih"], w["bias_ih"])
    zh, product_backward = product(h_before, w["weight_hh"])
    z_i, z_f, z_g, z_o = (z.copy() for z in np.split(zx + zh, 4, axis=1))
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_g), sigmoid(z_o)
    c = f * c_before + i * g
    tanh_c = np.tanh(c)
    h = o * tanh_c

    def backward(d_state: State) -> tuple[Array, State, Weights]:
        dh, dc = d_state
        do = dh * tanh_c
        dc = dc + dh * o * (1 - tanh_c**2)
        di, df, dg = dc * g, dc * c_before, dc * i
        dz = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)], axis=1)
        dh_before, dW_hh = product_backward(dz)
        dx, dW_ih = affine_backward(dz)
        grads = {"weight_ih": dW_ih["weight"], "weight_hh": dW_hh, "bias_ih": dW_ih["bias"]}
        return dx, (dh_before, dc * f), grads

    return (h, c), backward


class LSTM(Recurrence):
    """The same over whole sequences.

    Rows stand as o, i, f, g, so that one exp serves three gates, with the sign of σ(z) = 1 / (1 + exp(-z)) packed into
    the weights. (It could serve tanh(z) = 2σ(2z) - 1 as well, which loses all digits where z is small.)
    """

    def prepare(self, w: Weights, T: int, B: int, keep: bool) -> None:
        H = self.H
        self.A = np.roll(packed(w["weight_hh"], w["bias_ih"], w["weight_ih"]), H, axis=0)
        self.A[: 3 * H] *= -1
        self.U = np.ascontiguousarray(np.roll(w["weight_hh"], H, axis=0).T)
        self.W_ih = np.roll(w["weight_ih"], H, axis=0)
        n = T if keep else 1
        self.gates = self.buffer("gates", n, 4, H, B)
        self.c = self.buffer("c", n + keep, H, B)  # c[t] before step t
        self.c[0] = 0
        self.tanh_c = self.buffer("tanh c", n, H, B)  # becomes the share of dh_t that dc_t gets: o (1 - tanh² c)
        self.d = self.buffer("d", n, 4, H, B)
        self.part = self.buffer("part", H, B)
        self.dc = self.buffer("dc", H, B)
        self.dc[...] = 0

    def begin(self, state: Sequence[Array]) -> None:
        super().begin(state)
        self.c[0] = state[1]

    def end(self) -> tuple[Array, ...]:
        return (*super().end(), self.c[-1])

    def step(self, t: int) -> None:
        z, c, tanh_c = self.gates[t % len(self.gates)], self.c[(t + 1) % len(self.c)], self.tanh_c[t % len(self.tanh_c)]
        np.matmul(self.A, self.s[t], out=z.reshape(len(self.A), -1))
        sigmoid_of_minus(z[:3])
        o, i, f, g = z
        np.tanh(g, out=g)
        np.multiply(f, self.c[t % len(self.c)], out=c)
        c += np.multiply(i, g, out=self.part)
        np.multiply(o, np.tanh(c, out=tanh_c), out=self.s[t + 1, : self.H])

    def slopes(self, steps: slice) -> None:
        o, i, f, g = self.gates[steps].swapaxes(0, 1)
        d_o, d_i, d_f, d_g = self.d[steps].swapaxes(0, 1)
        d_c = self.tanh_c[steps]
        sigmoid_slope(i, g, out=d_i)
        sigmoid_slope(f, self.c[steps], out=d_f)
        tanh_slope(g, i, out=d_g)
        sigmoid_slope(o, d_c, out=d_o)
        tanh_slope(d_c, o, out=d_c)

    def back(self, t: int, dh: Array) -> None:
        d, dc = self.d[t], self.dc
        dc += np.multiply(dh, self.tanh_c[t], out=self.part)
        d[0] *= dh
        d[1:] *= dc
        dc *= self.gates[t, 2]
        np.matmul(self.U, d.reshape(len(self.A), -1), out=dh)

    def unpack(self, products: list[Array]) -> Weights:
        return super().unpack([np.roll(dA, -self.H, axis=0) for dA in products])
