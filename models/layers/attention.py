"""Self-attention by hand: clear (`attention`) and fast (`self_attention`, of all heads at once).

    p = softmax(q kᵀ / √d),   y = p v                                                          (Vaswani et al. 2017)
    dv = pᵀ dy,   dp = dy vᵀ,   ds = p ⊙ (dp - Σ dp ⊙ p),   dq = ds k / √d,   dk = dsᵀ q / √d,   Σ over keys

Legend: B batch, T places, D features, h heads, d = D / h features of a head.
"""

import math
from collections.abc import Callable

import numpy as np

from duograd.models.arrays import Array, check_floating

Backward = Callable[[Array], tuple[Array, Array, Array]]
"""dy -> dq, dk, dv."""
Watch = Callable[[Array], object]


def attention(q: Array, k: Array, v: Array) -> tuple[Array, Backward]:
    """Each of T places asks q (…, T, d) of all keys k, and mixes the values v as they answer: y (…, T, d), backward."""
    check_floating("input of attention", q)
    scale = 1 / math.sqrt(q.shape[-1])
    s = scale * q @ k.swapaxes(-1, -2)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    y = p @ v

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dv = p.swapaxes(-1, -2) @ dy
        dp = dy @ v.swapaxes(-1, -2)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
        dq = scale * ds @ k
        dk = scale * ds.swapaxes(-1, -2) @ q
        return dq, dk, dv

    return y, backward


def self_attention(qkv: Array, heads: int, watch: Watch | None = None) -> tuple[Array, Callable[[Array], Array]]:
    """The same for h heads side by side: qkv (B, T, 3D), of each place q, k and v -> y (B, T, D), backward(dy) -> dqkv.

    Products read and write their share of these arrays where it lies; what is T × T is made once on the way forward and
    once on the way back, and worked on in place. Σ dp ⊙ p over T keys is Σ dy ⊙ y over d features. watch(p) sees how
    much each place looks at each, p (B, h, T, T). Raises ValueError: heads that do not divide D; integers.
    """
    check_floating("input of attention", qkv)
    q, k, v = _by_head(qkv, heads)
    scale = qkv.dtype.type(1 / math.sqrt(q.shape[-1]))
    q = scale * q
    p = q @ k.swapaxes(-1, -2)
    _softmax(p)
    if watch is not None:
        watch(p)
    (B, T, D3) = qkv.shape
    y = np.empty((B, T, D3 // 3), qkv.dtype)
    np.matmul(p, v, out=_heads_of(y, heads))

    def backward(dy: Array) -> Array:
        dqkv = np.empty(qkv.shape, qkv.dtype)
        dq, dk, dv = _by_head(dqkv, heads)
        d = _heads_of(dy, heads)
        np.matmul(p.swapaxes(-1, -2), d, out=dv)
        ds = d @ v.swapaxes(-1, -2)
        ds -= np.einsum("bhtd,bhtd->bht", d, _heads_of(y, heads))[..., None]
        ds *= p
        np.matmul(ds, k, out=dq)
        dq *= scale
        np.matmul(ds.swapaxes(-1, -2), q, out=dk)
        return dqkv

    return y, backward


def _softmax(s: Array) -> None:
    """Each row becomes its softmax, in place; sums as a product, which takes a sixth of the time of `sum`."""
    s -= s.max(axis=-1, keepdims=True)
    np.exp(s, out=s)
    s /= s @ np.ones((s.shape[-1], 1), s.dtype)


def _by_head(qkv: Array, heads: int) -> Array:
    """(B, T, 3D) -> q, k, v (3, B, h, T, d), a view where memory allows it."""
    B, T, D3 = qkv.shape
    if D3 % (3 * heads):
        raise ValueError(f"{heads} heads do not divide {D3 / 3:g} features of q, of k and of v")
    return qkv.reshape(B, T, 3, heads, D3 // (3 * heads)).transpose(2, 0, 3, 1, 4)


def _heads_of(y: Array, heads: int) -> Array:
    """(B, T, D) -> (B, h, T, d), likewise."""
    B, T, D = y.shape
    return y.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)
