"""The report's autoencoder cost, its gradient as the report computed it: one mistake a function.

p: W1 (H, I), b1 (H,), W2 (I, H), b2 (I,); d (N, I) samples in [0, 1].
"""

import numpy as np

LAMBDA, BETA, RHO = 5e-4, 0.1, 0.05


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(p, d):
    h = sigmoid(d @ p["W1"].T + p["b1"])
    o = sigmoid(h @ p["W2"].T + p["b2"])
    return h, o


def cost(p, d, h, o):
    rho_hat = h.mean(axis=0)
    mse = ((d - o) ** 2).sum() / (2 * len(d))
    l2 = LAMBDA / 2 * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())
    kl = RHO * np.log(RHO / rho_hat) + (1 - RHO) * np.log((1 - RHO) / (1 - rho_hat))
    return mse + l2 + BETA * kl.sum()


def right(p, d):
    """The exact gradient."""
    h, o = forward(p, d)
    J = cost(p, d, h, o)
    N, rho_hat = len(d), h.mean(axis=0)
    do = (o - d) / N
    dz2 = do * o * (1 - o)
    drho_hat = BETA * (-RHO / rho_hat + (1 - RHO) / (1 - rho_hat))
    dh = dz2 @ p["W2"] + drho_hat / N
    dz1 = dh * h * (1 - h)
    dW1 = dz1.T @ d + LAMBDA * p["W1"]
    dW2 = dz2.T @ h + LAMBDA * p["W2"]
    db1 = dz1.sum(axis=0)
    db2 = dz2.sum(axis=0)
    return J, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def half_the_error(p, d):
    """Row 1: half of (o - d)."""
    h, o = forward(p, d)
    J = cost(p, d, h, o)
    N, rho_hat = len(d), h.mean(axis=0)
    do = 0.5 * (o - d) / N
    dz2 = do * o * (1 - o)
    drho_hat = BETA * (-RHO / rho_hat + (1 - RHO) / (1 - rho_hat))
    dh = dz2 @ p["W2"] + drho_hat / N
    dz1 = dh * h * (1 - h)
    dW1 = dz1.T @ d + LAMBDA * p["W1"]
    dW2 = dz2.T @ h + LAMBDA * p["W2"]
    db1 = dz1.sum(axis=0)
    db2 = dz2.sum(axis=0)
    return J, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def penalty_divided(p, d):
    """Row 2: the penalty's gradient divided by the number of samples."""
    h, o = forward(p, d)
    J = cost(p, d, h, o)
    N, rho_hat = len(d), h.mean(axis=0)
    do = (o - d) / N
    dz2 = do * o * (1 - o)
    drho_hat = BETA * (-RHO / rho_hat + (1 - RHO) / (1 - rho_hat))
    dh = dz2 @ p["W2"] + drho_hat / N
    dz1 = dh * h * (1 - h)
    dW1 = dz1.T @ d + LAMBDA * p["W1"] / N
    dW2 = dz2.T @ h + LAMBDA * p["W2"] / N
    db1 = dz1.sum(axis=0)
    db2 = dz2.sum(axis=0)
    return J, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def one_sparsity_for_all(p, d):
    """Row 3: one mean activation over all units and samples, where each unit has its own."""
    h, o = forward(p, d)
    J = cost(p, d, h, o)
    N, rho_hat = len(d), h.mean()
    do = (o - d) / N
    dz2 = do * o * (1 - o)
    drho_hat = BETA * (-RHO / rho_hat + (1 - RHO) / (1 - rho_hat))
    dh = dz2 @ p["W2"] + drho_hat / N
    dz1 = dh * h * (1 - h)
    dW1 = dz1.T @ d + LAMBDA * p["W1"]
    dW2 = dz2.T @ h + LAMBDA * p["W2"]
    db1 = dz1.sum(axis=0)
    db2 = dz2.sum(axis=0)
    return J, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def example_right(I=9, H=5, N=12):
    rng = np.random.default_rng(1500)
    r = np.sqrt(6 / (I + H))
    shapes = {"W1": (H, I), "b1": (H,), "W2": (I, H), "b2": (I,)}
    return {name: rng.uniform(-r, r, shape) for name, shape in shapes.items()}, rng.uniform(0.1, 0.9, (N, I))


example_half_the_error = example_penalty_divided = example_one_sparsity_for_all = example_right
