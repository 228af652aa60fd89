"""The report's recurrent classifier, its gradient through time as the report computed it: one mistake a function.

p: W (H, I), U (H, H), b (H,), V (C, H), c (C,); x (B, T, I); y (B,) classes. Only the last step is classified.
"""

import numpy as np


def forward(p, x, h):
    """All states, the first of them given."""
    hs = [h]
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ p["W"].T + h @ p["U"].T + p["b"])
        hs.append(h)
    return hs


def cross_entropy(scores, y):
    """The loss, and its gradient by the scores."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    q = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(q[rows, y]).mean()
    dscores = q.copy()
    dscores[rows, y] -= 1
    return loss, dscores / len(y)


def right(p, x, y):
    """The exact gradient."""
    hs = forward(p, x, np.zeros((len(x), len(p["U"]))))
    loss, dscores = cross_entropy(hs[-1] @ p["V"].T + p["c"], y)
    grads = {name: np.zeros_like(w) for name, w in p.items()}
    grads["V"] = dscores.T @ hs[-1]
    grads["c"] = dscores.sum(axis=0)
    dh = dscores @ p["V"]
    for t in reversed(range(x.shape[1])):
        da = dh * (1 - hs[t + 1] ** 2)
        grads["W"] += da.T @ x[:, t]
        grads["U"] += da.T @ hs[t]
        grads["b"] += da.sum(axis=0)
        dh = da @ p["U"]
    return loss, grads


def error_at_every_step(p, x, y):
    """Row 5: the last step's error enters at every time step."""
    hs = forward(p, x, np.zeros((len(x), len(p["U"]))))
    loss, dscores = cross_entropy(hs[-1] @ p["V"].T + p["c"], y)
    grads = {name: np.zeros_like(w) for name, w in p.items()}
    grads["V"] = dscores.T @ hs[-1]
    grads["c"] = dscores.sum(axis=0)
    dh = dscores @ p["V"]
    for t in reversed(range(x.shape[1])):
        da = dh * (1 - hs[t + 1] ** 2)
        grads["W"] += da.T @ x[:, t]
        grads["U"] += da.T @ hs[t]
        grads["b"] += da.sum(axis=0)
        dh = da @ p["U"] + dscores @ p["V"]
    return loss, grads


def first_step_left_out(p, x, y):
    """Row 6: the loop ends at the second step."""
    hs = forward(p, x, np.zeros((len(x), len(p["U"]))))
    loss, dscores = cross_entropy(hs[-1] @ p["V"].T + p["c"], y)
    grads = {name: np.zeros_like(w) for name, w in p.items()}
    grads["V"] = dscores.T @ hs[-1]
    grads["c"] = dscores.sum(axis=0)
    dh = dscores @ p["V"]
    for t in reversed(range(1, x.shape[1])):
        da = dh * (1 - hs[t + 1] ** 2)
        grads["W"] += da.T @ x[:, t]
        grads["U"] += da.T @ hs[t]
        grads["b"] += da.sum(axis=0)
        dh = da @ p["U"]
    return loss, grads


def supervised_at_every_step(p, x, y):
    """Row 7: each step's own state is classified, though the loss is the last one's."""
    hs = forward(p, x, np.zeros((len(x), len(p["U"]))))
    loss, dscores = cross_entropy(hs[-1] @ p["V"].T + p["c"], y)
    grads = {name: np.zeros_like(w) for name, w in p.items()}
    grads["V"] = dscores.T @ hs[-1]
    grads["c"] = dscores.sum(axis=0)
    dh = dscores @ p["V"]
    for t in reversed(range(x.shape[1])):
        da = dh * (1 - hs[t + 1] ** 2)
        grads["W"] += da.T @ x[:, t]
        grads["U"] += da.T @ hs[t]
        grads["b"] += da.sum(axis=0)
        dh = da @ p["U"] + cross_entropy(hs[t] @ p["V"].T + p["c"], y)[1] @ p["V"]
    return loss, grads


class StateCarriedOn:
    """Row 10: the final state of one shuffled batch is the initial state of the next. The gradient of each is right."""

    def __init__(self, p, size):
        self.p, self.h = p, np.zeros((size, len(p["U"])))

    def forward(self, x):
        self.x, self.hs = x, forward(self.p, x, self.h)
        self.h = self.hs[-1].copy()
        return self.h

    def backward(self, dh):
        self.grads = {name: np.zeros_like(w) for name, w in self.p.items() if name in "WUb"}
        for t in reversed(range(self.x.shape[1])):
            da = dh * (1 - self.hs[t + 1] ** 2)
            self.grads["W"] += da.T @ self.x[:, t]
            self.grads["U"] += da.T @ self.hs[t]
            self.grads["b"] += da.sum(axis=0)
            dh = da @ self.p["U"]


def example_right(I=3, H=5, C=4, B=6, T=7):
    rng = np.random.default_rng(150)
    shapes = {"W": (H, I), "U": (H, H), "b": (H,), "V": (C, H), "c": (C,)}
    p = {name: rng.uniform(-1, 1, shape) * np.sqrt(6 / (sum(shape) + 1)) for name, shape in shapes.items()}
    return p, rng.standard_normal((B, T, I)), rng.integers(0, C, B)


def example_StateCarriedOn():
    p, x, _ = example_right()
    return StateCarriedOn(p, len(x)), x


example_error_at_every_step = example_first_step_left_out = example_supervised_at_every_step = example_right
