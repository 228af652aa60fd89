"""Layers in the styles of course assignments: cache tuples and dicts, loops per sample, im2col, features in columns."""

import numpy as np


def relu_grad(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def linear_activation_forward(A_prev, W, b):
    """A_prev (I, N), W (O, I), b (O, 1)"""
    Z = np.dot(W, A_prev) + b
    A = np.maximum(0, Z)
    cache = ((A_prev, W, b), Z)
    return A, cache


def linear_activation_backward(dA, cache):
    linear_cache, activation_cache = cache
    dZ = relu_grad(dA, activation_cache)
    A_prev, W, b = linear_cache
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def im2col(x, K, stride):
    B, C, H, W = x.shape
    oh, ow = (H - K) // stride + 1, (W - K) // stride + 1
    cols = np.zeros((B, C, K, K, oh, ow))
    for i in range(K):
        for j in range(K):
            cols[:, :, i, j] = x[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(B * oh * ow, -1)


def col2im(dcol, shape, K, stride):
    B, C, H, W = shape
    oh, ow = (H - K) // stride + 1, (W - K) // stride + 1
    dcol = dcol.reshape(B, oh, ow, C, K, K).transpose(0, 3, 4, 5, 1, 2)
    dimg = np.zeros(shape)
    for i in range(K):
        for j in range(K):
            dimg[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += dcol[:, :, i, j]
    return dimg


def conv_im2col_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    F, C, K, _ = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    cols = im2col(xp, K, stride)
    flat = cols @ w.reshape(F, -1).T + b
    side = (xp.shape[2] - K) // stride + 1
    out = flat.reshape(len(x), side, side, F).transpose(0, 3, 1, 2)
    return out, (xp.shape, w, cols, conv_param)


def conv_im2col_backward(dout, cache):
    shape, w, cols, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    F = w.shape[0]
    top_diff = dout.transpose(0, 2, 3, 1).reshape(-1, F)
    db = np.sum(top_diff, axis=0)
    dw = (cols.T @ top_diff).T.reshape(w.shape)
    dcols = top_diff @ w.reshape(F, -1)
    dx = col2im(dcols, shape, w.shape[2], stride)
    dx = dx[:, :, pad:-pad, pad:-pad]
    return dx, dw, db


def example_conv_im2col():
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((2, 2, 5, 5)),
        rng.standard_normal((3, 2, 3, 3)),
        rng.standard_normal(3),
        {"stride": 2, "pad": 1},
    )


def dropout_forward(x, mask, p=0.6):
    """x (N, D), mask (N, D) bool"""
    keep = (mask > 0).astype(x.dtype) / p
    out = x * keep
    cache = {"keep": keep, "p": p}
    return out, cache


def dropout_backward(dout, cache):
    keep = cache["keep"]
    dx = dout * keep
    return dx


def example_dropout():
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, 3)), (rng.random((4, 3)) < 0.6).astype(int)


def channelnorm_forward(X, gamma, beta):
    """X (B, C, L), gamma (1, C, 1), beta (1, C, 1)"""
    mean = X.mean(axis=(0, 2), keepdims=True)
    var = X.var(axis=(0, 2), keepdims=True)
    inv_std = 1.0 / np.sqrt(var + 1e-5)
    x_norm = (X - mean) * inv_std
    Y = gamma * x_norm + beta
    cache = {"X": X, "mean": mean, "inv_std": inv_std, "x_norm": x_norm, "gamma": gamma}
    return Y, cache


def channelnorm_backward(dY, cache):
    X, mean, inv_std, x_norm, gamma = (cache[k] for k in ("X", "mean", "inv_std", "x_norm", "gamma"))
    m = X.size / X.shape[1]
    dgamma = np.sum(dY * x_norm, axis=(0, 2), keepdims=True)
    dbeta = np.sum(dY, axis=(0, 2), keepdims=True)
    dx_norm = dY * gamma
    dvar = np.sum(dx_norm * (X - mean) * -0.5 * inv_std**3, axis=(0, 2), keepdims=True)
    dmean = np.sum(dx_norm * -inv_std, axis=(0, 2), keepdims=True)
    dX = dx_norm * inv_std + dvar * 2 * (X - mean) / m + dmean / m
    return dX, dgamma, dbeta


def rnn_cell_forward(xt, a_prev, parameters):
    Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
    a_next = np.tanh(np.dot(Wax, xt) + np.dot(Waa, a_prev) + ba)
    return a_next, (a_next, a_prev, xt, parameters)


def rnn_cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    Wax, Waa = parameters["Wax"], parameters["Waa"]
    dtanh = (1 - a_next**2) * da_next
    dxt = np.dot(Wax.T, dtanh)
    dWax = np.dot(dtanh, xt.T)
    da_prev = np.dot(Waa.T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)
    dba = np.sum(dtanh, axis=1, keepdims=True)
    return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def example_rnn_cell():
    rng = np.random.default_rng(0)
    parameters = {
        "Wax": rng.standard_normal((4, 3)),
        "Waa": rng.standard_normal((4, 4)),
        "ba": rng.standard_normal((4, 1)),
    }
    return rng.standard_normal((3, 5)), rng.standard_normal((4, 5)), parameters


def pool_forward(A_prev, hparameters):
    f, stride = hparameters["f"], hparameters["stride"]
    m, n_H, n_W, n_C = A_prev.shape
    H, W = 1 + (n_H - f) // stride, 1 + (n_W - f) // stride
    A = np.zeros((m, H, W, n_C))
    for i in range(m):
        for h in range(H):
            for w in range(W):
                for c in range(n_C):
                    piece = A_prev[i, h * stride : h * stride + f, w * stride : w * stride + f, c]
                    A[i, h, w, c] = np.mean(piece)
    return A, (A_prev, hparameters)


def pool_backward(dA, cache):
    A_prev, hparameters = cache
    f, stride = hparameters["f"], hparameters["stride"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros_like(A_prev)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    r, s = h * stride, w * stride
                    dA_prev[i, r : r + f, s : s + f, c] += dA[i, h, w, c] / (f * f)
    return dA_prev


def example_pool():
    return np.random.default_rng(0).standard_normal((2, 5, 5, 2)), {"f": 3, "stride": 2}
