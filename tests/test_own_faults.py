"""What is wrong with a user's code is said in a line, before training where it can be."""

import re

import pytest
from own_builders import ALWAYS, CHAIN, EXAMPLES, GAIT, fault, refused, train, write

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.own.faults import OwnCodeError
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_has_no_twin_says_what_is_missing(tmp_path):
    write(tmp_path, "my_net.py", CHAIN)
    write(
        tmp_path, "my_loss.py", "def l(outputs, targets):\n    return (outputs**2).mean(), 2 * outputs / outputs.size\n"
    )
    torch = "backend=torch"
    assert "my_net.py has no torch twin: write torch_twin(…)" in fault(tmp_path, "model=my_net.py", torch)
    assert "my_loss.py has no torch twin: write torch_l(outputs, targets, …)" in fault(
        tmp_path, "loss=my_loss.py", torch
    )


def test_shapes_that_do_not_fit_are_said_with_both(tmp_path):
    write(tmp_path, "a.py", CHAIN.replace("weight=(width, inputs)", "weight=(width, 5)"))
    write(tmp_path, "b.py", CHAIN.replace("weight=(outputs, width), bias=(outputs,)", "weight=(7, width), bias=(7,)"))
    write(tmp_path, "c.py", "def l(outputs, targets):\n    return 0.0, outputs[:, :2]\n")
    assert "layer 1, affine, cannot take x (4, 27), weight (8, 5), bias (8,)" in fault(tmp_path, "model=a.py")
    assert "outputs of shape (4, 7) for inputs of shape (4, 9, 3): expected (4, 6)" in fault(tmp_path, "model=b.py")
    assert "the gradient has shape (4, 2), the outputs (4, 6)" in fault(tmp_path, "loss=c.py")


NET = """
import numpy as np


class Net:
    def __init__(self, shape, outputs):
        self.params = {"w": np.zeros((outputs, shape[-1]))}

    def predict(self, x):
        return x.mean(axis=1) @ self.params["w"].T

    def loss_and_grad(self, x, y):
        return 0.0, {"w": self.params["w"]}
"""


@pytest.mark.parametrize(
    ("typed", "before", "after", "reason"),
    [
        ("model", "np.zeros((outputs, shape[-1]))", "[0]", "parameter w is a list: give an array of floats"),
        ("model", '{"w": np.zeros((outputs, shape[-1]))}', "[]", "Net.params is a list: give a dict of arrays"),
        ("model", "return 0.0, ", "return np.ones(3), ", "its term 'loss' is an array of float64, (3,): give a number"),
        ("model", "return 0.0, ", "return None, ", "its term 'loss' is a NoneType: give a number"),
        ("model", "return 0.0, ", "return ", "loss_and_grad returns a dict: give (loss, gradients by name)"),
        ("model", '{"w": self.params', '{"v": self.params', "gives other gradients than there are parameters: v, w"),
        ("model", "def predict(self, x)", "def predict(self)", "Net.predict(inputs) is called: too many positional"),
        ("model", "def predict", "def say", "Net has no predict: give a duograd.Chain, or an object with params"),
        ("model", "class Net:", "def net(shape, outputs):\n    return 3\n\n\nclass _Net:", "int has no params"),
        ("loss", "class Net:", "def l(outputs, targets):\n    return 3\n\n\nclass Net:", "returns int: give (value,"),
        ("loss", "class Net:", "def l(outputs, targets):\n    return None, 3\n\n\nclass Net:", "(NoneType, int): give"),
        ("optimizer", "def predict", "def update", "update(self, w, g, slots, lr, t) is called: too many positional"),
    ],
)
def test_what_does_not_keep_the_protocol_is_one_line(tmp_path, typed, before, after, reason):
    assert before in NET
    write(tmp_path, "odd.py", NET.replace(before, after))
    assert reason in fault(tmp_path, f"{typed}=odd.py")


def test_a_wrong_gradient_is_warned_of_and_a_right_one_is_not(tmp_path):
    (here := tmp_path / "my nets").mkdir()
    write(here, "wrong.py", (EXAMPLES / "net.py").read_text().replace("(dy * x * s).sum", "(dy * x * s).mean"))
    train(tmp_path / "wrong", "model=my nets/wrong.py")
    train(tmp_path / "off", "model=my nets/wrong.py", "check_gradient=false")
    train(tmp_path / "right", f"model={EXAMPLES}/net.py")
    wrong, off, right = (
        RunFolder(tmp_path / name).read_identity().get("code_notes", []) for name in ("wrong", "off", "right")
    )
    assert (off, right) == ([], [])
    assert wrong[0].startswith("the gradient of wrong is off by")
    command = (
        f"run duograd gradcheck task=activity data=gait \"model='{here}/wrong.py'\" loss=cross_entropy data.count=36"
    )
    assert f"(checked 3 directions): {command} data.test_count=24 data.window=9, or" in wrong[0]  # pasted, it works


LATE = """
calls = []


def late(x):
    calls.append(x)
    return x, (lambda dy: dy) if len(calls) < 20 else dy
"""


def test_code_that_raises_in_training_fails_the_run_and_leaves_its_folder_whole(tmp_path, capsys):
    write(tmp_path, "my_net.py", CHAIN.replace("relu,\n        duo", "late,\n        duo") + LATE)
    typed = [*GAIT, *ALWAYS, "model=my_net.py", "epochs=90", "check_gradient=false"]
    assert run(compose(typed), RunFolder(tmp_path / "run"), typed) == 1
    summary = RunFolder(tmp_path / "run").read_summary()
    assert summary["status"] == "FAILED"
    assert "in late, called by duograd's ChainNet._call: NameError: name 'dy' is not defined" in summary["error"]
    traceback = capsys.readouterr().err
    assert traceback.count("File ") == 1
    assert "return x, (lambda dy: dy)" in traceback


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_outputs_that_change_their_shape_in_training_are_the_networks_fault(tmp_path, capsys, backend):
    twice = "(np.concatenate([x, x]), lambda dy: dy)" if backend == "numpy" else "torch.cat([x, x])"
    late = f"calls = []\n\n\ndef late(x):\n    calls.append(x)\n    return {{}} if len(calls) < 20 else {twice}\n"
    by_hand = CHAIN.replace("relu,\n        duo", "late,\n        duo") + late.format("(x, lambda dy: dy)")
    write(tmp_path, "odd.py", by_hand if backend == "numpy" else MODULE + late.format("x"))
    typed = [*GAIT, *ALWAYS, "model=odd.py", "epochs=90", "check_gradient=false", f"backend={backend}"]
    assert run(compose(typed), RunFolder(tmp_path / "run"), typed) == 1
    error = RunFolder(tmp_path / "run").read_summary()["error"]
    assert re.match(r"odd\.py gives outputs of shape \(\d+, 6\) for inputs of shape \(\d+, 9, 3\): expected \(", error)
    assert error.endswith(", 6 a sample; mend it and run anew")


MODULE = """
import torch


class Net(torch.nn.Module):
    def __init__(self, shape, outputs):
        super().__init__()
        self.last = torch.nn.Linear(shape[-1], outputs)

    def forward(self, x):
        return late(self.last(x.mean(dim=1)))


"""


def test_an_optimizer_without_a_rate_says_how_to_give_one(tmp_path):
    write(tmp_path, "plain.py", "class Plain:\n    def update(self, w, g, slots, lr, t):\n        w -= lr * g\n")
    assert "optimizer.lr is not set" in (line := refused("optimizer=plain.py"))
    assert line.endswith("add optimizer.lr=0.01, or give your optimizer lr: float = 0.01")
    train(tmp_path / "run", "optimizer=plain.py", "optimizer.lr=0.01")


LARGE = """
import numpy as np


def data():
    x, y = np.ones((9, 3)), np.arange(9.0)
    {}[::2] = 1e308
    return x, y
"""


def test_data_of_values_that_no_float32_holds_is_one_line(tmp_path):
    """And no warning of NumPy's, which would be an error here."""
    for array, where in {"x": "split", "y": "split, in its targets,"}.items():
        path = write(tmp_path, "large.py", LARGE.format(array))
        with pytest.raises(DataError) as refusal:
            build.data_set(compose(["task=table", f"data={path}", "loss=squared_error"]))
        assert f"data=large: its train {where} has " in str(refusal.value)
        assert "NaN or infinite as float32, the first at [0" in str(refusal.value)


def test_code_that_raises_before_training_is_refused_with_its_traceback(tmp_path):
    write(tmp_path, "my_net.py", CHAIN.replace("inputs = int(", "inputs = int(1 / 0 + "))
    write(tmp_path, "ends.py", "raise SystemExit(3)\n")
    with pytest.raises(
        OwnCodeError, match=r"my_net.py, line 9, in net, called by duograd's \S+: ZeroDivisionError"
    ) as e:
        train(tmp_path / "run", "model=my_net.py")
    assert "inputs = int(1 / 0" in e.value.traceback
    assert "ends.py, line 1, while it was imported: SystemExit: 3" in refused("model=ends.py")
