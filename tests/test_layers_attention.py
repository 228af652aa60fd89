"""Attention, GELU and layer norm of rows: the clear against differences and torch, the fast against the clear."""

from functools import partial

import numpy as np
import pytest
import torch
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, worst
from recurrent_builders import mutant

from duograd.models.layers import attention as attention_module
from duograd.models.layers import gelu as gelu_module
from duograd.models.layers import row_norm as row_norm_module
from duograd.models.layers.attention import self_attention
from duograd.models.layers.gelu import fast_gelu, gelu
from duograd.models.layers.norm import layer_norm
from duograd.models.layers.row_norm import row_norm

F = torch.nn.functional
SIZES = [(3, 6, 8, 2), (2, 5, 3, 3), (2, 1, 4, 1), (1, 7, 1, 1)]  # B, T, D, h


def apart(qkv, heads):
    """q, k, v (B, h, T, d) of qkv (B, T, 3D), of either library."""
    B, T, D3 = qkv.shape
    shape = B, T, 3, heads, D3 // (3 * heads)
    return qkv.reshape(shape).swapaxes(1, 2).swapaxes(0, 1).swapaxes(2, 3)


def clear_self_attention(module, qkv, heads):
    """The fast layer in terms of the clear one."""
    y, backward = module.attention(*apart(qkv, heads))
    B, T, D3 = qkv.shape

    def back(dy):
        d = backward(dy.reshape(B, T, heads, -1).swapaxes(1, 2))
        return np.stack(d).transpose(1, 3, 0, 2, 4).reshape(B, T, D3)

    return y.swapaxes(1, 2).reshape(B, T, D3 // 3), back


def torch_self_attention(qkv, heads):
    y = F.scaled_dot_product_attention(*apart(qkv, heads))
    return y.transpose(1, 2).flatten(2)


@pytest.mark.parametrize(("B", "T", "D", "heads"), SIZES)
def test_attention_is_torchs_clear_and_fast(B, T, D, heads):
    qkv = 3 * draw(B, T, 3 * D)
    expected = by_autograd(partial(torch_self_attention, heads=heads), qkv)
    assert_same(by_hand(partial(clear_self_attention, attention_module, heads=heads), qkv), expected)
    assert_same(by_hand(partial(self_attention, heads=heads), qkv), expected)


def test_gelu_is_torchs_clear_and_fast():
    z = np.concatenate([4 * draw(50), [0, 1e-9, -1e-9, -12, 12, 300, -300]])
    expected = by_autograd(partial(F.gelu, approximate="tanh"), z)
    with np.errstate(over="ignore"):
        assert_same(by_hand(gelu, z), expected)
        assert_same(by_hand(fast_gelu, z), expected)


@pytest.mark.parametrize("z", [-7.0, -4.0, -1e-6, 1e-6, 0.5])
def test_gelu_keeps_its_digits_in_single_precision(z):
    """Where 1 + tanh(u) has none left."""
    exact, backward = gelu(np.array([z]))
    for layer in (gelu, fast_gelu):
        y, single = layer(np.array([z], np.float32))
        np.testing.assert_allclose(y, exact, rtol=3e-5)  # exp of 40 has 40 times the rounding of its argument
        np.testing.assert_allclose(single(np.ones(1, np.float32)), backward(np.ones(1)), rtol=1e-4)


@pytest.mark.parametrize("shape", [(7, 6), (1, 5), (9, 1)], ids=str)
def test_layer_norm_of_rows_is_layer_norm(shape):
    arrays = 5 * draw(*shape) + 12, draw(shape[1], seed=2), draw(shape[1], seed=3)
    assert_same(by_hand(row_norm, *arrays), by_hand(layer_norm, *arrays))
    assert_same(
        by_hand(lambda *a: row_norm(*a, eps=3.0), *arrays), by_hand(lambda *a: layer_norm(*a, eps=3.0), *arrays)
    )


def test_each_place_s_shares_sum_to_1_and_are_seen():
    seen = []
    self_attention(draw(2, 5, 12), 2, seen.append)
    [p] = seen
    assert p.shape == (2, 2, 5, 5)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)


def test_attention_to_one_key_alone_does_not_overflow():
    """Scores of 1e6: the rest has no share, and nothing is warned of."""
    qkv = np.zeros((1, 3, 3), np.float32)
    qkv[0, :, 0], qkv[0, 1, 1], qkv[0, :, 2] = 1e3, 1e3, [1, 2, 3]
    y, backward = self_attention(qkv, 1)
    assert y.ravel().tolist() == [2, 2, 2]
    assert np.isfinite(backward(np.ones_like(y))).all()


def test_heads_that_do_not_divide_the_features_are_told():
    with pytest.raises(ValueError, match="3 heads do not divide 4 features of q, of k and of v"):
        self_attention(draw(2, 5, 12), 3)


BUGS = [
    (attention_module, "dv = p.swapaxes(-1, -2) @ dy", "dv = p @ dy"),
    (attention_module, "ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))", "ds = p * dp"),
    (attention_module, "dq = scale * ds @ k", "dq = ds @ k"),
    (attention_module, "dk = scale * ds.swapaxes(-1, -2) @ q", "dk = scale * ds @ q"),
    (attention_module, "e / e.sum(axis=-1, keepdims=True)", "e / e.sum(axis=-2, keepdims=True)"),
    (attention_module, "        dq *= scale\n", ""),
    (attention_module, "        ds *= p\n", ""),
    (attention_module, 'np.einsum("bhtd,bhtd->bht", d, _heads_of(y, heads))', 'np.einsum("bhtd,bhtd->bht", d, v)'),
    (attention_module, "np.matmul(ds.swapaxes(-1, -2), q, out=dk)", "np.matmul(ds, q, out=dk)"),
    (attention_module, "q = scale * q", "q = scale * q * (1 + 1e-5)"),
    (gelu_module, "slope = s + 2 * C * y", "slope = 1 + 2 * C * y"),
    (gelu_module, "(1 + 3 * A * z**2)", "(1 + A * z**2)"),
    (gelu_module, "slope *= 6 * C * A", "slope *= 2 * C * A"),
    (gelu_module, "        slope += s\n", ""),
    (gelu_module, "        slope *= 1 - s\n", ""),
    (row_norm_module, "        dx -= dx @ mean\n", ""),
    (row_norm_module, "dx -= np.multiply(x_hat, along, out=product)", "dx += np.multiply(x_hat, along, out=product)"),
    (row_norm_module, '"bias": rows @ dy', '"bias": rows @ product'),
    (row_norm_module, "weight[:, None] * mean", "mean"),
]


def layers_of(module):
    """What a module's layers are called with, and what torch makes of the same."""
    if module.__name__ == gelu_module.__name__:
        return [(module.gelu, [draw(4, 6)]), (module.fast_gelu, [draw(4, 6)])], partial(F.gelu, approximate="tanh")
    if module.__name__ == row_norm_module.__name__:
        return [(module.row_norm, [draw(4, 6), draw(6, seed=2), draw(6, seed=3)])], lambda *a: F.layer_norm(
            a[0], (6,), *a[1:]
        )
    clear, fast = partial(clear_self_attention, module, heads=2), partial(module.self_attention, heads=2)
    return [(layer, [draw(2, 4, 12)]) for layer in (clear, fast)], partial(torch_self_attention, heads=2)


@pytest.mark.parametrize(
    ("module", "right", "wrong"), BUGS, ids=[f"{m.__name__[22:]}: {r.strip()}" for m, r, _ in BUGS]
)
def test_a_planted_bug_is_caught(module, right, wrong):
    layers, expected = layers_of(mutant(module, right, wrong))
    errors = [worst(layer, *arrays) for layer, arrays in layers]
    values = [np.abs(layer(*a)[0] - expected(*map(torch.tensor, a)).numpy()).max() for layer, a in layers]
    assert max(errors + values) > CEILING
