"""The ways in which people write layers, each wrong in one line that the gradient debugger has to see."""

import sys

import numpy as np
import pytest
from faults import fault_of

from duograd.runner.commands import gradcheck
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer

NET = """
import numpy as np

class Affine:
    def __init__(self, rng, D, H):
        self.W = rng.standard_normal((D, H)).astype(np.float32)
        self.b = np.zeros(H)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

class Net:
    '''x (N, D)'''
    def __init__(self):
        rng = np.random.default_rng(0)
        self.layers = [Affine(rng, 4, 3), Affine(rng, 3, 2)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout
"""
BOXES = """
import numpy as np

class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)

class Scaled:
    '''x (N, D)'''
    def __init__(self):
        self.weight = Parameter(np.linspace(0.5, 2, 4))

    def forward(self, x):
        self.x = x
        return x * self.weight.data

    def backward(self, dout):
        self.weight.grad += (dout * self.x).sum(axis=0)
        return dout * self.weight.data
"""
LISTS = """
import numpy as np

def tower(x, weights):
    hs = [x]
    for W in weights:
        hs.append(np.tanh(hs[-1] @ W))

    def backward(dout):
        grads = [None] * len(weights)
        for k in reversed(range(len(weights))):
            dout = dout * (1 - hs[k + 1] ** 2)
            grads[k] = hs[k].T @ dout
            dout = dout @ weights[k].T
        return dout, grads

    return hs[-1], backward

def example_tower():
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 4)), [rng.standard_normal((4, 3)), rng.standard_normal((3, 2))]
"""
NUMBERS = """
import numpy as np

def scaled(x, a):
    def backward(dy):
        return dy * a, (dy * x).sum()
    return a * x, backward

def example_scaled():
    return np.arange(1.0, 6.0), 0.7
"""
NONE = """
import numpy as np

def gated_forward(x, mask, b):
    return x * mask + b, mask

def gated_backward(dout, cache):
    return dout * cache, None, dout.sum(axis=0)

def example_gated():
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 4)), np.array([0.0, 1.0, 2.0, 1.0]), rng.standard_normal(4)
"""
CACHE_FIRST = """
def cube_forward(x):
    '''x (N, D)'''
    return x**3, x

def cube_backward(cache, upstream):
    return 3 * upstream * cache**2
"""
LOSS = """
import numpy as np

class MSE:
    '''pred (N, D), target (N, D)'''
    def forward(self, pred, target):
        self.diff = pred - target
        return (self.diff**2).mean()

    def backward(self):
        dpred = 2 * self.diff / self.diff.size
        return dpred, -dpred
"""
AGAIN = """
import numpy as np

class CrossEntropy:
    '''x (N, C), y (N,) labels'''
    def forward(self, x, y):
        p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(y)), y]).mean()

    def backward(self, x, y):
        dx = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        dx[np.arange(len(y)), y] -= 1
        return dx / len(y)
"""
NETWORK = """
import numpy as np

class TwoLayerNet:
    '''X (N, 4), y (N,) labels'''
    def __init__(self, D=4, H=6, C=3, reg=0.1):
        rng = np.random.default_rng(0)
        self.params = {"W1": rng.standard_normal((D, H)), "W2": rng.standard_normal((H, C))}
        self.reg = reg

    def loss(self, X, y=None):
        W1, W2 = self.params["W1"], self.params["W2"]
        hidden = np.maximum(0, X @ W1)
        scores = hidden @ W2
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean() + self.reg * ((W1**2).sum() + (W2**2).sum())
        dscores = p.copy()
        dscores[np.arange(len(y)), y] -= 1
        dscores /= len(y)
        grads = {}
        grads["W2"] = hidden.T @ dscores + 2 * self.reg * W2
        dhidden = dscores @ W2.T
        dhidden[hidden <= 0] = 0
        grads["W1"] = X.T @ dhidden + 2 * self.reg * W1
        return loss, grads
"""
FORMS = {
    "a network with a loss": (NETWORK, "TwoLayerNet", "dhidden + 2 * self.reg", "dhidden + self.reg"),
    "layers in a list, single precision": (NET, "Net", "self.dW = self.x.T @ dout", "self.dW = self.x.T @ dout / 5"),
    "parameter objects": (BOXES, "Scaled", "(dout * self.x).sum(axis=0)", "dout.sum(axis=0)"),
    "a list of weights": (LISTS, "tower", "grads[k] = hs[k].T @ dout", "grads[k] = 2 * hs[k].T @ dout"),
    "a number as parameter": (NUMBERS, "scaled", "(dy * x).sum()", "dy.sum()"),
    "None for a mask": (NONE, "gated", "None, dout.sum(axis=0)", "None, dout.mean(axis=0)"),
    "the cache first": (CACHE_FIRST, "cube", "3 * upstream", "2 * upstream"),
    "a loss without dout": (LOSS, "MSE", "dpred, -dpred", "dpred, dpred"),
    "a loss that is given its inputs again": (AGAIN, "CrossEntropy", "), y] -= 1", "), y] -= 2"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_understood_and_its_mistake_placed(form, tmp_path):
    text, name, right, wrong = FORMS[form]
    assert checked(tmp_path / "right.py", text, name).ok
    check = checked(tmp_path / "wrong.py", text.replace(right, wrong), name)
    assert not check.ok
    assert right.split(" = ")[0] in text.splitlines()[check.findings[0].line - 1]


def checked(path, text, name):
    path.write_text(text)
    module, source = load_module(path)
    sys.modules.pop(path.stem, None)
    [layer] = layers_of(module, source, name)
    return check_layer(layer)


def test_what_forward_computes_anew_is_no_parameter(tmp_path):
    text = LOSS.replace(
        "self.diff = pred", "self.count = np.ones(3) + getattr(self, 'count', 0)\n        self.diff = pred"
    )
    assert checked(tmp_path / "state.py", text, "MSE").notes == []


def test_a_gradient_that_is_not_there_is_noted(tmp_path):
    check = checked(tmp_path / "less.py", NONE.replace("dout.sum(axis=0)", "None"), "gated")
    assert check.notes == ["no gradient was returned for mask", "no gradient was returned for b"]


def test_a_forward_that_changes_its_input_is_noted(tmp_path):
    text = CACHE_FIRST.replace("return x**3, x", "y, old = x**3, x.copy()\n    x *= 2\n    return y, old")
    assert checked(tmp_path / "inplace.py", text, "cube").notes == ["forward changes its own input x in place"]


def test_a_layer_that_fails_does_not_hide_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my layers.py").write_text(
        "print('said by the file')\n" + CACHE_FIRST + "\ndef f(x):\n    '''x (N,)'''\n    return x.no, lambda dy: dy\n"
    )
    with pytest.raises(UserError, match=r"my layers.py: its own code raised AttributeError: .* \(line 12, in f: `ret"):
        gradcheck.main(["my layers.py"])
    out = capsys.readouterr().out
    assert "cube: right" in out
    assert "said by" not in out


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"# \xe9\nx = 1\n", ["file.py"], "file.py is not written in UTF-8: save it as UTF-8"),
        (b"n = input('size? ')\n", ["file.py"], "file.py: its own code raised EOFError"),
        (b"x = 1\n", ["file"], "gradcheck file: a file is named with its ending: file.py"),
        (b"x = 1\n", ["file.py", "--json", "no/report.json"], "--json no/report.json: there is no folder no"),
    ],
)
def test_what_a_file_may_be_instead(content, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.py").write_bytes(content)
    assert fault_of(gradcheck.main, arguments).startswith(message)


def test_large_layers_are_checked_along_directions(tmp_path):
    rng = np.random.default_rng(0)
    text = (
        "def dense(x, W):\n    def backward(dy):\n        return dy @ W.T, 2 * x.T @ dy\n    return x @ W, backward\n"
    )
    path = tmp_path / "large.py"
    path.write_text(text)
    module, source = load_module(path)
    [layer] = layers_of(module, source)
    layer.arguments = (rng.standard_normal((1000, 100)), rng.standard_normal((100, 20)))
    check = check_layer(layer)
    assert [output.ok for output in check.outputs] == [True, False]
    assert check.findings[0].line == 3


def test_a_term_too_many_is_said_as_the_code_has_it(tmp_path):
    text = (
        "def affine(x, U, V):\n    '''x (N, D), U (D, D), V (D, D)'''\n    a = x @ U\n    def backward(da, dh):\n"
        "        return da @ U.T + dh @ V.T + da @ V.T, x.T @ da, x.T @ dh\n    return (a, x @ V), backward\n"
    )
    [finding] = checked(tmp_path / "term.py", text, "affine").findings
    assert finding.verdict.startswith("`+ da @ V.T` is too many; right as `return")
