"""Dense layers, ReLU and dropout: against differences, torch, and planted bugs."""

import numpy as np
import pytest
import torch
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, plant, worst

from duograd.models.layers import dense
from duograd.models.layers.dense import LARGE, affine, dropout, hidden, keep_mask, relu
from duograd.models.layers.threads import Threads


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 3)), rng.standard_normal((4, 3)), rng.standard_normal(4)


def test_affine_by_hand():
    y, backward = affine(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([5.0]))
    dx, grads = backward(np.array([[2.0]]))
    assert y.tolist() == [[16]]
    assert (dx.tolist(), grads["weight"].tolist(), grads["bias"].tolist()) == ([[6, 8]], [[2, 4]], [2])


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_gradients_against_differences(arrays, p):
    mask = keep_mask(np.random.default_rng(2), (5, 4), p, float)
    assert worst(affine, *arrays) < CEILING
    assert worst(lambda x, W, b: hidden(x, W, b, mask), *arrays) < CEILING


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("np.matmul(dy, W[:, i]", "np.matmul(dy, W[::-1, i]"),
        ("np.matmul(dy[:, o].T, x,", "np.matmul(dy[:, o].T, np.abs(x),"),
        ("dy.sum(axis=0)", "dy.mean(axis=0)"),
        ("affine_backward(relu_backward(dropout_backward(dy)))", "affine_backward(dropout_backward(dy))"),
        ("affine_backward(relu_backward(dropout_backward(dy)))", "affine_backward(relu_backward(dy))"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, arrays, right, wrong):
    plant(monkeypatch, dense, dense, right, wrong)
    mask = keep_mask(np.random.default_rng(2), (5, 4), 0.4, float)
    assert worst(lambda x, W, b: dense.hidden(x, W, b, mask), *arrays) > CEILING


def test_affine_without_a_bias_or_dx(arrays):
    x, W, b = arrays
    _, (dx, dW, _) = by_hand(affine, x, W, b)
    assert_same(by_hand(lambda x, W: affine(x, W, None), x, W), (x @ W.T, [dx, dW]))
    _, (nothing, same_dW, _) = by_hand(lambda *a: affine(*a, needs_dx=False), x, W, b)
    assert nothing is None
    assert (same_dW == dW).all()


def test_a_large_product_has_the_same_bits_for_any_number_of_threads():
    x, W, b = (a.astype(np.float32) for a in (draw(50, 1030), draw(101, 1030, seed=2), draw(101, seed=3)))
    assert x.size * len(W) > LARGE
    with Threads(1).single_blas_thread():
        y, gradients = by_hand(affine, x, W, b)
        for threads in (1, 2, 5):
            other_y, others = by_hand(lambda *a, t=threads: affine(*a, threads=Threads(t)), x, W, b)
            assert all((a == b).all() for a, b in zip([y, *gradients], [other_y, *others], strict=True))
    expected = by_autograd(torch.nn.functional.linear, *(a.astype(float) for a in (x, W, b)))
    assert_same((y, gradients), expected, rtol=1e-4, atol=1e-3)  # float32, sums of a thousand


def test_relu_is_torchs_also_at_zero():
    z = np.array([0.0, -1.0, 2.0])
    y, backward = relu(z)
    tensor = torch.tensor(z, requires_grad=True)
    torch.relu(tensor).sum().backward()
    assert y.tolist() == [0, 0, 2]
    assert backward(np.ones(3)).tolist() == tensor.grad.tolist() == [0, 0, 1]
    assert z.tolist() == [0, -1, 2]


def test_a_mask_keeps_the_mean():
    mask = keep_mask(np.random.default_rng(0), (400, 500), 0.3, "float32")
    assert mask.dtype == np.float32
    assert np.unique(mask).tolist() == [0, np.float32(1 / 0.7)]
    assert mask.mean() == pytest.approx(1, abs=0.01)  # 200 000 draws: known to 0.0015


def test_no_mask_lets_everything_pass():
    x = np.arange(3.0)
    y, backward = dropout(x, None)
    assert y is x
    assert backward(x) is x
