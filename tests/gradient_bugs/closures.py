"""Layers as functions that return (y, backward). Right as they stand; bugs.py plants mistakes in them."""

import numpy as np


def dense(x, W, b):
    """x (B, I), W (O, I), b (O,)"""
    y = x @ W.T + b

    def backward(dy):
        dx = dy @ W
        dW = dy.T @ x
        db = dy.sum(axis=0)
        return dx, dW, db

    return y, backward


def batchnorm(x, gamma, beta):
    """x (N, D), gamma (D,), beta (D,)"""
    N = len(x)
    mu = x.mean(axis=0)
    xc = x - mu
    var = (xc**2).mean(axis=0)
    std = np.sqrt(var + 1e-5)
    xhat = xc / std
    y = gamma * xhat + beta

    def backward(dout):
        dbeta = dout.sum(axis=0)
        dgamma = (dout * xhat).sum(axis=0)
        dxhat = dout * gamma
        dstd = -(dxhat * xc).sum(axis=0) / std**2
        dvar = dstd / (2 * std)
        dxc = dxhat / std
        dxc += 2 * xc * dvar / N
        dmu = -dxc.sum(axis=0)
        dx = dxc + dmu / N
        return dx, dgamma, dbeta

    return y, backward


def layernorm(x, weight, bias):
    """x (N, D), weight (D,), bias (D,)"""
    mean = x.mean(axis=1, keepdims=True)
    centred = x - mean
    rstd = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    normal = centred * rstd
    out = normal * weight + bias

    def backward(grad_out):
        grad_bias = grad_out.sum(axis=0)
        grad_weight = (grad_out * normal).sum(axis=0)
        g = grad_out * weight
        along = (g * normal).mean(axis=1, keepdims=True)
        grad_x = rstd * (g - g.mean(axis=1, keepdims=True) - normal * along)
        return grad_x, grad_weight, grad_bias

    return out, backward


def rnn(x, W, U, b):
    """x (B, T, I), W (H, I), U (H, H), b (H,)"""
    B, T, _ = x.shape
    h = np.zeros((B, len(W)))
    hs = []
    for t in range(T):
        hs.append(h)
        z = x[:, t] @ W.T + h @ U.T + b
        h = np.tanh(z)
    hs.append(h)

    def backward(dh):
        dx = np.zeros_like(x)
        dW = np.zeros_like(W)
        dU = np.zeros_like(U)
        db = np.zeros_like(b)
        for t in reversed(range(T)):
            dz = dh * (1 - hs[t + 1] ** 2)
            dW += dz.T @ x[:, t]
            dU += dz.T @ hs[t]
            db += dz.sum(axis=0)
            dx[:, t] = dz @ W
            dh = dz @ U
        return dx, dW, dU, db

    return h, backward


def attention(q, k, v):
    """q (T, D), k (T, D), v (T, D)"""
    scale = 1 / np.sqrt(q.shape[1])
    s = scale * q @ k.T
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    out = p @ v

    def backward(dout):
        dv = p.T @ dout
        dp = dout @ v.T
        ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
        dq = scale * ds @ k
        dk = scale * ds.T @ q
        return dq, dk, dv

    return out, backward


def gelu(x):
    """x (N, D)"""
    c = np.sqrt(2 / np.pi)
    inner = c * (x + 0.044715 * x**3)
    t = np.tanh(inner)
    y = 0.5 * x * (1 + t)

    def backward(dy):
        dt = dy * 0.5 * x
        dinner = dt * (1 - t**2)
        dx = dy * 0.5 * (1 + t)
        dx = dx + dinner * c * (1 + 3 * 0.044715 * x**2)
        return dx

    return y, backward
