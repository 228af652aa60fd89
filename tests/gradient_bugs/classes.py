"""Layers as classes with forward and backward."""

import numpy as np


class Linear:
    """x (N, D)"""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.W = rng.standard_normal((4, 3))
        self.b = rng.standard_normal(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        dx = dout @ self.W.T
        return dx


class Embedding:
    """Rows of a table, by index."""

    def __init__(self, table):
        self.params = {"table": table}
        self.grads = {}

    def forward(self, index):
        self.index = index
        return self.params["table"][index]

    def backward(self, dout):
        dtable = np.zeros_like(self.params["table"])
        np.add.at(dtable, self.index, dout)
        self.grads["table"] = dtable


def example_Embedding():
    rng = np.random.default_rng(1)
    return Embedding(rng.standard_normal((5, 3))), np.array([[0, 2, 2], [4, 1, 2]])


class Tanh:
    """x (N, D)"""

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class TwoLayers:
    """A hidden layer of sigmoid units, then a linear one; gradients in grads."""

    def __init__(self, I, H, O):
        rng = np.random.default_rng(2)
        self.params = {
            "W1": rng.standard_normal((I, H)),
            "b1": rng.standard_normal(H),
            "W2": rng.standard_normal((H, O)),
            "b2": rng.standard_normal(O),
        }
        self.grads = {}

    def forward(self, x):
        self.x = x
        self.z1 = x @ self.params["W1"] + self.params["b1"]
        self.h = 1 / (1 + np.exp(-self.z1))
        return self.h @ self.params["W2"] + self.params["b2"]

    def backward(self, dout):
        self.grads["W2"] = self.h.T @ dout
        self.grads["b2"] = dout.sum(axis=0)
        dh = dout @ self.params["W2"].T
        dz1 = dh * self.h * (1 - self.h)
        self.grads["W1"] = self.x.T @ dz1
        self.grads["b1"] = dz1.sum(axis=0)
        return dz1 @ self.params["W1"].T


def example_TwoLayers():
    return TwoLayers(4, 5, 3), np.random.default_rng(3).standard_normal((6, 4))
