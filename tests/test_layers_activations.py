"""Activations: differences, torch - also at zero - in place and not, and planted bugs."""

import numpy as np
import pytest
import torch
from layer_builders import CEILING, assert_same, by_autograd, by_hand, draw, plant, worst

from duograd.models.layers import activations
from duograd.models.layers.activations import ACTIVATIONS, activation

TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
}
EACH = pytest.mark.parametrize("name", ACTIVATIONS)
KINKS = np.array([0.0, -0.0, 1e-300, -1e-300, 3.0, -3.0, 1e3, -1e3])


def test_each_has_a_twin():
    assert ACTIVATIONS.keys() == TORCH.keys()


@EACH
def test_values_and_gradients_are_torchs(name):
    for z in (draw(3, 4), KINKS, draw(2, 3, 4, 5)):
        assert_same(by_hand(lambda z: activation(name, z), z), by_autograd(TORCH[name], z))


@EACH
def test_gradients_against_differences(name):
    assert worst(lambda z: activation(name, z), draw(3, 4)) < CEILING


@EACH
def test_the_form_in_place_is_the_same(name):
    z, b, dy = draw(5, 3), draw(3, seed=2), draw(5, 3, seed=3)
    expected, backward = activation(name, z + b)
    expected_dz = backward(dy)
    y = ACTIVATIONS[name].forward(z, b)
    assert y is z
    assert (y == expected).all()
    dz = ACTIVATIONS[name].backward(dy, y)
    assert dz is dy
    assert (dz == expected_dz).all()


@EACH
def test_arguments_stay_and_backward_can_be_called_again(name):
    z, dy = draw(4), draw(4, seed=2)
    y, backward = activation(name, z)
    first, kept = backward(dy), y.copy()
    assert (first == backward(dy)).all()
    assert (z == draw(4)).all()
    assert (dy == draw(4, seed=2)).all()
    assert (y == kept).all()


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("leaky_relu", "out=dy, where=y <= 0", "out=dy, where=y < 0"),
        ("leaky_relu", "np.multiply(dy, LEAK, out=dy", "np.multiply(dy, -LEAK, out=dy"),
        ("leaky_relu", "np.maximum(z, LEAK * z, out=z)", "np.minimum(z, LEAK * z, out=z)"),
        ("relu", "(y > 0).view", "(y >= 0).view"),
        ("tanh", "    y *= y\n", "    y *= 1\n"),
        ("sigmoid", "dy *= y\n", "dy *= 1\n"),
    ],
)
def test_a_planted_bug_is_caught(monkeypatch, name, right, wrong):
    plant(monkeypatch, activations, activations, right, wrong)
    for z in (draw(3, 4), KINKS):
        try:
            assert_same(by_hand(lambda z: activations.activation(name, z), z), by_autograd(TORCH[name], z))
        except AssertionError:
            return
    raise AssertionError("nothing noticed")
