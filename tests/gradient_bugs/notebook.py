"""Closures as they stand in notebooks: einsum, loops, lambdas, two directions, several outputs, other names."""

import numpy as np


def multihead(q, k, v, Wo):
    """q (B, T, D), k (B, S, D), v (B, S, D), Wo (D, D)"""
    heads = 2
    B, T, D = q.shape
    d = D // heads
    qh, kh, vh = (a.reshape(B, -1, heads, d) for a in (q, k, v))
    logits = np.einsum("bthd,bshd->bhts", qh, kh) / np.sqrt(d)
    w = np.exp(logits - logits.max(axis=-1, keepdims=True))
    w = w / w.sum(axis=-1, keepdims=True)
    ctx = np.einsum("bhts,bshd->bthd", w, vh).reshape(B, T, D)
    y = ctx @ Wo

    def backward(g):
        gWo = np.einsum("btd,bte->de", ctx, g)
        gctx = (g @ Wo.T).reshape(B, T, heads, d)
        gvh = np.einsum("bhts,bthd->bshd", w, gctx)
        gw = np.einsum("bthd,bshd->bhts", gctx, vh)
        glogits = w * (gw - (gw * w).sum(-1, keepdims=True))
        glogits = glogits / np.sqrt(d)
        gqh = np.einsum("bhts,bshd->bthd", glogits, kh)
        gkh = np.einsum("bhts,bthd->bshd", glogits, qh)
        return gqh.reshape(q.shape), gkh.reshape(k.shape), gvh.reshape(v.shape), gWo

    return y, backward


def example_multihead():
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((2, 3, 4)),
        rng.standard_normal((2, 5, 4)),
        rng.standard_normal((2, 5, 4)),
        rng.standard_normal((4, 4)),
    )


def birnn(x, Wf, Uf, Wb, Ub):
    """x (B, T, I), Wf (I, H), Uf (H, H), Wb (I, H), Ub (H, H)"""
    B, T, _ = x.shape
    H = Uf.shape[0]
    f, b = np.zeros((T + 1, B, H)), np.zeros((T + 1, B, H))
    for t in range(T):
        f[t + 1] = np.tanh(x[:, t] @ Wf + f[t] @ Uf)
    for t in range(T - 1, -1, -1):
        b[t] = np.tanh(x[:, t] @ Wb + b[t + 1] @ Ub)
    last = f[T] + b[0]

    def pull(dlast):
        dx = np.zeros_like(x)
        dWf, dUf, dWb, dUb = (np.zeros_like(p) for p in (Wf, Uf, Wb, Ub))
        dhf = dlast
        for t in range(T - 1, -1, -1):
            dpre = dhf * (1 - f[t + 1] ** 2)
            dx[:, t] += dpre @ Wf.T
            dWf += x[:, t].T @ dpre
            dUf += f[t].T @ dpre
            dhf = dpre @ Uf.T
        dhb = dlast
        for t in range(T):
            dpre = dhb * (1 - b[t] ** 2)
            dx[:, t] += dpre @ Wb.T
            dWb += x[:, t].T @ dpre
            dUb += b[t + 1].T @ dpre
            dhb = dpre @ Ub.T
        return dx, dWf, dUf, dWb, dUb

    return last, pull


def seq_rnn(xs, h0, Wx, Wh, Wy):
    """All outputs and the last state. xs (T, B, I), h0 (B, H), Wx (I, H), Wh (H, H), Wy (H, O)"""
    hs, ys = [h0], []
    for x in xs:
        hs.append(np.tanh(x @ Wx + hs[-1] @ Wh))
        ys.append(hs[-1] @ Wy)
    ys = np.stack(ys)

    def backward(dys, dh_last):
        dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
        dxs = np.zeros_like(xs)
        dh = dh_last
        for t in reversed(range(len(xs))):
            dWy += hs[t + 1].T @ dys[t]
            dh = dh + dys[t] @ Wy.T
            draw = dh * (1 - hs[t + 1] ** 2)
            dWx += xs[t].T @ draw
            dWh += hs[t].T @ draw
            dxs[t] = draw @ Wx.T
            dh = draw @ Wh.T
        return dxs, dh, dWx, dWh, dWy

    return (ys, hs[-1]), backward


def groupnorm(x, gain, shift):
    """x (N, 6, 3), gain (6,), shift (6,)"""
    N, C, L = x.shape
    grouped = x.reshape(N, 2, -1)
    mu = grouped.mean(-1, keepdims=True)
    sigma = grouped.std(-1, keepdims=True)
    normed = ((grouped - mu) / sigma).reshape(N, C, L)
    out = normed * gain[:, None] + shift[:, None]

    def backward(dL):
        dgain = np.einsum("ncl,ncl->c", dL, normed)
        dshift = np.einsum("ncl->c", dL)
        dnormed = (dL * gain[:, None]).reshape(N, 2, -1)
        n = normed.reshape(N, 2, -1)
        dgrouped = (dnormed - dnormed.mean(-1, keepdims=True) - n * (dnormed * n).mean(-1, keepdims=True)) / sigma
        return dgrouped.reshape(x.shape), dgain, dshift

    return out, backward


def conv1d(signal, kernel):
    """signal (7,), kernel (3,)"""
    n, k = len(signal), len(kernel)
    y = np.array([sum(signal[i + j] * kernel[j] for j in range(k)) for i in range(n - k + 1)])

    def backward(dy):
        dsignal, dkernel = np.zeros(n), np.zeros(k)
        i = 0
        while i < len(dy):
            for j in range(k):
                dsignal[i + j] += dy[i] * kernel[j]
                dkernel[j] += dy[i] * signal[i + j]
            i += 1
        return dsignal, dkernel

    return y, backward


def swish(x, beta):
    """x (N, D), beta (1,)"""
    s = 1 / (1 + np.exp(-beta * x))
    return x * s, lambda dy: (dy * (s + beta * x * s * (1 - s)), np.array([(dy * x * x * s * (1 - s)).sum()]))


def highway(x, W, T, b):
    """x (N, D), W (D, D), T (D, D), b (1, D)"""
    pre = x @ W
    h = np.tanh(pre)
    gate_in = x @ T + b
    gate = 1 / (1 + np.exp(-gate_in))
    y = gate * h + (1 - gate) * x

    def backward(err):
        d_h = err * gate
        d_gate = err * (h - x)
        d_pre = d_h * (1 - h**2)
        d_gate_in = d_gate * gate * (1 - gate)
        d_W = x.T @ d_pre
        d_T = x.T @ d_gate_in
        d_b = d_gate_in.sum(axis=0, keepdims=True)
        d_x = err * (1 - gate)
        d_x += d_pre @ W.T
        d_x += d_gate_in @ T.T
        return d_x, d_W, d_T, d_b

    return y, backward


def cosine(u, v):
    """u (N, D), v (N, D)"""
    nu = np.linalg.norm(u, axis=1, keepdims=True)
    nv = np.linalg.norm(v, axis=1, keepdims=True)
    uh, vh = u / nu, v / nv
    sim = (uh * vh).sum(axis=1, keepdims=True)

    def backward(dsim):
        duh = dsim * vh
        dvh = dsim * uh
        du = (duh - uh * (duh * uh).sum(axis=1, keepdims=True)) / nu
        dv = (dvh - vh * (dvh * vh).sum(axis=1, keepdims=True)) / nv
        return du, dv

    return sim, backward
