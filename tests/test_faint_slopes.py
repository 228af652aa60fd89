"""That the loss hardly depends on a parameter is no excuse: its gradient is right, or it is not."""

import numpy as np
import pytest
from own_builders import ALWAYS, write

import duograd
from duograd.data.dataset import Batch
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.gradcheck.network import against_differences
from duograd.runner.gradcheck.steps import smallest_error

STEPS = (1e-4, 1e-6, 1e-8)
FAINT = """
import numpy as np
import duograd
from duograd.models.chain import flatten
from duograd.models.layers.dense import affine


def faint(x, shift):
    y = x + 5e-7 * np.tanh(shift)

    def backward(dy):
        return dy, {{"shift": {factor} * 5e-7 * dy.sum(0) * (1 - np.tanh(shift) ** 2)}}

    return y, backward


def net(shape, outputs):
    layers = [duograd.Layer(faint, shift=(13,)), duograd.Layer(affine, weight=(outputs, 13), bias=(outputs,))]
    return duograd.Chain([flatten, *layers])
"""


@pytest.mark.parametrize(("factor", "error"), [(1, 0.0), (-3, 1.0), (0, 1.0), (1.02, 0.01)])
def test_of_a_network(factor, error, tmp_path):
    file = write(tmp_path, f"faint_{abs(int(100 * factor))}.py", FAINT.format(factor=factor))
    config = compose(["task=table", f"model={file}", "dtype=float64", *ALWAYS])
    data = build.data_set(config)
    inputs, targets = data.train.batch(slice(20))
    rng = np.random.default_rng(0)
    errors = against_differences(build.numpy_engine(config, data), Batch(inputs, targets), rng)
    assert errors["1.shift"] == pytest.approx(error, rel=0.05, abs=1e-6)
    assert max(errors["2.weight"], errors["2.bias"]) < 1e-8


@pytest.mark.parametrize("factor", [1, -3])
def test_of_a_layer(factor):
    def faint(x, shift):
        y = x + 1e-8 * np.tanh(shift)

        def backward(dy):
            return dy, factor * 1e-8 * dy.sum(0) * (1 - np.tanh(shift) ** 2)

        return y, backward

    check = duograd.gradcheck(faint, np.random.default_rng(0).normal(size=(4, 3)), np.linspace(-1, 1, 3))
    assert check.ok == (factor == 1)


def a_difference(slope, by_hand, kink=0.0, rounding=1e-15):
    """As a step has it: a kink, such as a ReLU's, spoils the longest."""
    return lambda step: (abs(slope - by_hand) + kink * (step == STEPS[0]) + rounding / step, abs(slope) + abs(by_hand))


@pytest.mark.parametrize(
    ("slope", "by_hand", "kink", "low", "high"),
    [
        (1.0, 1.0, 0.0, 0, 1e-10),
        (1.0, 1.0, 0.1, 0, 1e-8),  # a shorter step misses the kink
        (0.0, 0.0, 0.0, 0, 1e-6),  # rounding alone
        (1e-7, -3e-7, 0.0, 0.99, 1.01),
        (1e-7, 0.0, 0.0, 0.99, 1.01),
        (1.0, 1.01, 0.0, 4e-3, 6e-3),
        (1e-7, -3e-7, 0.1, 0.9, 1.1),  # wrong beside a kink
    ],
)
def test_shorter_steps_count_where_they_can_tell(slope, by_hand, kink, low, high):
    assert low <= smallest_error(a_difference(slope, by_hand, kink), STEPS, 3e-15, 1e-6) <= high
