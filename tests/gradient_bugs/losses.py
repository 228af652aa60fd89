"""Losses that return their value and their gradients."""

import numpy as np


def softmax_loss(scores, y):
    """scores (N, C), y (N,) labels"""
    N = scores.shape[0]
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()
    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    return loss, dscores


def two_layer_loss(W1, b1, W2, b2, X, y, reg=0.1):
    """W1 (D, H), b1 (H,), W2 (H, C), b2 (C,), X (N, D), y (N,) labels"""
    N = len(X)
    a = X @ W1 + b1
    h = np.maximum(a, 0)
    scores = h @ W2 + b2
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean() + 0.5 * reg * ((W1**2).sum() + (W2**2).sum())

    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads = {}
    grads["W2"] = h.T @ dscores + reg * W2
    grads["b2"] = dscores.sum(axis=0)
    dh = dscores @ W2.T
    da = dh * (a > 0)
    grads["W1"] = X.T @ da + reg * W1
    grads["b1"] = da.sum(axis=0)
    return loss, grads


def sparse_cost(W, d):
    """W (D, H), d (N, D)"""
    rho, beta, lam = 0.05, 0.3, 0.01
    N = len(d)
    h = 1 / (1 + np.exp(-(d @ W)))
    o = h @ W.T
    rho_hat = h.mean(axis=0)
    kl = rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
    J = ((o - d) ** 2).sum() / (2 * N) + lam / 2 * (W**2).sum() + beta * kl.sum()
    do = (o - d) / N
    drho_hat = beta * (-rho / rho_hat + (1 - rho) / (1 - rho_hat))
    dh = do @ W + drho_hat / N
    dz = dh * h * (1 - h)
    dW = do.T @ h
    dW += d.T @ dz
    dW += lam * W
    return J, dW


def svm_loss(s, y):
    """s (N, C), y (N,) labels"""
    N = len(s)
    correct = s[np.arange(N), y][:, None]
    margins = np.maximum(0, s - correct + 1)
    margins[np.arange(N), y] = 0
    loss = margins.sum() / N
    ds = (margins > 0).astype(float)
    ds[np.arange(N), y] -= ds.sum(axis=1)
    ds /= N
    return loss, ds
