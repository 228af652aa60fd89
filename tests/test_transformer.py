"""The transformer: against differences, its torch twin and torch's own modules, and bugs planted in it."""

from typing import Any

import numpy as np
import pytest
import torch
from recurrent_builders import CEILING, SGD, mutant

from duograd.data.dataset import Batch
from duograd.models.errors import ArchitectureError
from duograd.models.families.transformer import block, numpy_net
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.numpy_net import TransformerNet, patches
from duograd.models.families.transformer.torch_net import TorchTransformer
from duograd.models.families.transformer.weights import sines
from duograd.models.layers import layer
from duograd.models.loss import OutputLoss, Targets
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig
from duograd.models.losses.squared_error import SquaredError, SquaredErrorConfig
from duograd.runner.compose import compose
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.network import against_differences, against_engine

STEPS, INPUTS, OUTPUTS = 10, 3, 5
PARITY = 1e-9  # float64: only the order of sums differs
VALUES = Targets(OUTPUTS, np.random.default_rng(5).standard_normal((20, OUTPUTS)))
CE = {"name": "cross_entropy", "lambda": 0.1, "label_smoothing": 0.1, "class_weights": None}
LOSSES: dict[str, OutputLoss] = {
    "cross_entropy": CrossEntropy(CrossEntropyConfig.model_validate(CE), Targets(OUTPUTS)),
    "squared_error": SquaredError(SquaredErrorConfig(name="squared_error", lambda_=0.1), VALUES),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one of nearly everything": {"hidden_size": 3, "heads": 1, "num_layers": 1, "feed_forward": 1, "patch": 1},
    "learned positions, a patch filled up": {"positions": "learned", "patch": 4},
    "no positions, one place": {"positions": None, "patch": STEPS, "init": "kaiming_normal"},
    "dropout": {"dropout": 0.3, "num_layers": 3, "init": "xavier_uniform"},
}


def config(**changes: Any) -> TransformerConfig:
    keys = {"patch": 2, "hidden_size": 8, "heads": 2, "num_layers": 2, "feed_forward": 12, "dropout": 0.0}
    names = {"name": "transformer", "family": "transformer", "positions": "sines", "init": "torch"}
    return TransformerConfig(**{**names, **keys, **changes})


def twins(loss: str = "cross_entropy", net: Any = TransformerNet, **changes: Any) -> tuple[NumpyEngine, TorchEngine]:
    arguments = config(**changes), LOSSES[loss], (STEPS, INPUTS), OUTPUTS, 3, "float64"
    return NumpyEngine(net(*arguments), SGD), TorchEngine(TorchTransformer(*arguments), SGD)


def batch(loss: str = "cross_entropy", n: int = 6, seed: int = 1) -> Batch:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, STEPS, INPUTS))
    return Batch(x, rng.standard_normal((n, OUTPUTS)) if loss == "squared_error" else rng.integers(OUTPUTS, size=n))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n", [6, 1])
def test_gradient_and_twin(loss, option, n):
    by_hand, autograd = twins(loss, **OPTIONS[option])
    samples = batch(loss, n)
    assert list(by_hand.params()) == list(autograd.params())
    assert max(against_differences(by_hand, samples, np.random.default_rng(0), 2).values()) < CEILING
    assert max(against_engine(by_hand, autograd, samples).values()) < PARITY


@pytest.mark.parametrize("option", OPTIONS)
def test_trajectories_probes_and_evaluations_are_equal(option):
    by_hand, autograd = twins(**OPTIONS[option])
    start = by_hand.params()
    for step in range(20):
        samples = batch(seed=step)
        terms, expected = by_hand.step(samples, 0.1), autograd.step(samples, 0.1)
        assert float(terms["loss"]) == pytest.approx(float(expected["loss"]), rel=PARITY)
    for name, w in by_hand.params().items():
        np.testing.assert_allclose(w, autograd.params()[name], rtol=0, atol=PARITY)
    assert np.abs(by_hand.params()["embedding.weight"] - start["embedding.weight"]).max() > 1e-3
    evaluated, expected = by_hand.evaluate(samples), autograd.evaluate(samples)
    assert evaluated == pytest.approx({name: float(value) for name, value in expected.items()}, rel=PARITY)
    maps, theirs = by_hand.probe(samples), autograd.probe(samples)
    assert list(maps) == list(theirs) == [f"attention{i}" for i in range(config(**OPTIONS[option]).num_layers)]
    for name, p in maps.items():
        np.testing.assert_allclose(p, theirs[name], atol=PARITY)


def test_a_block_is_torchs_own_encoder_layer():
    engine, _ = twins(num_layers=1)
    params = {name: torch.tensor(w) for name, w in engine.params().items()}
    activation = torch.nn.GELU(approximate="tanh")
    encoder = torch.nn.TransformerEncoderLayer(
        8, 2, 12, 0.0, activation, batch_first=True, norm_first=True, dtype=torch.float64
    )
    names = {"qkv": "self_attn.in_proj_", "out": "self_attn.out_proj.", "up": "linear1.", "down": "linear2."}
    names |= {"norm1": "norm1.", "norm2": "norm2."}
    keys = [(ours, theirs, key) for ours, theirs in names.items() for key in ("weight", "bias")]
    encoder.load_state_dict({theirs + key: params[f"blocks.0.{ours}.{key}"] for ours, theirs, key in keys})
    x = torch.tensor(batch().inputs)
    F = torch.nn.functional
    places = F.linear(x.reshape(len(x), 5, -1), params["embedding.weight"], params["embedding.bias"])
    places = encoder(places + torch.tensor(sines(5, 8, float)))
    mean = F.layer_norm(places, (8,), params["norm.weight"], params["norm.bias"]).mean(dim=1)
    outputs = F.linear(mean, params["classifier.weight"], params["classifier.bias"])
    np.testing.assert_allclose(engine.predict(batch().inputs), outputs.detach().numpy(), atol=PARITY)


BUGS = [
    (layer, "            dx += dy\n", "", {}),
    (layer, "        y += x\n", "        y += 0.5 * x\n", {}),
    (layer, "return y, lambda dy: (back(dy), {})", "return y, lambda dy: (0.5 * back(dy), {})", {}),
    (layer, "backs.pop()(d)", "backs.pop()(2 * d)", {}),
    (numpy_net, "np.repeat(dy / T, T, axis=0)", "np.repeat(dy, T, axis=0)", {}),
    (numpy_net, "dy.reshape(by_sample).sum(axis=0)", "dy.reshape(by_sample)[0]", {"positions": "learned"}),
    (numpy_net, "ordered_sum(g[name] for g in by_part)", "by_part[0][name]", {}),
    (numpy_net, "[of(m, part) for m in drawn]", "[of(m, slice(len(x[part]))) for m in drawn]", {"dropout": 0.3}),
    (numpy_net, "of_blocks[2 * i : 2 * i + 2]", "of_blocks[:2]", {"dropout": 0.3}),
]


@pytest.mark.parametrize(("module", "right", "wrong", "options"), BUGS, ids=[bug[1].strip() for bug in BUGS])
def test_a_planted_bug_is_caught(module, right, wrong, options, monkeypatch):
    bugged = mutant(module, right, wrong)
    for user in (block, numpy_net) if module is layer else ():
        for name in {"chain", "named", "plain", "residual"} & vars(user).keys():
            monkeypatch.setattr(user, name, getattr(bugged, name))
    by_hand, autograd = twins(net=TransformerNet if module is layer else bugged.TransformerNet, **options)
    assert max(against_engine(by_hand, autograd, batch()).values()) > CEILING


def test_patches_are_time_steps_in_their_order():
    x = np.arange(10.0).reshape(1, 5, 2)
    assert patches(x, 2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]
    assert patches(x, 5).tolist() == [list(range(10))]


def test_positions_tell_the_order_and_their_absence_does_not():
    x = batch().inputs
    turned = x.reshape(6, 5, 2, INPUTS)[:, ::-1].reshape(x.shape)  # patches in reverse
    with_order, without = (twins(positions=positions)[0] for positions in ("sines", None))
    assert np.abs(with_order.predict(turned) - with_order.predict(x)).max() > 1e-3
    np.testing.assert_allclose(without.predict(turned), without.predict(x), atol=1e-12)


def test_threads_and_strides_leave_the_bytes_as_they_are():
    many = np.random.default_rng(0).standard_normal((99, STEPS, INPUTS)).astype(np.float32)
    samples = Batch(many, np.arange(99) % OUTPUTS)
    strided = Batch(np.repeat(many, 2, axis=1)[:, ::2], samples.targets)
    results = []
    for threads, given in [(1, samples), (2, samples), (5, samples), (2, strided)]:
        net = TransformerNet(
            config(dropout=0.2, patch=3), LOSSES["cross_entropy"], (STEPS, INPUTS), OUTPUTS, 3, "float32", threads
        )
        grads = net.loss_and_grad(*given)[1]
        assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}
        results.append({name: g.tobytes() for name, g in grads.items()} | {"": net.predict(given.inputs).tobytes()})
    assert all(result == results[0] for result in results)


def test_float32_is_close_to_float64():
    exact = twins()[0].net.loss_and_grad(*batch())[1]
    net = TransformerNet(config(), LOSSES["cross_entropy"], (STEPS, INPUTS), OUTPUTS, 3, "float32")
    single = net.loss_and_grad(batch().inputs.astype(np.float32), batch().targets)[1]
    for name, g in exact.items():
        np.testing.assert_allclose(single[name], g, rtol=1e-3, atol=2e-6, err_msg=name)  # float32: 6e-8 an operation


def test_dropout_is_a_function_of_seed_and_step_in_training_only():
    net = twins(dropout=0.5)[0].net
    losses = [net.loss_and_grad(*batch(), step=step)[0]["loss"] for step in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    assert net.evaluate(*batch()) == net.evaluate(*batch())
    assert net.evaluate(*batch())["loss"] not in losses


def test_impossible_combinations_are_told():
    task = ["task=activity", "model=transformer"]
    message = r"model\.hidden_size=30 is not divisible by model\.heads=4: use model\.hidden_size=28 or 32"
    with pytest.raises(UserError, match=message):
        compose([*task, "model.hidden_size=30"])
    with pytest.raises(UserError, match=r"=3 is not divisible by model\.heads=4: use model\.hidden_size=4"):
        compose([*task, "model.hidden_size=3"])
    message = r"model\.patch=11 is longer than a sequence of 10 time steps: use at most 10"
    for net in (TransformerNet, TorchTransformer):
        with pytest.raises(ArchitectureError, match=message):
            net(config(patch=11), LOSSES["cross_entropy"], (STEPS, INPUTS), OUTPUTS, 3, "float64")
