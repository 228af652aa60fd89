"""Training by the report's arithmetic, step by step as plain loops have it that were written from its description.

Each gradient leads elsewhere than the exact one: a network without the mistake fails here.
"""

from functools import cache

import h5py
import numpy as np
import pytest
from report_arithmetic import GRU, LSTM, RNN, Adam, RmsProp, Sgd, autoencoder, clipped, recurrent

from duograd.data.dataset import Batch
from duograd.models.errata.table import ROWS
from duograd.runner import build
from duograd.runner.commands.gradcheck import errors as gradient_errors
from duograd.runner.compose import compose

RTOL = 1e-10  # float64: sums in another order, over a few updates
APART = 1e-6  # relatively, of the last loss: what no rounding comes to
SIZES = (8, 8, 8, 5, 8)  # of batches: one is smaller, as the last of an epoch may be
WINDOW, HIDDEN, BATCH = 7, 5, 8
SMALL = ["data=gait", "data.count=40", "data.test_count=12", f"data.window={WINDOW}", f"model.hidden_size={HIDDEN}"]
DENSE = {"rnn_dense1": [4], "rnn_dense2": [4, 3], "rnn_dense4": [4, 4, 3, 3], "lstm_dense1": [4]}


composed = cache(lambda *overrides: compose([*overrides, "dtype=float64", "backend.threads=1"]))
samples = cache(lambda *overrides: build.data_set(composed(*overrides)))


def started(overrides, *rows):
    """An engine and its parameters at the start, in float64. rows: all of the report's for none."""
    gradient = [f"row_{row}" for row in rows] or "report"
    config = composed(*overrides).model_copy(update={"gradient": gradient})
    engine = build.engine(config, samples(*overrides))
    return config.mistakes, engine, engine.params()


def exact_losses(overrides, batches, lr):
    """Of the same steps by the right gradient."""
    return trained(build.engine(composed(*overrides), samples(*overrides)), batches, lr)


def trained(engine, batches, lr):
    """The loss of each step, before its update."""
    return [float(engine.step(batch, lr)["loss"]) for batch in batches]


@pytest.mark.parametrize("rows", [(1,), (2,), (3,), (1, 2, 3)])
def test_the_autoencoder_learns_as_the_report_did(rows):
    overrides = ["task=autoencoder", "data.count=9", "data.size=3", "model.hidden_size=4"]
    _, engine, p = started(overrides, *rows)
    data = samples(*overrides).train.batch()
    found = [engine.step(data, 0.9) for _ in range(6)]
    for terms in found:
        loss, report_cost, grads = autoencoder(p, data.inputs, rows, 5e-4, 0.1, 0.05)
        assert terms["loss"] == pytest.approx(loss, rel=RTOL)
        if 3 in rows:
            assert terms["report_cost"] == pytest.approx(report_cost, rel=RTOL)
        for name, g in grads.items():
            p[name] = p[name] - 0.9 * g
    assert found[-1]["loss"] != pytest.approx(exact_losses(overrides, [data] * 6, 0.9)[-1], rel=APART)


ALL = ()
CASES = {
    (RNN, "rnn", "sgd"): [(5,), (6,), (8,), ALL],
    (RNN, "rnn_dense1", "momentum"): [(9,), ALL],
    (RNN, "rnn_dense2", "sgd"): [(7,), (15,), ALL],
    (RNN, "rnn_dense4", "sgd"): [(7,), (5, 15), ALL],
    (LSTM, "lstm", "sgd"): [(5,), (6,), (10,)],
    (LSTM, "lstm_dense1", "adam"): [(17,), (18,), ALL],
    (GRU, "gru", "rmsprop"): [(5,), (6,), (8,), (10,), ALL],
}


@pytest.mark.parametrize(
    ("cell", "model", "optimizer", "asked"), [(*network, rows) for network, every in CASES.items() for rows in every]
)
def test_recurrent_networks_learn_as_the_reports_did(cell, model, optimizer, asked):
    """Row 8: our rate and bound, of a mean, are the report's own, of a sum: 1/8 and 8 times as large here."""
    layers = [f"model.dense={DENSE[model]}".replace(" ", "")] if model in DENSE else []
    bound = ["optimizer.clip_value=0.05"]  # which some values reach
    overrides = [*SMALL, f"model={model}", f"optimizer={optimizer}", f"batch_size={BATCH}", *layers, *bound]
    rows, engine, p = started(overrides, *asked)
    lr = {"sgd": 0.5, "momentum": 0.3, "adam": 0.02, "rmsprop": 0.02}[optimizer]
    batches = list(windows())
    losses = trained(engine, batches, lr)

    of_a_sum = BATCH if 8 in rows else 1
    rate = lr / (of_a_sum if optimizer in ("sgd", "momentum") else 1)
    rules = {"momentum": lambda: Sgd(rate, rows, 0.85), "adam": lambda: Adam(rate, rows)}
    rule = rules.get(optimizer, lambda: (RmsProp if optimizer == "rmsprop" else Sgd)(rate, rows))()
    carried = [np.zeros((BATCH, HIDDEN)) for _ in range(2 if cell == LSTM else 1)]
    for found, (x, y) in zip(losses, batches, strict=True):
        start = tuple(state[: len(y)] * (10 in rows) for state in carried)
        loss, grads, final = recurrent(cell, p, x, y, rows, start)
        assert found == pytest.approx(loss, rel=RTOL)
        for state, last in zip(carried, final, strict=True):
            state[: len(y)] = last
        rule.update(p, clipped(grads, 0.05 * of_a_sum))
    for name, w in engine.params().items():
        np.testing.assert_allclose(w, p[name], rtol=1e-8, atol=1e-12, err_msg=name)
    assert losses[-1] != pytest.approx(exact_losses(overrides, batches, lr)[-1], rel=APART)


def windows():
    rng = np.random.default_rng(4)
    for size in SIZES:
        yield Batch(rng.standard_normal((size, WINDOW, 3)), rng.integers(6, size=size))


def test_patches_are_preprocessed_as_the_report_did(tmp_path):
    """Row 16, from the colours on: maximum to 0.1, minimum to 0.9, rows of pixels as columns."""
    colour = np.random.default_rng(0).standard_normal((40, 3, 4, 5)).astype(np.float32)
    with h5py.File(tmp_path / "patches.h5", "w") as file:
        file["data"] = colour
    given = ["task=autoencoder", "data=patches_h5", f"data.path={tmp_path}/patches.h5", "dtype=float64"]
    exact, report = (build.data_set(compose([*given, f"gradient={g}"])) for g in ("exact", "row_16"))

    grey = np.array([0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colour.astype(np.float64)])
    grey = np.array([image - image.mean() for image in grey])
    grey = np.clip(grey, -3 * grey.std(), 3 * grey.std())
    lowest, highest = grey.max(), grey.min()  # the names swapped
    images = [0.1 + 0.8 * (image - lowest) / (highest - lowest) for image in grey]
    np.testing.assert_allclose(report.train.inputs, [image.T.ravel() for image in images], rtol=1e-12)
    assert report.image_shape == exact.image_shape[::-1] == (5, 4)
    assert report.digest != exact.digest
    assert report.notes[-1].startswith("as in the report: images are inverted")


def test_every_row_of_the_list_that_is_arithmetic_is_there():
    assert set(ROWS) == {1, 2, 3, *range(5, 11), 15, 16, 17, 18}


def test_gradcheck_finds_the_mistake_in_the_parameters_that_have_it():
    """Row 5 is in what lies below the last step's error: the classifier's own gradient is right."""
    numerical, autograd = gradient_errors([*SMALL, "model=rnn", "gradient=row_5"])
    for errors in (numerical, autograd):
        right = {name for name, error in errors.items() if error < 1e-6}
        assert right == {"classifier.weight", "classifier.bias"}
