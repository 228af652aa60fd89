"""Batch, group and layer norm: differences, torch - training, evaluation, running averages - and planted bugs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, plant, worst

from duograd.models.layers import batch_norm as batch
from duograd.models.layers import norm
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.norm import group_norm, layer_norm
from duograd.models.layers.threads import Threads

F = torch.nn.functional
SHAPES = [(7, 4), (2, 1), (3, 4, 5, 2), (2, 4, 1, 1)]


def arrays(shape):
    """x away from zero, as the report's check has it; weight, bias."""
    return 5 * draw(*shape) + 12, draw(shape[1], seed=2), draw(shape[1], seed=3)


def averages(C):
    return {"mean": draw(C, seed=4), "var": np.abs(draw(C, seed=5)) + 0.5}


def trained(x, weight, bias):
    return batch_norm(x, weight, bias, None, training=True)


def evaluated(x, weight, bias):
    return batch_norm(x, weight, bias, averages(x.shape[1]), training=False)


LAYERS = {
    "training": trained,
    "evaluation": evaluated,
    "layer": layer_norm,
    "two groups": lambda *a: group_norm(a[0], 2, *a[1:]),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("shape", [(7, 8), (3, 4, 5, 2)], ids=str)
def test_gradients_against_differences(layer, shape):
    assert worst(layer, *arrays(shape)) < CEILING


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("momentum", [0.1, 0.9])
def test_batch_norm_in_training_is_torchs(shape, momentum):
    x, weight, bias = arrays(shape)
    ours, theirs = averages(shape[1]), {key: torch.tensor(a) for key, a in averages(shape[1]).items()}
    found = by_hand(lambda *a: batch_norm(*a, ours, training=True, momentum=momentum), x, weight, bias)
    expected = by_autograd(
        lambda x, w, b: F.batch_norm(x, theirs["mean"], theirs["var"], w, b, training=True, momentum=momentum),
        *(x, weight, bias),
    )
    assert_same(found, expected)
    for key in ours:
        np.testing.assert_allclose(ours[key], theirs[key].numpy(), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm_in_evaluation_is_torchs(shape):
    running = averages(shape[1])
    tensors = {key: torch.tensor(a) for key, a in running.items()}
    found = by_hand(lambda *a: batch_norm(*a, running, training=False), *arrays(shape))
    expected = by_autograd(
        lambda x, w, b: F.batch_norm(x, tensors["mean"], tensors["var"], w, b, training=False), *arrays(shape)
    )
    assert_same(found, expected)
    assert all((running[key] == averages(shape[1])[key]).all() for key in running)


def test_without_running_averages_evaluation_takes_the_batch():
    x, weight, bias = arrays((6, 4))
    ours, _ = batch_norm(x, weight, bias, None, training=False)
    module = torch.nn.BatchNorm1d(4, track_running_stats=False, dtype=torch.float64).eval()
    np.testing.assert_allclose((ours - bias) / weight, module(torch.tensor(x)).detach().numpy(), rtol=1e-9)


def test_averages_in_the_reports_words():
    """Its momentum 0.9 is what is kept of the average: 0.1 here."""
    x, weight, bias = arrays((5, 3))
    running = {"mean": np.full(3, 2.0), "var": np.ones(3)}
    batch_norm(x, weight, bias, running, training=True, momentum=0.1)
    np.testing.assert_allclose(running["mean"], 0.9 * 2 + 0.1 * x.mean(axis=0))
    np.testing.assert_allclose(running["var"], 0.9 * 1 + 0.1 * x.var(axis=0, ddof=1))


@pytest.mark.parametrize("shape", [(7, 6), (3, 6, 5, 2), (2, 6, 1, 1)], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_group_norm_is_torchs(shape, groups):
    found = by_hand(lambda x, w, b: group_norm(x, groups, w, b), *arrays(shape))
    assert_same(found, by_autograd(lambda x, w, b: F.group_norm(x, groups, w, b), *arrays(shape)), atol=1e-10)


def test_layer_norm_is_torchs():
    dense, spatial = arrays((7, 6)), arrays((3, 6, 5, 2))
    assert_same(by_hand(layer_norm, *dense), by_autograd(lambda x, w, b: F.layer_norm(x, (6,), w, b), *dense))
    assert_same(by_hand(layer_norm, *spatial), by_autograd(lambda x, w, b: F.group_norm(x, 1, w, b), *spatial))


def test_eps_is_an_argument():
    x, weight, bias = arrays((7, 4))
    expected = by_autograd(lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=3.0), x, weight, bias)
    assert_same(by_hand(lambda *a: batch_norm(*a, None, training=True, eps=3.0), x, weight, bias), expected)
    expected = by_autograd(lambda x, w, b: F.group_norm(x, 2, w, b, eps=3.0), x, weight, bias)
    assert_same(by_hand(lambda x, w, b: group_norm(x, 2, w, b, 3.0), x, weight, bias), expected)


@settings(max_examples=60)
@given(st.integers(2, 5), st.sampled_from([1, 2, 4]), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))
def test_norms_are_torchs_whatever_the_shape(B, groups, width, H, W):
    shape = (B, groups * width, H, W) if H else (B, groups * width)
    given_ = arrays(shape)
    assert_same(
        by_hand(trained, *given_), by_autograd(lambda *a: F.batch_norm(a[0], None, None, *a[1:], True), *given_)
    )
    if width * max(H, 1) * W > 1 and (H or width > 1):
        found = by_hand(lambda x, w, b: group_norm(x, groups, w, b), *given_)
        assert_same(found, by_autograd(lambda x, w, b: F.group_norm(x, groups, w, b), *given_), atol=1e-9)


@pytest.mark.parametrize("name", ["batch", "group"])
def test_any_number_of_threads_gives_the_same_bits(name):
    x, weight, bias = (a.astype(np.float32) for a in arrays((37, 4, 64, 32)))

    def layer(threads):
        if name == "batch":
            return lambda *a: batch_norm(*a, None, training=True, threads=threads)
        return lambda x, w, b: group_norm(x, 2, w, b, threads=threads)

    y, gradients = by_hand(layer(None), x, weight, bias)
    assert {a.dtype for a in (y, *gradients)} == {np.dtype(np.float32)}
    for threads in (1, 2, 5):
        other_y, others = by_hand(layer(Threads(threads)), x, weight, bias)
        assert all((a == b).all() for a, b in zip([y, *gradients], [other_y, *others], strict=True))


def test_evaluation_and_averages_stay_float32():
    x, weight, bias = (a.astype(np.float32) for a in arrays((5, 3, 2, 2)))
    running = {"mean": np.zeros(3, np.float32), "var": np.ones(3, np.float32)}
    batch_norm(x, weight, bias, running, training=True)
    y, gradients = by_hand(lambda *a: batch_norm(*a, running, training=False), x, weight, bias)
    assert {a.dtype for a in (y, *gradients, *running.values())} == {np.dtype(np.float32)}


def test_what_cannot_be_normalised_is_said_in_one_line():
    with pytest.raises(ValueError, match="4 groups do not divide 6 channels: choose one of 1, 2, 3, 6"):
        group_norm(np.zeros((2, 6, 3, 3)), 4, np.ones(6), np.zeros(6))
    with pytest.raises(ValueError, match="one value per channel, which has no variance: use a larger batch"):
        trained(np.zeros((1, 3)), np.ones(3), np.zeros(3))


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        (batch, "d = np.multiply(x_hat[part], along, out=dx[part])", "d = dx[part] = 0 * x_hat[part]"),
        (batch, "d -= shift", "pass"),
        (batch, "weight * inv_std))", "inv_std))"),
        (batch, "means = np.tile(mean, W)", "means = np.tile(mean / 2, W)"),
        (batch, "total.reshape(-1, C)", "total.reshape(-1, C)[:1]"),
        (batch, "total = ordered_sum(parts)", "total = next(iter(parts))"),
        (batch, "return dy * np.tile(weight * inv_std, W), grads", "return dy * np.tile(weight, W), grads"),
        (batch, "var * (N / (N - 1)), momentum", "var, momentum"),
        (batch, "average *= 1 - momentum", "average *= momentum"),
        (norm, "d_hat = _grouped(d[part] * weight[:, None], groups)", "d_hat = _grouped(d[part] * 1, groups)"),
        (norm, "dx: Array = d_hat - d_hat.mean(axis=2, keepdims=True)", "dx: Array = d_hat.copy()"),
        (norm, "dx -= x_hat * (", "dx += x_hat * ("),
        (norm, "(ordered_sum(sums) for sums", "(sums[-1] for sums"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, module, right, wrong):
    plant(monkeypatch, module, module, right, wrong)
    given_ = arrays((5, 4, 2, 3))
    layers = [
        lambda *a: batch.batch_norm(*a, None, training=True),
        lambda *a: batch.batch_norm(*a, averages(4), training=False),
        lambda x, w, b: norm.group_norm(x, 2, w, b),
    ]
    assert any(worst(layer, *given_) > CEILING for layer in layers) or averages_differ(batch.batch_norm, *given_)


def averages_differ(layer, x, weight, bias) -> bool:
    ours, theirs = averages(4), {key: torch.tensor(a) for key, a in averages(4).items()}
    layer(x, weight, bias, ours, training=True)
    F.batch_norm(torch.tensor(x), theirs["mean"], theirs["var"], training=True)
    return any(not np.allclose(ours[key], theirs[key].numpy()) for key in ours)
