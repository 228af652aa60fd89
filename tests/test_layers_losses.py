"""Cross-entropy, SVM loss and L2: against numbers worked out by hand, torch, and differences."""

import math

import numpy as np
import pytest
import torch
from layer_builders import CEILING, plant, worst

from duograd.models.errors import ArchitectureError
from duograd.models.layers import losses
from duograd.models.layers.losses import cross_entropy, l2, svm
from duograd.models.loss import Targets
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig, balanced
from duograd.models.losses.huber import Huber, HuberConfig
from duograd.models.losses.squared_error import SquaredError, SquaredErrorConfig

F = torch.nn.functional
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


FAR = [[[1, -np.inf, 0]], [[3e38, -3e38, 0]], [[3e38, 3e38, 0]], [[-3e38] * 3], [[np.inf, 0, 0]], [[np.nan, 0, 0]]]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("logits", FAR, ids=str)
def test_great_logits_neither_overflow_nor_warn(logits, target, smoothing):
    """A class that does not count may be impossible; infinite where the right one is, NaN where torch's is."""
    tensor = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor([target]), label_smoothing=smoothing)
    expected.backward()
    loss, backward = cross_entropy(np.array(logits, np.float32), np.array([target]), None, smoothing)
    assert loss == pytest.approx(expected.item(), rel=1e-6, nan_ok=True)
    np.testing.assert_allclose(backward(), tensor.grad.numpy(), rtol=1e-6, atol=1e-7)
    assert svm(np.array([[3e38, -3e38]], np.float32), np.array([1 - target]))[0] in (0.0, np.inf)


@pytest.mark.parametrize("loss", [cross_entropy, svm])
@pytest.mark.parametrize("target", [-1, -100, 3, 7])
def test_a_target_that_is_no_class_is_refused(loss, target):
    with pytest.raises(ValueError, match=rf"target {target} is no class: expected an integer from 0 to 2"):
        loss(np.zeros((2, 3)), np.array([0, target]))


@pytest.mark.parametrize("target", [-1, -100, 3])
def test_the_twin_refuses_it_too(target):
    """torch passes over -100 in silence."""
    config = CrossEntropyConfig(
        **{"name": "cross_entropy", "lambda": 0.0, "label_smoothing": 0.0, "class_weights": None}
    )
    with pytest.raises(IndexError, match=f"Target {target} is out of bounds"):
        CrossEntropy(config, Targets(3)).torch_error(F, torch.zeros(2, 3), torch.tensor([0, target]), {})


@pytest.mark.parametrize("loss", [cross_entropy, svm])
def test_what_would_be_read_as_something_else_is_refused(loss):
    with pytest.raises(ValueError, match="targets of bool: expected indices of classes, integers from 0 to 2"):
        loss(np.zeros((2, 3)), np.array([True, False]))
    with pytest.raises(ValueError, match=r"targets have shape \(2, 1\): expected \(2,\), one for each sample"):
        loss(np.zeros((2, 3)), np.array([[0], [1]]))
    with pytest.raises(ValueError, match="logits of int64: convert it first"):
        loss(np.zeros((2, 3), int), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"class_weights has shape \(1,\): expected \(3,\), a value for each class"):
        cross_entropy(np.zeros((2, 3)), np.array([0, 0]), np.ones(1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_keeps_the_outputs_dtype(dtype):
    """Whatever the dtype of what they are compared with."""
    outputs, classes, values = np.ones((2, 4), dtype), np.array([0, 3]), np.arange(8.0).reshape(2, 4)
    losses = {"cross entropy": cross_entropy(outputs, classes, WEIGHTS, 0.1), "svm": svm(outputs, classes)}
    losses["squared error"] = squared_error(values).error(outputs, values)
    losses["huber"] = Huber(HuberConfig(name="huber", lambda_=0, delta=1), Targets(4, values)).error(outputs, values)
    assert {name: (type(loss), backward().dtype) for name, (loss, backward) in losses.items()} == dict.fromkeys(
        losses, (float, dtype)
    )


def test_squared_error_takes_values_of_the_outputs_shape_or_none():
    loss = squared_error(np.arange(6.0).reshape(6, 1))
    with pytest.raises(ValueError, match=r"targets have shape \(6,\), outputs \(6, 1\): both must be the same"):
        loss.error(np.zeros((6, 1)), np.arange(6.0))
    nothing, backward = loss.error(np.zeros((0, 1)), np.zeros((0, 1)))
    assert math.isnan(nothing)
    assert backward().shape == (0, 1)


def squared_error(train):
    return SquaredError(SquaredErrorConfig(**{"name": "squared_error", "lambda": 0.0}), Targets(train.shape[1], train))


@pytest.mark.parametrize("loss", [cross_entropy, svm])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_nothing_one_sample_and_one_class(loss, dtype):
    nothing, backward = loss(np.zeros((0, 3), dtype), np.zeros(0, int))
    assert math.isnan(nothing) if loss is cross_entropy else nothing == 0  # as torch
    assert backward().shape == (0, 3)
    one, backward = loss(np.ones((1, 1), dtype), np.zeros(1, np.uint8))
    assert (one, backward().tolist(), backward().dtype) == (0, [[0]], dtype)


def test_balanced_weights_make_classes_count_alike():
    weights = balanced(Targets(3, np.array([0, 0, 0, 1, 1, 2])))
    np.testing.assert_allclose(weights, [2 / 3, 1, 2], rtol=EXACT)


def test_balanced_weights_need_every_class():
    with pytest.raises(ArchitectureError, match="no training sample is of class 'walking', so it cannot be weighed"):
        balanced(Targets(3, np.array([0, 2, 2]), ("sitting", "walking", "running")))


def test_l2_is_half_lambda_times_the_squares():
    cost, grads = l2({"W": np.array([[3.0, 4.0]])}, 0.1)
    assert cost == pytest.approx(0.05 * 25)
    np.testing.assert_allclose(grads["W"], [[0.3, 0.4]])


def test_svm_by_hand():
    """Right class 0: 2 - 3 + 1 = 0 is no violation, 4 - 3 + 1 = 2 is one."""
    loss, backward = svm(np.array([[3.0, 2.0, 4.0]]), np.array([0]))
    assert loss == 2
    assert backward().tolist() == [[-1, 0, 1]]


@pytest.mark.parametrize("margin", [0.5, 1.0])
def test_svm_is_torchs_times_the_classes(margin):
    """Also where a margin is met exactly: logits are halves."""
    rng = np.random.default_rng(0)
    logits, targets = rng.integers(-4, 5, (40, 4)) / 2, rng.integers(4, size=40)
    tensor = torch.tensor(logits, requires_grad=True)
    expected = 4 * torch.nn.functional.multi_margin_loss(tensor, torch.tensor(targets), margin=margin)
    expected.backward()
    loss, backward = svm(logits, targets, margin)
    assert loss == pytest.approx(expected.item(), rel=EXACT)
    np.testing.assert_allclose(backward(), tensor.grad.numpy(), rtol=1e-12, atol=EXACT)


def loss_layer(loss, targets):
    """A loss in the form of a layer, for the checks of gradients."""

    def layer(logits):
        value, backward = loss(logits, targets)
        return np.array([value]), lambda dy: dy * backward()

    return layer


@pytest.mark.parametrize("name", ["svm", "cross_entropy"])
def test_gradients_of_losses_against_differences(name):
    logits, targets = np.random.default_rng(3).standard_normal((6, 4)), np.array([0, 1, 2, 3, 3, 0])
    assert worst(loss_layer(getattr(losses, name), targets), logits) < CEILING


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("svm", "-dlogits.sum(axis=1)", "-1"),
        ("svm", "shortfall[rows, targets] = 0", "pass"),
        ("svm", "/ logits.dtype.type(len(logits))", "/ logits.dtype.type(1)"),
        ("cross_entropy", "np.exp(log_p) * a.sum(axis=1, keepdims=True) - a", "np.exp(log_p) - a"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, name, right, wrong):
    plant(monkeypatch, losses, losses, right, wrong)
    logits, targets = np.random.default_rng(3).standard_normal((6, 4)), np.array([0, 1, 2, 3, 3, 0])
    assert worst(loss_layer(getattr(losses, name), targets), logits) > CEILING
