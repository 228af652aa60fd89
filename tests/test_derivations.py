"""The pages of docs/derivations: their code runs, is right to the debugger, and computes what our layers compute."""

import re
from pathlib import Path

import numpy as np
import pytest

from duograd.models.families.autoencoder.cost import Sparsity, cost_and_grad
from duograd.models.layers.activations import activation
from duograd.models.layers.attention import attention
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine
from duograd.models.layers.gelu import gelu
from duograd.models.layers.gru import gru_step
from duograd.models.layers.losses import cross_entropy
from duograd.models.layers.lstm import lstm_step
from duograd.models.layers.norm import group_norm, layer_norm
from duograd.models.layers.pool import max_pool2d
from duograd.models.layers.rnn import rnn_step
from duograd.models.layers.unroll import unroll
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer

PAGES = Path(__file__).parents[1] / "docs" / "derivations"
LAYERS = [
    (page.stem, name)
    for page in sorted(PAGES.glob("*.md"))
    for name in re.findall(r"^def (\w+)\(", page.read_text(), flags=re.MULTILINE)
]


def code(page: str) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", (PAGES / f"{page}.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    return "import numpy as np\n\n\n" + "\n\n".join(blocks)


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Every layer of every page, on its inputs, with what the debugger says of it."""
    folder, found = tmp_path_factory.mktemp("derivations"), {}
    for page in {page for page, _ in LAYERS}:
        path = folder / f"{page}.py"
        path.write_text(code(page))
        module, source = load_module(path)
        for layer in layers_of(module, source):
            found[layer.name] = layer, check_layer(layer)
    return found


def ours_of_step(step, x, state, weights, d_state):
    """A recurrent step of ours: what it gives, and its gradients by name."""
    after, backward = step(x, state, weights)
    dx, d_before, grads = backward(d_state)
    return after, dx, d_before, grads


def dense(dy, x, W, b):
    y, backward = affine(x, W, b)
    dx, grads = backward(dy)
    return y, (dx, grads["weight"], grads["bias"])


def elementwise(name):
    def ours(dy, z):
        y, backward = activation(name, z)
        return y, (backward(dy),)

    return ours


def classified(dy, s, y):
    loss, backward = cross_entropy(s, y)
    return loss, (backward(),)


def sparse(dy, W1, b1, W2, b2, d):
    names = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias")
    terms, grads = cost_and_grad(dict(zip(names, (W1, b1, W2, b2), strict=True)), d, Sparsity(5e-4, 0.1, 0.05))
    return sum(terms[name] for name in ("mse", "l2", "kl")), tuple(grads[name] for name in names)


def convolved(dy, x, w, b):
    y, backward = conv2d(x, w, b, stride=1, padding=0)
    dx, grads = backward(dy)
    return y, (dx, grads["weight"], grads["bias"])


def pooled(dy, x):
    y, backward = max_pool2d(x, 2)
    return y, (backward(dy),)


def normed(layer):
    def ours(dy, x, gamma, beta):
        y, backward = layer(x, gamma, beta)
        dx, grads = backward(dy)
        return y, (dx, grads["weight"], grads["bias"])

    return ours


def recurrent(dy, x, W, U, b):
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b}
    xs = x.transpose(1, 0, 2)
    hs, backward = unroll(rnn_step("tanh"), xs, (np.zeros((len(x), len(W))),), weights)
    dhs = np.zeros_like(hs)
    dhs[-1] = dy
    dx, grads = backward(dhs)
    return hs[-1], (dx.transpose(1, 0, 2), grads["weight_ih"], grads["weight_hh"], grads["bias_ih"])


def lstm(dy, x, h, c, W, U, b):
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b}
    after, dx, (dh, dc), grads = ours_of_step(lstm_step, x, (h, c), weights, dy)
    return after, (dx, dh, dc, grads["weight_ih"], grads["weight_hh"], grads["bias_ih"])


def gru(dy, x, h, *parts):
    W, U, b = (np.concatenate(parts[k::3]) for k in range(3))
    weights = {"weight_ih": W, "weight_hh": U, "bias_ih": b}
    (after,), dx, (dh,), grads = ours_of_step(gru_step(False), x, (h,), weights, (dy,))
    split = [np.split(grads[name], 3) for name in ("weight_ih", "weight_hh", "bias_ih")]
    return after, (dx, dh, *(split[k][gate] for gate in range(3) for k in range(3)))


def attended(dy, q, k, v):
    y, backward = attention(q, k, v)
    return y, backward(dy)


def bent(dy, z):
    y, backward = gelu(z)
    return y, (backward(dy),)


OURS = {
    "dense": dense,
    "sigmoid": elementwise("sigmoid"),
    "tanh": elementwise("tanh"),
    "relu": elementwise("relu"),
    "cross_entropy": classified,
    "sparse_cost": sparse,
    "conv": convolved,
    "max_pool": pooled,
    "batch_norm": normed(lambda x, w, b: batch_norm(x, w, b, None, training=True)),
    "layer_norm": normed(layer_norm),
    "group_norm": normed(lambda x, w, b: group_norm(x, 2, w, b)),
    "rnn": recurrent,
    "lstm_step": lstm,
    "gru_step": gru,
    "attention": attended,
    "gelu": bent,
}


@pytest.mark.parametrize(("page", "name"), LAYERS)
def test_the_debugger_finds_it_right(layers, page, name):
    _, check = layers[name]
    assert check.ok, [str(finding) for finding in check.findings]
    assert set(check.marks.values()) == {"right"}


@pytest.mark.parametrize(("page", "name"), LAYERS)
def test_it_computes_what_ours_computes(layers, page, name):
    layer, _ = layers[name]
    run = layer.start()
    rng = np.random.default_rng(1)
    dy = tuple(rng.standard_normal(y.shape) for y in run.y)
    layer.finish(run, dy)
    gradients = layer.gradients(run)
    y, ours = OURS[name](dy if len(dy) > 1 else dy[0], *(np.copy(a) for a in layer.arguments))
    for mine, theirs in zip(run.y, y if isinstance(y, tuple) else (y,), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    assert len(gradients) == len(ours)
    for (which, mine), theirs in zip(gradients.items(), ours, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-13, err_msg=which)


@pytest.mark.parametrize(("page", "name"), LAYERS)
def test_each_step_s_line_is_a_line_of_the_code(page, name):
    """What stands in backquotes and is an assignment to a gradient is, but for `…`, part of the code."""
    text = (PAGES / f"{page}.md").read_text()
    block = code(page)
    for line in re.findall(r"`(d\w+(?:\[[^`]*\])? (?:\+|-|/)?= [^`…]+)`", text.partition("```python")[0]):
        start = line.split("(...)")[0].rstrip(".")
        assert start in block or start.replace(" = ", " += ") in block, line
