"""Layers as NAME_forward and NAME_backward with a cache."""

import numpy as np


def affine_relu_forward(x, w, b):
    """x (N, D), w (D, M), b (M,)"""
    z = x @ w + b
    out = np.maximum(0, z)
    cache = (x, w, z)
    return out, cache


def affine_relu_backward(dout, cache):
    x, w, z = cache
    dz = dout * (z > 0)
    dx = dz @ w.T
    dw = x.T @ dz
    db = np.sum(dz, axis=0)
    return dx, dw, db


def conv_forward(x, w, b):
    """x (2, 3, 5, 5), w (2, 3, 3, 3), b (2,)"""
    N, C, H, W = x.shape
    F, _, K, _ = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((N, F, H, W))
    for i in range(H):
        for j in range(W):
            window = xp[:, :, i : i + K, j : j + K]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w, xp)


def conv_backward(dout, cache):
    x, w, xp = cache
    N, C, H, W = x.shape
    K = w.shape[2]
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = dout.sum(axis=(0, 2, 3))
    for i in range(H):
        for j in range(W):
            window = xp[:, :, i : i + K, j : j + K]
            d = dout[:, :, i, j]
            dw += np.tensordot(d, window, axes=([0], [0]))
            dxp[:, :, i : i + K, j : j + K] += np.tensordot(d, w, axes=([1], [0]))
    dx = dxp[:, :, 1:-1, 1:-1]
    return dx, dw, db


def maxpool_forward(x):
    """x (2, 3, 4, 4)"""
    N, C, H, W = x.shape
    out = x.reshape(N, C, H // 2, 2, W // 2, 2).max(axis=(3, 5))
    return out, (x, out)


def maxpool_backward(dout, cache):
    x, out = cache
    dx = np.zeros_like(x)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            mask = window == out[:, :, i, j][:, :, None, None]
            dx[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += mask * dout[:, :, i, j][:, :, None, None]
    return dx


def lstm_step_forward(x, h, c, Wx, Wh, b):
    """x (N, D), h (N, 4), c (N, 4), Wx (D, 16), Wh (4, 16), b (16,)"""
    a = x @ Wx + h @ Wh + b
    H = h.shape[1]
    i = 1 / (1 + np.exp(-a[:, :H]))
    f = 1 / (1 + np.exp(-a[:, H : 2 * H]))
    o = 1 / (1 + np.exp(-a[:, 2 * H : 3 * H]))
    g = np.tanh(a[:, 3 * H :])
    c_next = f * c + i * g
    tanh_c = np.tanh(c_next)
    h_next = o * tanh_c
    return h_next, (x, h, c, Wx, Wh, i, f, o, g, tanh_c)


def lstm_step_backward(dh_next, cache):
    x, h, c, Wx, Wh, i, f, o, g, tanh_c = cache
    do = dh_next * tanh_c
    dc_next = dh_next * o * (1 - tanh_c**2)
    df = dc_next * c
    di = dc_next * g
    dg = dc_next * i
    dc = dc_next * f
    da = np.concatenate((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)), axis=1)
    dx = da @ Wx.T
    dh = da @ Wh.T
    dWx = x.T @ da
    dWh = h.T @ da
    db = da.sum(axis=0)
    return dx, dh, dc, dWx, dWh, db


def _softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _softmax_back(dp, p):
    inner = np.sum(dp * p, axis=1, keepdims=True)
    dscores = p * (dp - inner)
    return dscores


def mixture_forward(scores, values):
    """scores (N, K), values (K, D)"""
    p = _softmax(scores)
    out = np.einsum("nk,kd->nd", p, values)
    return out, (p, values)


def mixture_backward(dout, cache):
    p, values = cache
    dvalues = np.einsum("nk,nd->kd", p, dout)
    dp = np.einsum("nd,kd->nk", dout, values)
    dscores = _softmax_back(dp, p)
    return dscores, dvalues
