"""Image classifiers: against differences, their torch twins in all styles, and planted bugs."""

import numpy as np
import pytest
import torch
from convnet_builders import (
    CLASSES,
    ENTROPY,
    IMAGE,
    NETWORKS,
    SGD,
    STYLES,
    SVM,
    bound,
    convnet,
    convnet_config,
    convnet_engines,
    convnet_twin,
    images,
)

from duograd.data.dataset import Batch
from duograd.models.families.convnet import numpy_net
from duograd.models.families.convnet.numpy_net import ROWS, ConvNet
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.gradcheck.network import against_differences, against_engine

CEILING = 1e-6  # float64, differences along random directions
PARITY = 1e-10  # float64: only the order of sums differs
TRAJECTORY = 1e-8  # float64, after twenty steps


def gradient_error(net, batch):
    return max(against_differences(NumpyEngine(net, SGD), batch, np.random.default_rng(0), directions=3).values())


@pytest.mark.parametrize("loss", [ENTROPY, SVM], ids=lambda loss: loss.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_gradient_against_differences(network, loss):
    assert gradient_error(convnet(loss, **NETWORKS[network]), images()) < CEILING


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("loss", [ENTROPY, SVM], ids=lambda loss: loss.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_twins_agree(network, loss, style):
    """Training and evaluation: terms, gradients, running averages, predictions, activation maps."""
    net, batch = convnet(loss, **NETWORKS[network]), images()
    by_hand, autograd = convnet_engines(net, style)
    terms, twins = by_hand.loss_and_grad(batch)[0], autograd.loss_and_grad(batch)[0]
    assert terms == pytest.approx({name: float(value) for name, value in twins.items()}, rel=PARITY)
    assert max(against_engine(by_hand, autograd, batch).values()) < CEILING
    assert list(by_hand.params()) == list(autograd.params())
    assert by_hand.weights().keys() == autograd.weights().keys()
    evaluated = {name: float(value) for name, value in autograd.evaluate(batch).items()}
    assert by_hand.evaluate(batch) == pytest.approx(evaluated, rel=PARITY)
    np.testing.assert_allclose(by_hand.predict(batch.inputs), autograd.predict(batch.inputs), atol=PARITY)
    for name, maps in autograd.probe(batch).items():
        np.testing.assert_allclose(by_hand.probe(batch)[name], maps, atol=PARITY)


@pytest.mark.parametrize("network", ["batch norm", "layer norm", "preactivation", "no norm, dropout"])
def test_a_training_of_twins_stays_together(network):
    """Twenty steps, running averages included, then evaluated with these."""
    net = convnet(**NETWORKS[network])
    by_hand, autograd = convnet_engines(net, "module")
    for step in range(20):
        batch = images(seed=step)
        by_hand.step(batch, 0.05)
        autograd.step(batch, 0.05)
    for name, w in by_hand.weights().items():
        np.testing.assert_allclose(w, autograd.weights()[name], rtol=0, atol=TRAJECTORY)
    np.testing.assert_allclose(by_hand.predict(images().inputs), autograd.predict(images().inputs), atol=1e-7)


@pytest.mark.parametrize("network", NETWORKS)
def test_equal_weights_give_equal_outputs_at_every_level(network):
    """The report's three levels of abstraction are one network."""
    net = convnet(**NETWORKS[network])
    x = torch.tensor(images().inputs)
    first, *others = [convnet_twin(net, style).eval()(x) for style in STYLES]
    for other in others:
        torch.testing.assert_close(first, other, rtol=0, atol=1e-14)


def test_at_the_kinks_as_torch():
    """Inputs that are all alike: every activation is a tie, and with no weights every one is at 0."""
    net = convnet(SVM, norm=None, activation="leaky_relu")
    for w in net.params.values():
        w[...] = np.round(w)
    batch = Batch(np.ones((4, *IMAGE)), np.array([0, 1, 2, 2]))
    by_hand, autograd = convnet_engines(net)
    assert max(against_engine(by_hand, autograd, batch).values()) < PARITY
    for w in net.params.values():
        w[...] = 0
    assert max(against_engine(by_hand, autograd, batch).values()) < PARITY


def spoiled(layer, spoil):
    """The layer with a backward whose result goes through `spoil`."""

    def forward(*args, **kwargs):
        y, backward = layer(*args, **kwargs)
        return y, lambda *dy: spoil(backward(*dy))

    return forward


def scaled_dx(result):
    dx, grads = result
    return dx if dx is None else 1.001 * dx, grads


def scaled_grad(key):
    return lambda result: (result[0], {name: 1.001 * g if name == key else g for name, g in result[1].items()})


BUGS = {
    "conv: dx": ("conv2d", scaled_dx, "batch norm"),
    "conv: weight": ("conv2d", scaled_grad("weight"), "batch norm"),
    "conv: bias": ("conv2d", scaled_grad("bias"), "group norm"),
    "affine: dx": ("affine", scaled_dx, "batch norm"),
    "affine: weight": ("affine", scaled_grad("weight"), "dense alone"),
    "batch norm: dx": ("batch_norm", scaled_dx, "dense alone"),
    "batch norm: scale": ("batch_norm", scaled_grad("weight"), "batch norm"),
    "group norm: dx": ("group_norm", scaled_dx, "group norm"),
    "max pool": ("max_pool2d", lambda dx: dx[..., ::-1], "overlapping pools"),
    "average pool": ("average_pool2d", lambda dx: 2 * dx, "group norm"),
    "global pool": ("global_average_pool", lambda dx: dx / 2, "preactivation"),
    "activation": ("activated", lambda result: (1.001 * result[0], {}), "no norm, dropout"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_any_layer_is_caught(bug, monkeypatch):
    name, spoil, network = BUGS[bug]
    monkeypatch.setattr(numpy_net, name, spoiled(getattr(numpy_net, name), spoil))
    assert gradient_error(convnet(**NETWORKS[network]), images()) > CEILING


def test_dropout_forgotten_on_the_way_back_is_caught(monkeypatch):
    monkeypatch.setattr(numpy_net, "dropout", lambda x, mask: (x if mask is None else x * mask, lambda dy: dy))
    assert gradient_error(convnet(**NETWORKS["no norm, dropout"]), images()) > CEILING


def test_a_penalty_without_its_gradient_is_caught(monkeypatch):
    net = convnet(**NETWORKS["no biases"])
    penalty = net.loss.penalty
    monkeypatch.setattr(net.loss, "penalty", lambda params: (penalty(params)[0], {}))
    assert gradient_error(net, images()) > CEILING


def test_the_penalty_counts_weights_alone():
    net = convnet(norm="batch", dense=[4], dense_norm="batch")
    counted = net.loss.penalty(net.params)[1]
    assert set(counted) == {"conv0.weight", "conv1.weight", "dense0.weight", "classifier.weight"}


def test_a_pool_before_the_relu_changes_no_bit():
    net, batch = convnet(channels=[4], kernels=[3], norm=None), images()
    assert net.fewest_values != net.layers
    outputs, (_, grads) = net.outputs(batch.inputs), net.loss_and_grad(*batch)
    net.fewest_values = net.layers
    other_outputs, (_, others) = net.outputs(batch.inputs), net.loss_and_grad(*batch)
    assert (outputs == other_outputs).all()
    assert all((grads[name] == others[name]).all() for name in grads)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_callers_arrays_stay_as_they_are(network):
    net, batch = convnet(**NETWORKS[network]), images()
    before = batch.inputs.copy()
    net.loss_and_grad(*batch)
    net.evaluate(*batch)
    net.probe(batch.inputs)
    np.testing.assert_array_equal(batch.inputs, before)


@pytest.mark.parametrize("network", NETWORKS)
def test_any_number_of_threads_gives_the_same_bits(network):
    batch = images(40, dtype="float32")
    ends = []
    for threads in (1, 2, 3):
        net = convnet(dtype="float32", threads=threads, **NETWORKS[network])
        terms, grads = net.loss_and_grad(*batch, 4)
        ends.append((terms, {k: g.tobytes() for k, g in grads.items()}, net.predict(batch.inputs).tobytes()))
    assert ends[0] == ends[1] == ends[2]


def test_float32_stays_float32():
    net = convnet(dtype="float32", **NETWORKS["no norm, dropout"])
    _, grads = net.loss_and_grad(*images(dtype="float32"))
    assert {g.dtype for g in grads.values()} == {np.dtype("float32")}
    assert net.predict(images(dtype="float32").inputs).dtype == np.float32


def test_masks_depend_on_seed_and_step_alone():
    net, batch = convnet(**NETWORKS["no norm, dropout"]), images()
    first, again, other = (net.loss_and_grad(*batch, step)[0] for step in (3, 3, 4))
    assert first == again != other
    twin = convnet_twin(net)
    x = torch.tensor(batch.inputs)
    assert all(torch.equal(a, b) for a, b in zip(twin.masks(x, 3), twin.masks(x, 3), strict=True))
    assert not torch.equal(twin.masks(x, 3)[0], twin.masks(x, 4)[0])


def test_predictions_do_not_depend_on_how_many_are_asked_at_once():
    net = convnet(dtype="float64")
    many = images(ROWS + 7)
    np.testing.assert_allclose(net.predict(many.inputs)[-3:], net.predict(many.inputs[-3:]), atol=1e-12)


def test_the_report_s_sanity_check():
    """Small weights: every class is as likely as any other, so the loss is ln C; a penalty only adds to it."""
    config = convnet_config("three_layer_convnet")
    plain, penalised = (
        ConvNet(config, bound(loss), IMAGE, CLASSES, 0).loss_and_grad(*images(50))[0]
        for loss in (ENTROPY.model_copy(update={"lambda_": lambda_}) for lambda_ in (0.0, 1.0))
    )
    assert plain["loss"] == pytest.approx(np.log(CLASSES), abs=1e-3)
    assert penalised["loss"] > plain["loss"]


def test_channels_last_and_half_precision_change_the_last_digits_only():
    net = convnet(dtype="float32", norm="batch", dense=[8])
    batch = images(8, dtype="float32")
    plain, last, half = (
        TorchEngine(convnet_twin(net), SGD, channels_last=last, autocast=cast)
        for last, cast in ((False, None), (True, None), (True, "bfloat16"))
    )
    expected = plain.predict(batch.inputs)
    np.testing.assert_allclose(last.predict(batch.inputs), expected, atol=1e-5)
    np.testing.assert_allclose(half.predict(batch.inputs), expected, atol=0.1)  # eight bits of mantissa
    assert half.predict(batch.inputs).dtype == np.float32
    accuracy = [float(engine.evaluate(batch)["accuracy"]) for engine in (plain, last)]
    assert accuracy[0] == accuracy[1]
    assert {w.dtype for w in half.params().values()} == {np.dtype("float32")}


def test_the_published_networks_have_their_published_sizes():
    """Parameters of the report's networks on 32 × 32 images in ten classes."""
    sizes = {
        "three_layer_convnet": 32 * 3 * 49 + 32 + 500 * 32 * 256 + 500 + 10 * 500 + 10,
        "two_layer_fc": 4000 * 3072 + 4000 + 10 * 4000 + 10,
        "convnet_5x5_3x3": 32 * 3 * 25 + 32 + 16 * 32 * 9 + 16 + 10 * 16 * 1024 + 10,
        "challenge": 16 * 75 + 32 * 144 + 64 * 288 + 3 * (16 + 32 + 64) + 10 * 1024 + 10,
        "challenge_dropout": 16 * 75 + 32 * 144 + 64 * 288 + 3 * (16 + 32 + 64) + 128 * 1024 + 128 + 10 * 128 + 10,
    }
    for name, count in sizes.items():
        net = ConvNet(convnet_config(name), bound(ENTROPY), (3, 32, 32), 10, 0)
        assert sum(w.size for w in net.params.values()) == count, name


def with_black_bars() -> Batch:
    """Pictures of which half is black: with biases of 0, ReLUs stand exactly at their kink."""
    batch = images()
    batch.inputs[:, :, :5] = 0
    return batch


def net_at_a_kink(**changes):
    net = ConvNet(convnet_config(norm=None, dense=[7], **changes), bound(ENTROPY), IMAGE, CLASSES, 3, "float64")
    for name in net.params:
        if name.endswith("bias"):
            net.params[name][:] = 0
    return net


@pytest.mark.parametrize("pool", ["max", "average"])
def test_a_kink_is_no_fault(pool):
    kinked: list[str] = []
    engine, batch = NumpyEngine(net_at_a_kink(pool=pool), SGD), with_black_bars()
    before = engine.weights()
    errors = against_differences(engine, batch, np.random.default_rng(0), kinked=kinked)
    assert max(errors.values()) < CEILING
    assert "conv0.bias" in kinked
    assert all((w == before[name]).all() for name, w in engine.weights().items())


@pytest.mark.parametrize("bug", ["conv: dx", "conv: weight", "conv: bias", "affine: dx", "activation"])
def test_a_bug_is_caught_at_a_kink_too(bug, monkeypatch):
    name, spoil, _ = BUGS[bug]
    monkeypatch.setattr(numpy_net, name, spoiled(getattr(numpy_net, name), spoil))
    assert gradient_error(net_at_a_kink(), with_black_bars()) > CEILING
