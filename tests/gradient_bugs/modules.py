"""Layers as classes with params and grads, caches in dataclasses, properties and lists; several in a file."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


class LinearModule:
    """x (N, D)"""

    def __init__(self, in_features=4, out_features=3):
        rng = np.random.default_rng(1)
        self.params = {
            "weight": rng.standard_normal((out_features, in_features)),
            "bias": rng.standard_normal((1, out_features)),
        }
        self.grads = {"weight": None, "bias": None}
        self.cache = None

    def forward(self, x):
        self.cache = x
        return x @ self.params["weight"].T + self.params["bias"]

    def backward(self, dout):
        self.grads["weight"] = dout.T @ self.cache
        self.grads["bias"] = dout.sum(axis=0, keepdims=True)
        dx = dout @ self.params["weight"]
        return dx


class ELUModule:
    """x (N, D)"""

    alpha = 1.5

    def forward(self, x):
        self._x = x
        self._out = np.where(x > 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))
        return self._out

    def backward(self, dout):
        slope = np.where(self._x > 0, 1, self._out + self.alpha)
        return dout * slope


class SoftmaxModule:
    """x (N, C)"""

    def forward(self, x):
        b = x.max(axis=1, keepdims=True)
        y = np.exp(x - b)
        self.out = y / y.sum(axis=1, keepdims=True)
        return self.out

    def backward(self, dout):
        dx = np.zeros_like(dout)
        for i, (s, d) in enumerate(zip(self.out, dout, strict=True)):
            s = s.reshape(-1, 1)
            jacobian = np.diagflat(s) - s @ s.T
            dx[i] = jacobian @ d
        return dx


class CrossEntropyModule:
    """x (N, C), y (N,) labels"""

    def forward(self, x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(y)), y]).mean()

    def backward(self, x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        dx = e / e.sum(axis=1, keepdims=True)
        dx[np.arange(len(y)), y] -= 1
        dx = dx / len(y)
        return dx


class MSE:
    """pred (N, D), target (N, D)"""

    def forward(self, pred, target):
        self.diff = pred - target
        return np.mean(self.diff**2)

    def backward(self):
        dpred = 2 * self.diff / self.diff.size
        return dpred, -dpred


@dataclass
class GateCache:
    x: np.ndarray
    h: np.ndarray
    z: np.ndarray
    r: np.ndarray
    cand: np.ndarray


class GRUCell:
    """One step. x (B, 3), h (B, 4)"""

    def __init__(self, D=3, H=4):
        rng = np.random.default_rng(2)
        self.Wz, self.Wr, self.Wn = (rng.standard_normal((D + H, H)) * 0.7 for _ in range(3))

    def forward(self, x, h):
        xh = np.concatenate([x, h], axis=1)
        z = 1 / (1 + np.exp(-xh @ self.Wz))
        r = 1 / (1 + np.exp(-xh @ self.Wr))
        xrh = np.concatenate([x, r * h], axis=1)
        cand = np.tanh(xrh @ self.Wn)
        self.cache = GateCache(x, h, z, r, cand)
        return (1 - z) * h + z * cand

    def backward(self, err):
        c = self.cache
        D = c.x.shape[1]
        xh = np.concatenate([c.x, c.h], axis=1)
        xrh = np.concatenate([c.x, c.r * c.h], axis=1)
        dn_pre = err * c.z * (1 - c.cand**2)
        dz_pre = err * (c.cand - c.h) * c.z * (1 - c.z)
        dxrh = dn_pre @ self.Wn.T
        dr_pre = dxrh[:, D:] * c.h * c.r * (1 - c.r)
        dxh = dz_pre @ self.Wz.T + dr_pre @ self.Wr.T
        self.dWz = xh.T @ dz_pre
        self.dWr = xh.T @ dr_pre
        self.dWn = xrh.T @ dn_pre
        dx = dxh[:, :D] + dxrh[:, :D]
        dh = err * (1 - c.z) + dxh[:, D:] + dxrh[:, D:] * c.r
        return dx, dh


class PReLU:
    """x (N, D)"""

    def __init__(self):
        self.slope = np.array([0.25])
        self.grad_slope = np.zeros(1)

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, grad_output):
        negative = self.x <= 0
        self.grad_slope[:] = (grad_output * self.x * negative).sum()
        grad_input = grad_output * np.where(negative, self.slope, 1.0)
        return grad_input


class MLP:
    """Layers in a list, activations in another. x (N, D)"""

    def __init__(self, sizes=(4, 5, 3, 2)):
        rng = np.random.default_rng(3)
        self.weights = [rng.standard_normal((a, b)) for a, b in pairwise(sizes)]
        self.biases = [rng.standard_normal(b) for b in sizes[1:]]
        self.dweights = [None] * 3
        self.dbiases = [None] * 3

    def forward(self, x):
        self.acts = [x]
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = self.acts[-1] @ W + b
            self.acts.append(np.tanh(z) if k < 2 else z)
        return self.acts[-1]

    def backward(self, dout):
        delta = dout
        for k in reversed(range(3)):
            if k < 2:
                delta = delta * (1 - self.acts[k + 1] ** 2)
            self.dweights[k] = self.acts[k].T @ delta
            self.dbiases[k] = delta.sum(axis=0)
            delta = delta @ self.weights[k].T
        return delta
