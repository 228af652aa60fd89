"""The autoencoder's cost and gradient: against numbers worked out by hand, differences, autograd, and planted bugs."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from builders import HIDDEN, INPUTS, autoencoder_config, numpy_net, samples, sparse_loss, torch_net

import duograd.models.families.autoencoder.numpy_net as fast
from duograd.data.dataset import Batch
from duograd.models.families.autoencoder import ae_cost
from duograd.models.families.autoencoder.cost import NAMES, Sparsity, cost_and_grad, flatten, kl, kl_slope, unflatten
from duograd.models.layers.activations import ACTIVATIONS, Activation
from duograd.models.layers.init import INITS
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.gradcheck.network import against_differences

EXACT = 1e-13  # float64: only the order of sums differs
CEILING = 1e-6  # float64, central differences

SETTINGS = [
    pytest.param({}, sparse_loss(), id="sigmoid"),
    pytest.param({"hidden_activation": "tanh"}, sparse_loss(beta=0.0), id="tanh"),
    pytest.param({"hidden_activation": "relu"}, sparse_loss(beta=0.0), id="relu"),
    pytest.param({"output_activation": "tanh"}, sparse_loss(), id="tanh output"),
    pytest.param({"output_activation": "relu"}, sparse_loss(rho=0.5), id="relu output"),
    pytest.param({"init": "xavier_uniform"}, sparse_loss(lambda_=0.0, beta=3.0), id="sparse only"),
    pytest.param({"hidden_size": 1}, sparse_loss(lambda_=1.0), id="one hidden unit"),
    pytest.param({"hidden_size": 40}, sparse_loss(beta=0.0, lambda_=0.0), id="wide, error only"),
]


def engine(changes, loss, optimizer=None) -> NumpyEngine:
    from duograd.runner.compose import compose

    return NumpyEngine(numpy_net(loss, **changes), optimizer or compose(["optimizer=sgd"]).optimizer)


def test_the_cost_is_j_term_by_term():
    """One sample, one input, one hidden unit, worked out with pencil and paper."""
    w1, b1, w2, b2, d = 0.5, -0.25, 2.0, 0.125, 0.75
    h = 1 / (1 + math.exp(-(w1 * d + b1)))
    o = 1 / (1 + math.exp(-(w2 * h + b2)))
    weights = dict(zip(NAMES, (np.array([[w1]]), np.array([b1]), np.array([[w2]]), np.array([b2])), strict=True))
    terms, _ = cost_and_grad(weights, np.array([[d]]), Sparsity(0.01, 0.3, 0.2))
    divergence = 0.2 * math.log(0.2 / h) + 0.8 * math.log(0.8 / (1 - h))
    assert terms["mse"] == pytest.approx((d - o) ** 2 / 2, rel=EXACT)
    assert terms["l2"] == pytest.approx(0.005 * (w1**2 + w2**2), rel=EXACT)
    assert terms["kl"] == pytest.approx(0.3 * divergence, rel=EXACT)
    assert terms["loss"] == pytest.approx(terms["mse"] + terms["l2"] + terms["kl"], rel=EXACT)


def test_kl_is_zero_at_the_target_and_infinite_for_dead_units():
    assert kl(0.05, np.array([0.05]))[0] == pytest.approx(0, abs=1e-16)
    assert kl_slope(0.05, np.array([0.05]))[0] == pytest.approx(0, abs=1e-12)
    assert np.isinf(kl(0.05, np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(("changes", "loss"), SETTINGS)
def test_gradient_against_differences(changes, loss):
    errors = against_differences(engine(changes, loss), Batch(samples(50), None), np.random.default_rng(0))
    assert max(errors.values()) < CEILING, errors


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 2600])
@pytest.mark.parametrize(("changes", "loss"), SETTINGS)
def test_fast_equals_clear_and_torch(changes, loss, n):
    """Chunks, lanes and in-place work change nothing; nor does autograd."""
    data = samples(n)
    net = numpy_net(loss, **changes)
    terms, grads = net.loss_and_grad(data)
    clear, clear_grads = cost_and_grad(
        net.params, data, Sparsity(loss.lambda_, loss.beta, loss.rho), net.hidden, net.output
    )
    twin = torch_net(net, **changes)
    torch_terms = twin.terms(torch.tensor(data))
    torch_terms["loss"].backward()
    assert terms == pytest.approx(clear, rel=EXACT, abs=EXACT)
    assert terms == pytest.approx({k: v.item() for k, v in torch_terms.items()}, rel=EXACT, abs=EXACT)
    assert net.evaluate(data) == pytest.approx(clear, rel=EXACT, abs=EXACT)
    for name, parameter in twin.named_parameters():
        np.testing.assert_allclose(grads[name], clear_grads[name], rtol=1e-10, atol=EXACT)
        np.testing.assert_allclose(grads[name], parameter.grad.numpy(), rtol=1e-10, atol=EXACT)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 2), (1, 3, 2), (3, 2, 1)], ids=str)
def test_one_sample_input_and_unit_in_both_precisions(sizes, dtype):
    N, I, H = sizes
    net = fast.AutoencoderNet(autoencoder_config(hidden_size=H), sparse_loss(), (I,), I, 3, dtype)
    data = samples(N, width=I).astype(dtype)
    terms, grads = net.loss_and_grad(data)
    sparsity = Sparsity(net.loss.lambda_, net.loss.beta, net.loss.rho)
    expected, clear = cost_and_grad({k: w.astype(float) for k, w in net.params.items()}, data.astype(float), sparsity)
    assert terms == pytest.approx(expected, rel=1e-5 if dtype == "float32" else EXACT)
    for name, g in clear.items():
        assert grads[name].dtype == dtype
        np.testing.assert_allclose(grads[name], g, rtol=1e-4 if dtype == "float32" else 1e-10)


def test_of_nothing_the_cost_is_nan():
    net = numpy_net()
    assert net.predict(samples(0)).shape == (0, INPUTS)
    assert math.isnan(net.evaluate(samples(0))["loss"])
    assert math.isnan(net.loss_and_grad(samples(0))[0]["loss"])


def test_relu_at_zero_has_slope_zero_as_in_torch():
    dy, y = np.ones(3), np.array([0.0, 0.0, 2.0])
    z = torch.tensor([0.0, -1.0, 2.0], requires_grad=True)
    torch.relu(z).sum().backward()
    assert ACTIVATIONS["relu"].backward(dy, y).tolist() == z.grad.tolist() == [0, 0, 1]


def test_sigmoid_has_its_limits_without_a_warning():
    z = np.array([-1000.0, 0.0, 1000.0], np.float32)
    assert ACTIVATIONS["sigmoid"].forward(z, None).tolist() == [0, 0.5, 1]


BUGS = {
    "half the error (report, row 1)": lambda g, net, x: {**g, "decoder.bias": g["decoder.bias"] / 2},
    "lambda / N (row 2)": lambda g, net, x: {
        **g,
        "encoder.weight": g["encoder.weight"] - net.loss.lambda_ * net.params["encoder.weight"] * (1 - 1 / len(x)),
    },
    "no sparsity gradient": lambda g, net, x: numpy_net_grads(net, x, beta=0.0),
    "transposed": lambda g, net, x: {**g, "encoder.weight": g["encoder.weight"][::-1]},
    "one entry": lambda g, net, x: {**g, "decoder.weight": g["decoder.weight"] + np.eye(INPUTS, HIDDEN) * 1e-4},
}


def numpy_net_grads(net, data, beta):
    other = numpy_net(sparse_loss(beta=beta))
    other.params = net.params
    return other.loss_and_grad(data)[1]


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug, monkeypatch):
    """The check itself is checked."""
    checked = engine({}, sparse_loss())
    right = checked.net.loss_and_grad
    monkeypatch.setattr(
        checked.net, "loss_and_grad", lambda x, t: (right(x, t)[0], BUGS[bug](right(x, t)[1], checked.net, x))
    )
    errors = against_differences(checked, Batch(samples(50), None), np.random.default_rng(0))
    assert max(errors.values()) > CEILING


@pytest.mark.parametrize(
    ("layer", "bug"),
    [
        ("hidden", Activation(ACTIVATIONS["sigmoid"].forward, lambda dy, y: dy * y)),
        ("output", Activation(ACTIVATIONS["sigmoid"].forward, lambda dy, y: dy * (1 - y))),
    ],
)
def test_a_bug_in_an_activation_is_caught(layer, bug):
    checked = engine({}, sparse_loss())
    setattr(checked.net, layer, bug)
    errors = against_differences(checked, Batch(samples(50), None), np.random.default_rng(0))
    assert max(errors.values()) > CEILING


def test_a_rho_hat_over_all_units_is_caught(monkeypatch):
    """The report's row 3: one mean over units and samples instead of one per unit."""
    right = fast.kl_slope
    monkeypatch.setattr(fast, "kl_slope", lambda rho, rho_hat: right(rho, np.full_like(rho_hat, rho_hat.mean())))
    errors = against_differences(engine({}, sparse_loss()), Batch(samples(50), None), np.random.default_rng(0))
    assert errors["encoder.weight"] > CEILING


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_bytes_do_not_depend_on_threads(threads):
    data = samples(9000).astype(np.float32)
    alone = numpy_net(dtype="float32", threads=1).loss_and_grad(data)
    together = numpy_net(dtype="float32", threads=threads).loss_and_grad(data)
    assert alone[0] == together[0]
    assert {k: v.tobytes() for k, v in alone[1].items()} == {k: v.tobytes() for k, v in together[1].items()}


def test_the_reports_init_is_its_own_draw():
    """Legacy generator, W1 (256, 64), B1 (1, 64), W2 (64, 256), B2 (1, 256), all ± sqrt(6 / 320)."""
    rng = np.random.RandomState(1500)
    w0 = math.sqrt(6 / 320)
    W1, B1, W2, B2 = (rng.uniform(-w0, w0, shape) for shape in ((256, 64), (1, 64), (64, 256), (1, 256)))
    params = fast.initial_weights(autoencoder_config(hidden_size=64), 256, 1500, "float64")
    for name, expected in zip(NAMES, (W1.T, B1[0], W2.T, B2[0]), strict=True):
        np.testing.assert_array_equal(params[name], expected)


@pytest.mark.parametrize(("name", "std"), [("xavier_uniform", 2 / 500), ("kaiming_normal", 2 / 300)])
def test_scaled_inits_have_their_variance(name, std):
    [(W, b)] = INITS[name]([(300, 200)], 0)
    assert W.shape == (200, 300)
    assert W.var() == pytest.approx(std, rel=0.03)  # 60000 draws: the variance is known to about 1 %
    assert not b.any()


PARAMS = {"L_in": INPUTS, "L_hid": HIDDEN, "lambda": 5e-4, "beta": 0.1, "rho": 0.05}


def test_ae_cost_takes_a_dict_or_one_flat_vector():
    weights, data = numpy_net().params, samples(20)
    J, grads = ae_cost(weights, data, PARAMS)
    J_flat, gradient = ae_cost(flatten(weights), data, PARAMS)
    assert J_flat == J
    np.testing.assert_array_equal(gradient, flatten(grads))
    assert unflatten(flatten(weights), INPUTS, HIDDEN).keys() == weights.keys()


def test_ae_cost_serves_a_solver():
    data = samples(40)
    start = flatten(numpy_net().params)
    found = scipy.optimize.minimize(
        ae_cost, start, (data, PARAMS), jac=True, method="L-BFGS-B", options={"maxiter": 50}
    )
    assert found.fun < ae_cost(start, data, PARAMS)[0] / 2
    assert (
        scipy.optimize.check_grad(lambda w: ae_cost(w, data, PARAMS)[0], lambda w: ae_cost(w, data, PARAMS)[1], start)
        < 1e-6
    )


@pytest.mark.parametrize(
    ("weights", "data", "message"),
    [
        (np.zeros(5), samples(3), r"W_e has shape \(5,\): expected \(187,\)"),
        (np.zeros(187), samples(3)[:, :4], r"data has shape \(3, 4\): expected \(N, 12\)"),
        ({name: np.zeros(2) for name in NAMES}, samples(3), r"encoder.weight has shape \(2,\): expected \(7, 12\)"),
    ],
)
def test_ae_cost_names_a_wrong_shape(weights, data, message):
    with pytest.raises(ValueError, match=message):
        ae_cost(weights, data, PARAMS)
