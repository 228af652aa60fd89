"""The gated recurrent unit by hand, in both its forms: clear (`gru_step`) and fast (`ResetBefore`, `ResetAfter`).

    r, z = σ(z_r), σ(z_z)               with z_r, z_z = W_ih x_t + b + W_hh h_{t-1}
    n = tanh(W_n x_t + b_n + U_n (r ⊙ h_{t-1}))           reset before the product: the original (Cho et al. 2014)
    n = tanh(W_n x_t + b_n + r ⊙ (U_n h_{t-1} + b_hn))    reset after it: torch's and Keras's
    h_t = z ⊙ h_{t-1} + (1 - z) ⊙ n

Gates stand in torch's order r, z, n. Of torch's second bias only b_hn has an effect of its own: it is the parameter
`bias_hn` (H,), and the rest of torch's bias_hh stays zero.

Legend: T time, B batch, I input, H hidden, K = H + 1 + I.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from duograd.models.arrays import Array
from duograd.models.layers.activations import sigmoid, tanh
from duograd.models.layers.dense import affine
from duograd.models.layers.recurrence import Pair, Recurrence, packed, sigmoid_of_minus, sigmoid_slope
from duograd.models.layers.unroll import State, Step, StepBackward, Weights, product

CandidateBackward = Callable[[Array], tuple[Array, Array, Weights]]


def gru_step(reset_after: bool) -> Step:
    """One step. x (B, I), h (B, H) -> h after it (B, H), backward."""
    return partial(_step, _product_then_reset if reset_after else _reset_then_product)


def _step(
    candidate: Callable[[Array, Array, Weights], tuple[Array, CandidateBackward]], x: Array, state: State, w: Weights
) -> tuple[State, StepBackward]:
    [h_before] = state
    H = h_before.shape[1]
    zx, affine_backward = affine(x, w["weight_ih"], w["bias_ih"])
    zh, product_backward = product(h_before, w["weight_hh"][: 2 * H])
    r, z = np.split(sigmoid(zx[:, : 2 * H] + zh), 2, axis=1)
    a, candidate_backward = candidate(r, h_before, w)
    n = tanh(zx[:, 2 * H :] + a)
    h = z * h_before + (1 - z) * n

    def backward(d_state: State) -> tuple[Array, State, Weights]:
        [dh] = d_state
        dz_z = dh * (h_before - n) * z * (1 - z)
        dz_n = dh * (1 - z) * (1 - n**2)
        dr, dh_by_n, grads = candidate_backward(dz_n)
        dz_r = dr * r * (1 - r)
        dh_by_gates, dU = product_backward(np.concatenate([dz_r, dz_z], axis=1))
        dx, dW = affine_backward(np.concatenate([dz_r, dz_z, dz_n], axis=1))
        grads["weight_hh"] = np.concatenate([dU, grads["weight_hh"]])
        return dx, (dh * z + dh_by_n + dh_by_gates,), {**grads, "weight_ih": dW["weight"], "bias_ih": dW["bias"]}

    return (h,), backward


def _reset_then_product(r: Array, h: Array, w: Weights) -> tuple[Array, CandidateBackward]:
    """a = U_n (r ⊙ h), backward(da) -> dr, dh, gradients of U_n."""
    a, product_backward = product(r * h, w["weight_hh"][2 * h.shape[1] :])

    def backward(da: Array) -> tuple[Array, Array, Weights]:
        drh, dU = product_backward(da)
        return drh * h, drh * r, {"weight_hh": dU}

    return a, backward


def _product_then_reset(r: Array, h: Array, w: Weights) -> tuple[Array, CandidateBackward]:
    """a = r ⊙ (U_n h + b_hn), backward(da) -> dr, dh, gradients of U_n and b_hn."""
    y, affine_backward = affine(h, w["weight_hh"][2 * h.shape[1] :], w["bias_hn"])

    def backward(da: Array) -> tuple[Array, Array, Weights]:
        dh, grads = affine_backward(da * r)
        return da * y, dh, {"weight_hh": grads["weight"], "bias_hn": grads["bias"]}

    return r * y, backward


class ResetBefore(Recurrence):
    """Reset before the product, over whole sequences: the candidate has a stack of its own, u_t = [r ⊙ h; 1; x]."""

    def prepare(self, w: Weights, T: int, B: int, keep: bool) -> None:
        H = self.H
        A = packed(w["weight_hh"], w["bias_ih"], w["weight_ih"])
        self.A, self.A_n = -A[: 2 * H], A[2 * H :]
        self.U, self.U_n = (np.ascontiguousarray(W.T) for W in np.split(w["weight_hh"], [2 * H]))
        self.gates = self.buffer("gates", T if keep else 1, 3, H, B)
        self.d = self.buffer("d", T if keep else 1, 3, H, B)
        self.u = self._stack(self.s[:-1, H + 1 :], "u")
        self.part = self.buffer("part", H, B)
        self.du = self.buffer("du", H, B)

    def step(self, t: int) -> None:
        H, g = self.H, self.gates[t % len(self.gates)]
        h, u, h_next = self.s[t, :H], self.u[t], self.s[t + 1, :H]
        np.matmul(self.A, self.s[t], out=g[:2].reshape(2 * H, -1))
        r, z = sigmoid_of_minus(g[:2])
        np.multiply(r, h, out=u[:H])
        n = tanh(np.matmul(self.A_n, u, out=g[2]))
        mix(z, h, n, out=h_next)

    def slopes(self, steps: slice) -> None:
        r, z, n = self.gates[steps].swapaxes(0, 1)
        d_r, d_z, d_n = self.d[steps].swapaxes(0, 1)
        h = self.s[steps, : self.H]
        sigmoid_slope(r, h, out=d_r)
        mix_slopes(z, h, n, d_z, d_n)

    def back(self, t: int, dh: Array) -> None:
        d, (r, z, _), part = self.d[t], self.gates[t], self.part
        d[1:] *= dh
        du = np.matmul(self.U_n, d[2], out=self.du)
        d[0] *= du
        dh *= z
        dh += np.multiply(du, r, out=du)
        dh += np.matmul(self.U, d[:2].reshape(2 * self.H, -1), out=part)

    def pairs(self, steps: slice) -> list[Pair]:
        d, H = self.d_input(steps), 2 * self.H
        return [(d[:, :H], self.s[steps]), (d[:, H:], self.u[steps])]

    def unpack(self, products: list[Array]) -> Weights:
        return super().unpack([np.concatenate(products)])


class ResetAfter(Recurrence):
    """Reset after the product, over whole sequences.

    Rows stand as a, r, z, n with a = U_n h + b_hn, so that those with a product of h are neighbours, and so are those
    with one of x.
    """

    def prepare(self, w: Weights, T: int, B: int, keep: bool) -> None:
        H = self.H
        W_n, b_n = w["weight_ih"][2 * H :], w["bias_ih"][2 * H :]
        rz = packed(w["weight_hh"][: 2 * H], w["bias_ih"][: 2 * H], w["weight_ih"][: 2 * H])
        a = packed(w["weight_hh"][2 * H :], w["bias_hn"], np.zeros_like(W_n))
        self.A = np.concatenate([a, -rz])
        self.A_n = np.concatenate([b_n[:, None], W_n], axis=1)
        self.U = np.ascontiguousarray(np.roll(w["weight_hh"], H, axis=0).T)
        self.gates = self.buffer("gates", T if keep else 1, 4, H, B)
        self.d = self.buffer("d", T if keep else 1, 4, H, B)
        self.part = self.buffer("part", H, B)

    def step(self, t: int) -> None:
        H, g, s = self.H, self.gates[t % len(self.gates)], self.s[t]
        a, r, z, n = g
        np.matmul(self.A, s, out=g[:3].reshape(3 * H, -1))
        sigmoid_of_minus(g[1:3])
        np.matmul(self.A_n, s[H:], out=n)
        n += np.multiply(r, a, out=self.part)
        mix(z, s[:H], tanh(n), out=self.s[t + 1, :H])

    def slopes(self, steps: slice) -> None:
        a, r, z, n = self.gates[steps].swapaxes(0, 1)
        d_a, d_r, d_z, d_n = self.d[steps].swapaxes(0, 1)
        mix_slopes(z, self.s[steps, : self.H], n, d_z, d_n)
        np.multiply(d_n, r, out=d_a)
        sigmoid_slope(r, a, out=d_r)
        d_r *= d_n

    def back(self, t: int, dh: Array) -> None:
        d = self.d[t]
        d *= dh
        dh *= self.gates[t, 2]
        dh += np.matmul(self.U, d[:3].reshape(3 * self.H, -1), out=self.part)

    def d_input(self, steps: slice) -> Array:
        return super().d_input(steps)[:, self.H :]

    def pairs(self, steps: slice) -> list[Pair]:
        d, H = super().d_input(steps), self.H
        return [(d[:, : 3 * H], self.s[steps]), (d[:, 3 * H :], self.s[steps, H:])]

    def unpack(self, products: list[Array]) -> Weights:
        H, (dA, dA_n) = self.H, products
        grads = super().unpack([np.roll(dA, -H, axis=0)])
        grads["bias_hn"] = grads["bias_ih"][2 * H :].copy()
        grads["bias_ih"][2 * H :] = dA_n[:, 0]
        grads["weight_ih"][2 * H :] = dA_n[:, 1:]
        return grads


def mix(z: Array, h: Array, n: Array, out: Array) -> None:
    """out = z ⊙ h + (1 - z) ⊙ n = n + z ⊙ (h - n)."""
    np.subtract(h, n, out=out)
    out *= z
    out += n


def mix_slopes(z: Array, h: Array, n: Array, d_z: Array, d_n: Array) -> None:
    """What dh_t is multiplied by to give dL/dz of the update gate, (h - n) z (1 - z), and of n, (1 - z)(1 - n²)."""
    np.subtract(1, z, out=d_n)
    np.subtract(h, n, out=d_z)
    d_z *= z
    d_z *= d_n
    d_n *= 1 - n * n
