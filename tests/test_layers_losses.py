"""Cross-entropy and L2: against numbers worked out by hand, torch, and differences."""

import math

import numpy as np
import pytest
import torch

from models.layers.losses import balanced, cross_entropy, l2, log_softmax

EXACT = 1e-13  # float64: only the order of sums differs
WEIGHTS = np.array([1.0, 2.0, 0.5, 4.0])


def test_cross_entropy_by_hand():
    """Two samples, two classes: p = 3/4 for the right class of one, 1/5 for that of the other."""
    logits = np.log(np.array([[3.0, 1.0], [4.0, 1.0]]))
    loss, backward = cross_entropy(logits, np.array([0, 1]))
    assert loss == pytest.approx(-(math.log(3 / 4) + math.log(1 / 5)) / 2, rel=EXACT)
    np.testing.assert_allclose(backward(), np.array([[-1 / 4, 1 / 4], [4 / 5, -4 / 5]]) / 2, rtol=EXACT)


def test_weights_divide_by_the_weights_of_the_targets():
    """The same two samples, the second three times as heavy."""
    logits = np.log(np.array([[3.0, 1.0], [4.0, 1.0]]))
    loss, _ = cross_entropy(logits, np.array([0, 1]), np.array([1.0, 3.0]))
    assert loss == pytest.approx(-(math.log(3 / 4) + 3 * math.log(1 / 5)) / 4, rel=EXACT)


def test_smoothing_by_hand():
    """One sample, s = 0.2: 0.9 of the right class, 0.1 of the other."""
    loss, _ = cross_entropy(np.log(np.array([[3.0, 1.0]])), np.array([0]), label_smoothing=0.2)
    assert loss == pytest.approx(-(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4)), rel=EXACT)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
@pytest.mark.parametrize("batch", [1, 7])
def test_loss_and_gradient_are_torchs(batch, weights, smoothing):
    rng = np.random.default_rng(0)
    logits, targets = 3 * rng.standard_normal((batch, 4)), rng.integers(4, size=batch)
    tensor = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        tensor,
        torch.tensor(targets),
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=smoothing,
    )
    expected.backward()
    loss, backward = cross_entropy(logits, targets, weights, smoothing)
    assert loss == pytest.approx(expected.item(), rel=EXACT)
    np.testing.assert_allclose(backward(), tensor.grad.numpy(), rtol=1e-12, atol=EXACT)


def test_great_logits_neither_overflow_nor_warn():
    logits = np.array([[1e4, -1e4, 0.0]], np.float32)
    assert log_softmax(logits).tolist() == [[0, -2e4, -1e4]]
    loss, backward = cross_entropy(logits, np.array([1]))
    assert loss == 2e4
    assert backward().tolist() == [[1, -1, 0]]


def test_float32_stays_float32():
    _, backward = cross_entropy(np.zeros((2, 4), np.float32), np.array([0, 1]), WEIGHTS, 0.1)
    assert backward().dtype == np.float32


def test_balanced_weights_make_classes_count_alike():
    targets = np.array([0, 0, 0, 1, 2, 2])
    weights = balanced(targets, 3)
    np.testing.assert_allclose(weights, [6 / 9, 6 / 3, 6 / 6])
    assert np.bincount(targets, weights[targets]).tolist() == [2, 2, 2]


def test_balanced_weights_need_every_class():
    with pytest.raises(ValueError, match="class 1 has no sample"):
        balanced(np.array([0, 2, 2]), 3)


def test_l2_is_half_lambda_times_the_squares():
    cost, grads = l2({"W": np.array([[3.0, 4.0]])}, 0.1)
    assert cost == pytest.approx(0.05 * 25)
    np.testing.assert_allclose(grads["W"], [[0.3, 0.4]])
