"""The recurrent classifiers: against differences, their torch twins, and what does not change their bytes."""

import numpy as np
import pytest
import torch
from recurrent_builders import (
    CEILING,
    CELLS,
    CLASSES,
    HIDDEN,
    INPUTS,
    T,
    cross_entropy_loss,
    gradient_error,
    recurrent_config,
    recurrent_net,
    recurrent_twin,
    windows,
)

from duograd.models.families.recurrent.numpy_net import ROWS, RecurrentNet
from duograd.models.loss import Targets
from duograd.models.losses.cross_entropy import CrossEntropy
from duograd.models.optimizer import FirstOrderConfig
from duograd.models.optimizers.adagrad import AdagradConfig
from duograd.models.optimizers.adam import AdamConfig
from duograd.models.optimizers.rmsprop import RmspropConfig
from duograd.models.optimizers.sgd import SgdConfig
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine

PARITY = 1e-10  # float64: only the order of sums differs
TRAJECTORY = 1e-9  # float64, after fifty steps

OPTIONS = {
    "one layer": ({}, {}),
    "dense": ({"dense": [7, 5]}, {"lambda": 0.01}),
    "two layers, dropout": ({"num_layers": 2, "dense": [7], "dropout": 0.4}, {"label_smoothing": 0.1}),
    "three layers, weighted": ({"num_layers": 3}, {"lambda": 0.3, "class_weights": [1.0, 2.0, 0.5, 0.0, 3.0]}),
    "one unit": ({"hidden_size": 1}, {"label_smoothing": 0.3, "class_weights": [1.0, 2.0, 0.5, 1.0, 3.0]}),
    "orthogonal": ({"recurrent_init": "orthogonal", "init": "torch"}, {}),
}
GRID = [
    pytest.param({**keys, **changes}, loss, id=f"{cell}: {option}")
    for cell, keys in CELLS.items()
    for option, (changes, loss) in OPTIONS.items()
]


@pytest.mark.parametrize(("changes", "loss"), GRID)
def test_gradient_against_differences(changes, loss):
    assert gradient_error(recurrent_net(cross_entropy_loss(**loss), **changes), windows()) < CEILING


@pytest.mark.parametrize(("n", "steps"), [(1, T), (3, 1), (1, 1)])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_one_window_and_of_one_step(cell, n, steps):
    assert gradient_error(recurrent_net(**CELLS[cell]), windows(n, steps=steps)) < CEILING


def parity(net, batch):
    """The largest differences of terms, gradients, logits and probe between a net and its twin."""
    twin = recurrent_twin(net)
    inputs, targets = torch.tensor(batch.inputs), torch.tensor(batch.targets)
    terms, grads = net.loss_and_grad(*batch, step=5)
    expected = twin.terms(inputs, targets, step=5)
    expected["loss"].backward()
    assert list(terms) == list(expected)
    assert list(net.params) == [name for name, _ in twin.named_parameters()]
    twin.eval()
    evaluated, still = net.evaluate(*batch), twin.terms(inputs, targets)
    return max(
        *(abs(terms[name] - value.item()) for name, value in expected.items()),
        *(abs(evaluated[name] - value.item()) for name, value in still.items()),
        *(np.abs(grads[name] - w.grad.numpy()).max() for name, w in twin.named_parameters()),
        np.abs(net.predict(batch.inputs) - twin(inputs).detach().numpy()).max(),
        np.abs(
            net.probe(*batch)["gradient_norm_by_step"] - twin.probe(inputs, targets)["gradient_norm_by_step"].numpy()
        ).max(),
    )


@pytest.mark.parametrize("truncate", [None, 1, 4])
@pytest.mark.parametrize(("changes", "loss"), GRID)
def test_twins_agree(changes, loss, truncate):
    net = recurrent_net(cross_entropy_loss(**loss), truncate=truncate, **changes)
    assert parity(net, windows()) < PARITY


@pytest.mark.parametrize("cell", ["tanh rnn", "relu rnn", "lstm", "gru, reset after"])
def test_the_twin_is_torchs_own_module(cell):
    """nn.RNN, nn.LSTM, nn.GRU with the same weights and the second bias at zero, but for b_hn."""
    net = recurrent_net(num_layers=2, **CELLS[cell])
    options = {"nonlinearity": net.config.nonlinearity} if net.config.cell == "rnn" else {}
    module = getattr(torch.nn, net.config.cell.upper())(
        INPUTS, HIDDEN, 2, batch_first=True, dtype=torch.float64, **options
    )
    state = {name.removeprefix("recurrent."): torch.tensor(w) for name, w in net.params.items()}
    for l in range(2):
        zeros = torch.zeros_like(state[f"bias_ih_l{l}"])
        b_hn = state.pop(f"bias_hn_l{l}", zeros[:0])
        state[f"bias_hh_l{l}"] = torch.cat([zeros[len(b_hn) :], b_hn])
    module.load_state_dict({name: w for name, w in state.items() if name.endswith(("_l0", "_l1"))})
    h, _ = module(torch.tensor(windows().inputs))
    logits = h[:, -1] @ state["classifier.weight"].T + state["classifier.bias"]
    np.testing.assert_allclose(net.predict(windows().inputs), logits.detach().numpy(), atol=PARITY)


RATE: dict = {"lr": 0.02, "weight_decay": 0.01, "clip_value": 0.5, "clip_norm": 1.0}
OPTIMIZERS: list[FirstOrderConfig] = [
    SgdConfig(name="nesterov", rule="sgd", momentum=0.9, nesterov=True, **RATE),
    AdagradConfig(name="adagrad", rule="adagrad", eps=1e-6, **RATE),
    RmspropConfig(name="rmsprop", rule="rmsprop", alpha=0.9, eps=1e-6, **RATE),
    AdamConfig(name="adam", rule="adam", beta1=0.9, beta2=0.999, eps=1e-8, bias_correction=True, **RATE),
    AdamConfig(name="vanilla_adam", rule="adam", beta1=0.9, beta2=0.999, eps=1e-8, bias_correction=False, **RATE),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
@pytest.mark.parametrize("cell", CELLS)
def test_trajectories_are_equal(cell, optimizer):
    """Fifty steps with dropout, weight decay, clipping and an L2 term, which the second bias must not feel."""
    net = recurrent_net(cross_entropy_loss(**{"lambda": 1e-3}), dense=[6], dropout=0.2, **CELLS[cell])
    twin = recurrent_twin(net)
    by_hand, autograd = NumpyEngine(net, optimizer), TorchEngine(twin, optimizer)
    start = by_hand.params()
    for step in range(50):
        batch = windows(5, seed=step, steps=4)
        terms, expected = by_hand.step(batch, 0.02), autograd.step(batch, 0.02)
        assert float(terms["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-9)
    for name, w in by_hand.params().items():
        np.testing.assert_allclose(w, autograd.params()[name], rtol=0, atol=TRAJECTORY)
        assert np.abs(w - start[name]).max() > 1e-3


@pytest.mark.parametrize("cell", CELLS)
def test_the_bytes_do_not_depend_on_threads(cell):
    """A batch of 40 is cut into chunks of time, 300 windows are predicted in three parts."""
    nets = [recurrent_net(dtype="float32", threads=n, hidden_size=20, num_layers=2, **CELLS[cell]) for n in (1, 2, 5)]
    batch, many = windows(40, steps=60), windows(2 * ROWS + 44)
    results = []
    for net in nets:
        terms, grads = net.loss_and_grad(*batch)
        results.append((terms, {k: g.tobytes() for k, g in grads.items()}, net.predict(many.inputs).tobytes()))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_the_same_again_also_after_another_batch(cell):
    net = recurrent_net(dtype="float32", **CELLS[cell])
    _, first = net.loss_and_grad(*windows(4))
    kept = {name: g.copy() for name, g in first.items()}
    net.loss_and_grad(*windows(9, seed=1, steps=11))
    _, again = net.loss_and_grad(*windows(4))
    for name, g in kept.items():
        np.testing.assert_array_equal(again[name], g)
        np.testing.assert_array_equal(first[name], g)


@pytest.mark.parametrize("cell", CELLS)
def test_float32_is_close_to_float64(cell):
    _, exact = recurrent_net(num_layers=2, **CELLS[cell]).loss_and_grad(*windows())
    _, single = recurrent_net(num_layers=2, dtype="float32", **CELLS[cell]).loss_and_grad(*windows())
    for name, g in exact.items():
        assert single[name].dtype == np.float32
        np.testing.assert_allclose(single[name], g, rtol=1e-3, atol=1e-6)  # float32: 6e-8 an operation


def test_gates_saturate_without_a_warning():
    net = recurrent_net(dtype="float32")
    net.params["recurrent.bias_ih_l0"][...] = np.repeat([-1000.0, 1000, -1000, 1000], HIDDEN)
    terms, grads = net.loss_and_grad(*windows())
    assert np.isfinite(terms["loss"])
    assert all(np.isfinite(g).all() for g in grads.values())


def test_masks_depend_on_seed_and_step_only():
    keys = {"dense": [6], "dropout": 0.5}
    net, other = recurrent_net(**keys), recurrent_net(seed=4, **keys)

    def drawn(net, step):
        return net.masks(50, T, step)[1][0].tobytes()

    assert drawn(net, 0) == drawn(recurrent_net(**keys), 0)
    assert len({drawn(net, 0), drawn(net, 1), drawn(other, 0)}) == 3
    twin, x = recurrent_twin(recurrent_net(**keys)), torch.empty(50, T, INPUTS)
    assert torch.equal(twin.masks(x, 0)[1][0], twin.masks(x, 0)[1][0])
    assert not torch.equal(twin.masks(x, 0)[1][0], twin.masks(x, 1)[1][0])


def test_dropout_acts_in_training_only():
    net = recurrent_net(dense=[6], dropout=0.5)
    twin = recurrent_twin(net)
    batch = windows()
    tensors = torch.tensor(batch.inputs), torch.tensor(batch.targets)
    assert net.loss_and_grad(*batch)[0] != net.evaluate(*batch)
    in_training = twin.terms(*tensors)["loss"]
    assert in_training != twin.eval().terms(*tensors)["loss"]


def test_the_probe_shows_how_the_error_vanishes():
    """Small weights: the error shrinks on its way to the past; and it is what enters at the end."""
    net = recurrent_net(**CELLS["tanh rnn"])
    net.params["recurrent.weight_hh_l0"] *= 0.1
    norms = net.probe(*windows(steps=12))["gradient_norm_by_step"]
    assert norms.shape == (12,)
    assert (np.diff(norms) > 0).all()
    assert norms[0] < 1e-6 * norms[-1]
    net.config = recurrent_config(truncate=5, **CELLS["tanh rnn"])
    assert np.flatnonzero(net.probe(*windows(steps=12))["gradient_norm_by_step"]).tolist() == [7, 8, 9, 10, 11]


def test_balanced_weights_are_those_of_the_training_labels():
    loss = cross_entropy_loss(class_weights="balanced")
    train = np.repeat(np.arange(CLASSES), [1, 2, 3, 4, 5])
    net = RecurrentNet(
        recurrent_config(), CrossEntropy(loss, Targets(CLASSES, train)), (T, INPUTS), CLASSES, 3, "float64"
    )
    listed = recurrent_net(cross_entropy_loss(class_weights=[3.0, 1.5, 1.0, 0.75, 0.6]))
    assert net.loss_and_grad(*windows())[0] == pytest.approx(listed.loss_and_grad(*windows())[0], rel=1e-12)
    twin = recurrent_twin(net)
    terms = twin.terms(torch.tensor(windows().inputs), torch.tensor(windows().targets))
    assert terms["loss"].item() == pytest.approx(net.evaluate(*windows())["loss"], rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("balanced", "class_weights=balanced needs the training labels"),
        ([1.0, 2.0], r"class_weights=\[1.0, 2.0\] has 2 weights: expected one for each of 5 classes"),
    ],
)
def test_class_weights_that_do_not_fit_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        recurrent_net(cross_entropy_loss(class_weights=weights))
