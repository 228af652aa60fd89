"""Optimizers as twins: NumPy's and torch's trajectories, step for step, and their state in either's hands."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import numpy_net, samples, sparse_loss, torch_net
from layer_builders import Watched, draw

from duograd.data.dataset import Batch
from duograd.models.optimizer import clip, descent
from duograd.runner.compose import compose
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine

STEPS = 100
TRAJECTORY = 1e-9  # float64, after a hundred steps

CONF = Path(__file__).parents[1] / "conf" / "optimizer"
SETTINGS = [
    *([f"optimizer={path.stem}"] for path in sorted(CONF.glob("*.yaml")) if path.stem != "lbfgs"),  # a solver
    ["optimizer=sgd", "optimizer.weight_decay=0.01"],
    ["optimizer=nesterov", "optimizer.weight_decay=0.01"],
    ["optimizer=adagrad", "optimizer.weight_decay=0.1"],
    ["optimizer=rmsprop", "optimizer.clip_value=0.001"],
    ["optimizer=adam", "optimizer.weight_decay=0.01", "optimizer.clip_norm=0.01"],
    ["optimizer=vanilla_adam", "optimizer.weight_decay=0.01", "optimizer.clip_value=0.01", "optimizer.clip_norm=0.02"],
]


def twins(overrides):
    config = compose(overrides).optimizer
    net = numpy_net(sparse_loss())
    return NumpyEngine(net, config), TorchEngine(torch_net(net), config)


def assert_alike(a, b):
    for name, w in a.params().items():
        np.testing.assert_allclose(w, b.params()[name], rtol=0, atol=TRAJECTORY)


@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_trajectories_are_equal(overrides):
    """A hundred steps over changing batches at a decaying rate."""
    by_hand, autograd = twins(overrides)
    start = by_hand.params()
    for step in range(STEPS):
        batch, lr = Batch(samples(30, seed=step), None), 0.05 * 0.99**step
        terms, torch_terms = by_hand.step(batch, lr), autograd.step(batch, lr)
        assert float(terms["loss"]) == pytest.approx(float(torch_terms["loss"]), rel=1e-9)
    assert_alike(by_hand, autograd)
    assert max(abs(start[name] - w).max() for name, w in by_hand.params().items()) > 1e-3


@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_state_goes_on_in_the_other_backend(overrides):
    """Ten steps in one, ten more in the other: as twenty in one."""
    by_hand, autograd = twins(overrides)
    through, _ = twins(overrides)
    for step in range(20):
        batch = Batch(samples(30, seed=step), None)
        through.step(batch, 0.05)
        if step == 10:
            autograd.load(by_hand.state())
        (by_hand if step < 10 else autograd).step(batch, 0.05)
    assert_alike(through, autograd)
    by_hand.load(autograd.state())
    assert {k: v.shape for k, v in by_hand.state().items()} == {k: v.shape for k, v in autograd.state().items()}


@pytest.mark.parametrize(("value", "norm"), [(0.5, None), (None, 0.7), (0.5, 0.7), (None, 1e9)])
def test_clipping_is_torchs(value, norm):
    grads = {"a": np.array([3.0, -0.2]), "b": np.array([[0.4, -9.0]])}
    tensors = [torch.nn.Parameter(torch.tensor(g)) for g in grads.values()]
    for tensor, g in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(g)
    if value:
        torch.nn.utils.clip_grad_value_(tensors, value)
    if norm:
        torch.nn.utils.clip_grad_norm_(tensors, norm)
    clipped = clip(grads, value, norm)
    for tensor, name in zip(tensors, grads, strict=True):
        np.testing.assert_allclose(clipped[name], tensor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
def test_a_norm_that_is_not_finite_does_what_it_does_in_torch(wrong):
    """NaN: every gradient is NaN; infinite: all others are 0."""
    grads = {"a": np.array([wrong, 1.0], np.float32), "b": np.array([2.0], np.float32)}
    tensors = [torch.nn.Parameter(torch.tensor(g)) for g in grads.values()]
    for tensor, g in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_norm_(tensors, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        clipped = clip(grads, None, 1.0)
    for tensor, g in zip(tensors, clipped.values(), strict=True):
        np.testing.assert_array_equal(g, tensor.grad.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_every_value_on_the_way_keeps_its_dtype(overrides, dtype):
    """Also of a rate that a schedule made with NumPy."""
    config = compose(overrides).optimizer
    optimizer = descent(config)
    params = {"w": draw(3, 2).astype(dtype).view(Watched), "b": draw(1).astype(dtype).view(Watched)}
    state = {name: s.view(Watched) if s.ndim else s for name, s in optimizer.init(params).items()}
    for seed in (1, 2):
        grads = {name: draw(*w.shape, seed=seed).astype(dtype).view(Watched) for name, w in params.items()}
        optimizer.update(params, grads, state, np.float64(0.1))
    assert {a.dtype for name, a in (params | state).items() if name != "step"} == {np.dtype(dtype)}


def test_a_parameter_that_an_update_would_miss_is_refused():
    config = compose(["optimizer=sgd"]).optimizer
    optimizer = descent(config)
    with pytest.raises(ValueError, match="parameter w is not C-contiguous"):
        optimizer.init({"w": draw(3, 2).T})


def test_adam_counts_once_per_step_not_once_per_array():
    """The report's row 18: with four arrays its bias correction runs four times too fast."""
    by_hand, _ = twins(["optimizer=adam"])
    by_hand.step(Batch(samples(5), None), 0.1)
    assert by_hand.state()["optimizer/step"] == 1


@pytest.mark.parametrize("backend", [0, 1])
def test_lbfgs_beats_sgd(backend):
    batch = Batch(samples(200), None)
    sgd = twins(["optimizer=sgd"])[backend]
    for _ in range(200):
        sgd.step(batch, 0.9)
    lbfgs = twins(["optimizer=lbfgs"])[backend]
    records = []
    reason = lbfgs.minimize(batch, 100, lambda terms, before: records.append((float(terms["loss"]), before)))
    losses = [loss for loss, _ in records]
    assert reason.startswith("L-BFGS")
    assert losses == sorted(losses, reverse=True)
    end = float(lbfgs.evaluate(batch)["loss"])
    assert end <= losses[-1] < float(sgd.evaluate(batch)["loss"])
    lbfgs.set_weights(records[3][1])
    assert float(lbfgs.evaluate(batch)["loss"]) == pytest.approx(losses[3], rel=1e-12)
