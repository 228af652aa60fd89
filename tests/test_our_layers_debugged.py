"""Our own clear layers, line by line in the debugger: the tool looks inward too."""

import numpy as np
import pytest

import duograd
from duograd.models.layers.activations import activation
from duograd.models.layers.attention import attention
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.dense import affine, dropout, keep_mask
from duograd.models.layers.gelu import gelu
from duograd.models.layers.gru import gru_step
from duograd.models.layers.losses import cross_entropy, svm
from duograd.models.layers.lstm import lstm_step
from duograd.models.layers.naive import average_pool2d_naive, conv2d_naive, max_pool2d_naive
from duograd.models.layers.norm import group_norm, layer_norm
from duograd.models.layers.rnn import rnn_step
from duograd.models.layers.unroll import unroll

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape)


def weights(gates, inputs=3, hidden=4):
    shapes = {
        "weight_ih": (gates * hidden, inputs),
        "weight_hh": (gates * hidden, hidden),
        "bias_ih": (gates * hidden,),
    }
    return {name: draw(*shape) for name, shape in shapes.items()}


def of_step(step, parts):
    """A recurrent step as a layer of its arrays."""

    def layer(x, state, W_ih, W_hh, b):
        after, backward = step(x, tuple(np.split(state, parts)), {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b})

        def back(dy):
            dx, d_before, grads = backward(tuple(np.split(dy, parts)))
            return dx, np.concatenate(d_before), grads["weight_ih"], grads["weight_hh"], grads["bias_ih"]

        return np.concatenate(after), back

    return layer


def of_loss(loss):
    def layer(logits, targets):
        value, backward = loss(logits, targets)
        dlogits = backward()
        return value, dlogits

    return layer


def of_activation(name):
    def layer(z):
        y, backward = activation(name, z)
        return y, backward

    return layer


def batch(x, weight, bias):
    y, backward = batch_norm(x, weight, bias, None, training=True)
    return y, backward


def groups(x, weight, bias):
    y, backward = group_norm(x, 2, weight, bias)
    return y, backward


def convolved(x, W, b):
    y, backward = conv2d_naive(x, W, b, 2, 1)
    return y, backward


def largest(x):
    y, backward = max_pool2d_naive(x, 2)
    return y, backward


def averaged(x):
    y, backward = average_pool2d_naive(x, 2)
    return y, backward


def sequence(x, W_ih, W_hh, b):
    start = (np.zeros((x.shape[1], W_hh.shape[1])),)
    y, backward = unroll(rnn_step("tanh"), x, start, {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b})
    return y, backward


LAYERS = {
    "affine": (affine, draw(5, 3), draw(4, 3), draw(4)),
    "dropout": (dropout, draw(5, 3), keep_mask(np.random.default_rng(1), (5, 3), 0.5, np.float64)),
    **{name: (of_activation(name), draw(4, 3)) for name in ("sigmoid", "tanh", "relu", "leaky_relu")},
    "cross_entropy": (of_loss(cross_entropy), draw(5, 3), np.array([0, 2, 1, 1, 0])),
    "svm": (of_loss(svm), draw(5, 3), np.array([0, 2, 1, 1, 0])),
    "batch_norm": (batch, draw(6, 3), draw(3), draw(3)),
    "layer_norm": (layer_norm, draw(5, 6), draw(6), draw(6)),
    "group_norm": (groups, draw(3, 4, 2, 3), draw(4), draw(4)),
    "attention": (attention, draw(4, 3), draw(4, 3), draw(4, 3)),
    "gelu": (gelu, draw(4, 3)),
    "conv2d": (convolved, draw(2, 3, 5, 5), draw(2, 3, 3, 3), draw(2)),
    "max_pool2d": (largest, draw(2, 2, 4, 4)),
    "average_pool2d": (averaged, draw(2, 2, 4, 4)),
    "rnn_step": (of_step(rnn_step("tanh"), 1), draw(5, 3), draw(5, 4), *weights(1).values()),
    "lstm_step": (of_step(lstm_step, 2), draw(5, 3), draw(10, 4), *weights(4).values()),
    "gru_step": (of_step(gru_step(False), 1), draw(5, 3), draw(5, 4), *weights(3).values()),
    "rnn over time": (sequence, draw(4, 5, 3), *weights(1).values()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_it_is_right(name):
    layer, *inputs = LAYERS[name]
    check = duograd.gradcheck(layer, *inputs)
    check.assert_right()
    floats = sum(np.asarray(value).dtype.kind == "f" for value in inputs) - (name == "dropout")
    assert len(check.outputs) == floats
