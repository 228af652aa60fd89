"""The report's dense stack behind a recurrent layer, as the report computed its gradient: one mistake a function.

p: W1 (H, I), b1 (H,), W2 (C, H), b2 (C,); x (B, I); y (B,) classes.
"""

import numpy as np


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
    z = x @ p["W1"].T + p["b1"]
    a = np.maximum(z, 0)
    loss, dscores = cross_entropy(a @ p["W2"].T + p["b2"], y)
    dW2 = dscores.T @ a
    db2 = dscores.sum(axis=0)
    da = dscores @ p["W2"]
    dz = da * (z > 0)
    dW1 = dz.T @ x
    db1 = dz.sum(axis=0)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def clamped_slope(p, x, y):
    """Row 15: ReLU's slope is its input, held between 0 and 1: x where 0 < x < 1."""
    z = x @ p["W1"].T + p["b1"]
    a = np.maximum(z, 0)
    loss, dscores = cross_entropy(a @ p["W2"].T + p["b2"], y)
    dW2 = dscores.T @ a
    db2 = dscores.sum(axis=0)
    da = dscores @ p["W2"]
    dz = da * np.clip(z, 0, 1)
    dW1 = dz.T @ x
    db1 = dz.sum(axis=0)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def before_the_relu(p, x, y):
    """Row 17: the output layer's gradient takes the dense layer's values from before the ReLU."""
    z = x @ p["W1"].T + p["b1"]
    a = np.maximum(z, 0)
    loss, dscores = cross_entropy(a @ p["W2"].T + p["b2"], y)
    dW2 = dscores.T @ z
    db2 = dscores.sum(axis=0)
    da = dscores @ p["W2"]
    dz = da * (z > 0)
    dW1 = dz.T @ x
    db1 = dz.sum(axis=0)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def example_right(I=6, H=7, C=4, B=9):
    rng = np.random.default_rng(32)
    shapes = {"W1": (H, I), "b1": (H,), "W2": (C, H), "b2": (C,)}
    p = {name: rng.uniform(-1, 1, shape) * np.sqrt(6 / (sum(shape) + 1)) for name, shape in shapes.items()}
    return p, rng.standard_normal((B, I)), rng.integers(0, C, B)


example_clamped_slope = example_before_the_relu = example_right
