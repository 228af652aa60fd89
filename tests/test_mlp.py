"""The dense stack: against differences, its torch twin, and bugs planted in it; and the Huber loss."""

from typing import Any

import numpy as np
import pytest
import torch
from recurrent_builders import CEILING, SGD, mutant

from duograd.data.dataset import Batch
from duograd.models import loss as loss_module
from duograd.models.families.mlp import numpy_net
from duograd.models.families.mlp.config import MlpConfig
from duograd.models.families.mlp.numpy_net import MlpNet
from duograd.models.families.mlp.torch_net import TorchMlp
from duograd.models.loss import OutputLoss, Targets
from duograd.models.losses import huber
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig
from duograd.models.losses.huber import Huber, HuberConfig
from duograd.models.losses.squared_error import SquaredError, SquaredErrorConfig
from duograd.models.losses.svm import Svm, SvmConfig
from duograd.models.torch_loss import TorchLoss
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.network import against_differences, against_engine

INPUTS, OUTPUTS = 5, 3
EXACT = 1e-10  # float64: only the order of sums differs
VALUES = Targets(OUTPUTS, np.random.default_rng(5).standard_normal((20, OUTPUTS)))
HUBER = Huber(HuberConfig(name="huber", lambda_=0.1, delta=0.7), VALUES)
CE = CrossEntropyConfig.model_validate(
    {"name": "cross_entropy", "lambda": 0.1, "label_smoothing": 0.1, "class_weights": None}
)
LOSSES: dict[str, OutputLoss] = {
    "cross_entropy": CrossEntropy(CE, Targets(OUTPUTS)),
    "svm": Svm(SvmConfig(name="svm", lambda_=0, margin=1.0), Targets(OUTPUTS)),
    "squared_error": SquaredError(SquaredErrorConfig(name="squared_error", lambda_=0.1), VALUES),
    "huber": HUBER,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "linear": {"dense": []},
    "batch norm": {"dense_norm": "batch", "activation": "sigmoid"},
    "layer norm": {"dense_norm": "layer", "activation": "leaky_relu", "init": "kaiming_normal"},
    "dropout": {"dropout": 0.4, "dense": [9], "activation": "relu"},
}


def config(**changes: Any) -> MlpConfig:
    keys = {"name": "mlp", "family": "mlp", "dense": [7, 6], "activation": "tanh", "dense_norm": None, "dropout": 0.0}
    return MlpConfig(**{**keys, "init": "torch", **changes})


def twins(loss: OutputLoss, net: Any = MlpNet, **changes: Any) -> tuple[NumpyEngine, TorchEngine]:
    arguments = config(**changes), loss, (INPUTS,), OUTPUTS, 3, "float64"
    return NumpyEngine(net(*arguments), SGD), TorchEngine(TorchMlp(*arguments), SGD)


def batch(loss: OutputLoss, n: int = 6, seed: int = 1) -> Batch:
    rng = np.random.default_rng(seed)
    values = isinstance(loss, SquaredError)
    return Batch(
        rng.standard_normal((n, INPUTS)),
        rng.standard_normal((n, OUTPUTS)) if values else rng.integers(OUTPUTS, size=n),
    )


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_and_twin(loss, option):
    by_hand, autograd = twins(LOSSES[loss], **OPTIONS[option])
    samples = batch(LOSSES[loss])
    assert list(by_hand.params()) == list(autograd.params())
    assert max(against_differences(by_hand, samples, np.random.default_rng(0), 2).values()) < CEILING
    assert max(against_engine(by_hand, autograd, samples).values()) < CEILING  # batch norm: biases of 0


@pytest.mark.parametrize("option", OPTIONS)
def test_trajectories_and_evaluations_are_equal(option):
    """Twenty steps: dropout's masks and the running averages of batch norm are the same in both."""
    by_hand, autograd = twins(LOSSES["cross_entropy"], **OPTIONS[option])
    start = by_hand.params()
    for step in range(20):
        samples = batch(LOSSES["cross_entropy"], seed=step)
        terms, expected = by_hand.step(samples, 0.1), autograd.step(samples, 0.1)
        assert float(terms["loss"]) == pytest.approx(float(expected["loss"]), rel=EXACT)
    assert set(by_hand.weights()) == set(autograd.weights())
    for name, w in by_hand.weights().items():
        np.testing.assert_allclose(w, autograd.weights()[name], rtol=0, atol=EXACT)
    assert all(np.abs(w - start[name]).max() > 1e-3 for name, w in by_hand.params().items() if name.endswith("weight"))
    evaluated, expected = by_hand.evaluate(samples), autograd.evaluate(samples)
    assert evaluated == pytest.approx({name: float(value) for name, value in expected.items()}, rel=EXACT)


BUGS = [
    ("partial(dropout, mask=mask)", "lambda x, m=mask: (dropout(x, m)[0], lambda dy: dy)", {"dropout": 0.4}),
    ("partial(activation, self.config.activation)", "lambda z: (activation('tanh', z)[0], lambda dy: dy)", {}),
    (
        "return layer_norm(z, weight, bias, threads=self.threads)",
        "y, back = layer_norm(z, weight, bias); return y, lambda dy: (dy, back(dy)[1])",
        {"dense_norm": "layer"},
    ),
    ("affine(x, W, b, needs_dx=needs_dx, threads=self.threads)", "twice(*affine(x, W, b))", {}),
]


@pytest.mark.parametrize(("right", "wrong", "options"), BUGS)
def test_a_bug_in_the_network_is_caught_by_both(right, wrong, options):
    loss, bugged = LOSSES["cross_entropy"], mutant(numpy_net, right, wrong)
    bugged.twice = lambda y, back: (y, lambda dy: back(2 * dy))
    by_hand, autograd = twins(loss, bugged.MlpNet, **options)
    errors = against_differences(by_hand, batch(loss), np.random.default_rng(0), 2)
    assert max(errors.values()) > CEILING
    assert max(against_engine(by_hand, autograd, batch(loss)).values()) > CEILING


def test_a_bug_in_the_penalty_is_caught(monkeypatch):
    wrong = mutant(loss_module, "grads[name] + dW", "grads[name] + 2 * dW").OutputLoss
    monkeypatch.setattr(OutputLoss, "penalised", wrong.penalised)
    by_hand, autograd = twins(LOSSES["cross_entropy"])
    assert max(against_engine(by_hand, autograd, batch(LOSSES["cross_entropy"])).values()) > CEILING


def test_the_huber_loss_by_hand():
    """delta 0.7: a difference of 0.5 costs ½ 0.25, one of −2 costs 0.7 (2 − 0.35); slopes 0.5 and −0.7, over B = 2."""
    outputs, targets = np.array([[0.5, 0.0, 0.0], [-2.0, 0.0, 0.0]]), np.zeros((2, 3))
    error, backward = HUBER.error(outputs, targets)
    assert error == pytest.approx((0.125 + 0.7 * 1.65) / 2, rel=1e-15)
    np.testing.assert_allclose(backward()[:, 0], [0.25, -0.35], rtol=1e-15)
    terms = HUBER.terms(outputs, targets, error, 0)
    weight = [("output.weight", torch.zeros(1))]
    twin = TorchLoss(HUBER).terms(torch.tensor(outputs), torch.tensor(targets), weight)
    for name in ("huber", "squared_error", "mae", "spread"):
        assert terms[name] == pytest.approx(float(twin[name]), rel=1e-12), name


@pytest.mark.parametrize(
    ("right", "wrong"), [("-self.config.delta, self.config.delta", "-1, 1"), ("slope / outputs", "2 * slope / outputs")]
)
def test_a_bug_in_the_huber_loss_is_caught(right, wrong):
    by_hand, _ = twins(mutant(huber, right, wrong).Huber(HUBER.config, VALUES))
    assert max(against_engine(by_hand, twins(HUBER)[1], batch(HUBER)).values()) > CEILING


@pytest.mark.parametrize("key", ["dense_norm=batch", "dropout=0.5"])
def test_what_has_no_place_in_a_linear_model_is_told(key):
    with pytest.raises(UserError, match=f"model.{key} has no place in a linear model: set model.dense"):
        compose(["task=table", "model.dense=[]", f"model.{key}"])


def test_batch_norm_of_a_lone_sample_is_told():
    run = compose(["task=table", "batch_size=19", "model.dense_norm=batch"])  # of 115
    with pytest.raises(UserError, match=r"batch_size=19 leaves a batch of one of 115 samples, but model\.dense_norm"):
        build.plan(run, build.data_set(run))


def test_threads_leave_the_bytes_as_they_are():
    big = np.random.default_rng(0).standard_normal((300, INPUTS)).astype(np.float32)
    nets = [MlpNet(config(dense=[300, 300]), HUBER, (INPUTS,), OUTPUTS, 3, "float32", threads) for threads in (1, 2, 5)]
    assert len({net.predict(big).tobytes() for net in nets}) == 1
