"""Dense layers, ReLU and dropout: against differences, torch, and planted bugs."""

import numpy as np
import pytest
import torch
from recurrent_builders import mutant

from models.layers import dense
from models.layers.dense import affine, hidden, relu
from models.layers.dropout import dropout, keep_mask

CEILING = 1e-6  # float64, central differences
STEP = 1e-6


def worst(layer, *arrays) -> float:
    """The largest relative error of a layer's gradients by every entry of its arguments: L = Σ y ⊙ R."""
    y, backward = layer(*arrays)
    R = np.random.default_rng(1).standard_normal(y.shape)
    dx, grads = backward(R)
    errors = []
    for array, by_hand in zip(arrays, (dx, *grads.values()), strict=True):
        numerical = np.empty_like(array)
        for index in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = [a.copy() if a is array else a for a in arrays]
                moved[[a is array for a in arrays].index(True)][index] += sign * STEP
                ends.append((layer(*moved)[0] * R).sum())
            numerical[index] = (ends[0] - ends[1]) / (2 * STEP)
        errors.append(np.abs(numerical - by_hand).max() / np.abs(by_hand).max())
    return max(errors)


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
        ("dy @ W,", "dy @ W[::-1],"),
        ("dy.T @ x", "dy.T @ np.abs(x)"),
        ("dy.sum(axis=0)", "dy.mean(axis=0)"),
        ("affine_backward(relu_backward(dropout_backward(dy)))", "affine_backward(dropout_backward(dy))"),
        ("affine_backward(relu_backward(dropout_backward(dy)))", "affine_backward(relu_backward(dy))"),
    ],
)
def test_a_planted_bug_is_caught(arrays, right, wrong):
    bugged = mutant(dense, right, wrong)
    vars(bugged)["np"] = np
    mask = keep_mask(np.random.default_rng(2), (5, 4), 0.4, float)
    assert worst(lambda x, W, b: bugged.hidden(x, W, b, mask), *arrays) > CEILING


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
