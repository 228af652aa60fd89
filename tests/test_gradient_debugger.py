"""The gradient debugger: mistakes planted in layers of all forms, right layers left alone, and what a person sees."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from faults import fault_of
from gradient_bugs import BUGS, FILES, FOLDER, expected, planted

import duograd
from duograd.runner.commands import gradcheck
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer
from duograd.runner.gradcheck.inputs import give_inputs, parse_shapes
from duograd.runner.gradcheck.layer import ForwardError
from duograd.runner.gradcheck.names import gradient_of
from duograd.runner.gradcheck.verdict import LayerCheck


def checked(path: Path, name: str | None = None, seed: int = 0) -> list[LayerCheck]:
    module, source = load_module(path)
    return [check_layer(layer, seed=seed) for layer in layers_of(module, source, name)]


def verdicts(bugs, folder: Path) -> list[tuple[bool, bool, bool]]:
    """Of each mistake: noticed, its line named, its cause said."""
    rows = []
    for number, bug in enumerate(bugs):
        text, line = planted(bug)
        path = folder / f"bug{number}.py"
        path.write_text(text)
        [check] = checked(path, bug[0])
        finding = next(iter(check.findings), None)
        named = finding is not None and finding.line in expected(bug, line)
        rows.append((not check.ok, named, named and any(word in finding.verdict for word in bug[3])))
    return rows


def counts(bugs, folder: Path) -> tuple[float, float, float]:
    noticed, lines, causes = zip(*verdicts(bugs, folder), strict=True)
    return sum(noticed) / len(bugs), sum(lines) / len(bugs), sum(causes) / len(bugs)


def test_the_corpus_is_large():
    assert len(BUGS) >= 80
    assert sum(len(checked(FOLDER / f"{name}.py")) for name in FILES) >= 12


@pytest.mark.parametrize("part", range(4))
def test_a_sample_of_mistakes_is_noticed_placed_and_explained(part, tmp_path):
    noticed, lines, causes = counts(BUGS[part::24], tmp_path)
    assert noticed == 1
    assert lines >= 0.85  # of six
    assert causes >= 0.7


@pytest.mark.slow
def test_every_mistake_is_noticed_and_most_are_placed_and_explained(tmp_path):
    noticed, lines, causes = counts(BUGS, tmp_path)
    assert noticed == 1
    assert lines >= 0.92
    assert causes >= 0.75


@pytest.mark.parametrize("name", FILES)
def test_right_layers_are_not_blamed(name):
    for check in checked(FOLDER / f"{name}.py"):
        assert check.ok, check.findings
        assert max(output.error for output in check.outputs) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_right_layers_are_not_blamed_on_fifty_draws(name):
    module, source = load_module(FOLDER / f"{name}.py")
    for seed in range(50):
        for layer in layers_of(module, source):
            if layer.example is None:
                give_inputs(layer, None, seed)
            assert check_layer(layer, seed=seed).ok, (layer.name, seed)


BATCHNORM = """
import numpy as np

def batchnorm(x, gamma, beta):
    '''x (N, D), gamma (D,), beta (D,)'''
    mu = x.mean(0)
    xc = x - mu
    std = np.sqrt((xc ** 2).mean(0) + 1e-5)
    xhat = xc / std

    def backward(dy):
        dxhat = dy * gamma
        dxc = dxhat / std - xhat * (dxhat * xhat).mean(0) / std
        dx = dxc
        return dx, (dy * xhat).sum(0), dy.sum(0)

    return gamma * xhat + beta, backward
"""


@pytest.fixture
def student(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_layer.py").write_text(BATCHNORM)
    return tmp_path / "my_layer.py"


def test_the_command_shows_the_line_and_what_is_wrong(student, capsys):
    assert gradcheck.main(["my_layer.py", "--json", "report.json"]) == 1
    out = capsys.readouterr().out
    assert "✗ 14          dx = dxc" in out
    assert "^ right but for the path through mu (line 6)" in out
    [layer] = json.loads(Path("report.json").read_text())
    assert (layer["name"], layer["ok"]) == ("batchnorm", False)
    assert [(o["name"], o["ok"]) for o in layer["outputs"]] == [("x", False), ("gamma", True), ("beta", True)]
    [finding] = layer["findings"]
    assert finding == finding | {"line": 14, "source": "dx = dxc", "name": "dx", "kind": "path"}
    assert {"file", "verdict"} <= finding.keys()


def test_a_right_layer_ends_with_0(student, capsys):
    student.write_text(BATCHNORM.replace("dx = dxc\n", "dx = dxc - dxc.mean(0)\n"))
    assert gradcheck.main(["my_layer.py:batchnorm", "--shapes", "x 5x3, gamma 3, beta 3"]) == 0
    assert "batchnorm: right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (BATCHNORM, ["my_layer.py:foo"], "my_layer.py has no layer 'foo': it has batchnorm"),
        ("x = 1\n", ["my_layer.py"], "my_layer.py has no layer: write a function that returns (y, backward), a pair"),
        (
            BATCHNORM.replace("'''x (N, D), gamma (D,), beta (D,)'''", ""),
            ["my_layer.py"],
            "batchnorm: nothing says what",
        ),
        ("def f(:\n", ["my_layer.py"], "my_layer.py is no Python file"),
        ("while True: pass\n", ["my_layer.py", "--timeout", "2"], "my_layer.py took longer than 2 s"),
        ("import os\nos._exit(3)\n", ["my_layer.py"], "my_layer.py ended its process: exit code 3"),
        (BATCHNORM, ["my_layer.py", "--shapes", "x 5,3"], "--shapes: cannot read '3'"),
        (BATCHNORM, ["my_layer.py", "seed=1"], "gradcheck takes one file, not also seed=1"),
        (None, ["my_layer.py"], "my_layer.py does not exist"),
        (
            "import numpy as np\ndef f(x):\n    '''x (N,)'''\n    y = x * np.random.default_rng().random(5)\n"
            "    return y, lambda dy: dy\n",
            ["my_layer.py"],
            "f: forward is not repeatable: seed it",
        ),
    ],
)
def test_a_user_s_faults_are_one_line(student, text, arguments, message):
    student.unlink() if text is None else student.write_text(text)
    assert fault_of(gradcheck.main, arguments).startswith(message)


def test_code_that_raises_is_shown_from_its_own_first_line(student):
    student.write_text(
        "def f(x):\n    '''x (N,)'''\n    return g(x), lambda dy: dy\n\ndef g(x):\n    return x.nothing\n"
    )
    said = fault_of(gradcheck.main, ["my_layer.py"])
    assert "has no attribute 'nothing'" in said
    assert "line 3, in f" in said
    assert "runner" not in said


def test_watching_checks_again_when_the_file_is_saved(student):
    command = [sys.executable, "-u", "-m", "duograd", "gradcheck", "my_layer.py", "--watch"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=student.parent, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    said = ""
    while "watching my_layer.py" not in said:
        said += process.stdout.readline()
    assert "WRONG" in said
    student.write_text(BATCHNORM.replace("dx = dxc\n", "dx = dxc - dxc.mean(0)\n"))
    os.utime(student, (time.time() + 5,) * 2)
    said = ""
    while "watching my_layer.py" not in said:
        said += process.stdout.readline()
    assert "batchnorm: right" in said
    process.kill()
    process.communicate()


def square(x):
    y = x**2

    def backward(dy):
        dx = dy * x
        return dx  # noqa: RET504 - the line that is to be named

    return y, backward


def test_in_a_notebook_or_a_test():
    check = duograd.gradcheck(square, np.arange(1.0, 6.0))
    assert not check.ok
    [finding] = check.findings
    assert (finding.source, finding.kind) == ("dx = dy * x", "factor")
    assert finding.verdict.startswith("is 1/2 times what it should be; right as `dx = dy * x * 2`")
    assert re.search(r"color: #c1121f[^>]*>✗", check._repr_html_())
    with pytest.raises(AssertionError, match="dx = dy \\* x — is 1/2 times"):
        check.assert_right()


def test_a_cell_of_a_notebook(tmp_path):
    """What IPython does with a cell: compiled under a name that is no file, its lines in linecache."""
    import linecache

    text = "def cube(x):\n    def backward(dy):\n        return 2 * dy * x**2\n    return x**3, backward\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
    space: dict = {}
    exec(compile(text, "<cell 1>", "exec"), space)
    check = duograd.gradcheck(space["cube"], np.arange(1.0, 4.0))
    assert [(f.line, f.kind) for f in check.findings] == [(3, "factor")]


def test_what_is_no_layer_is_told():
    def doubled(x):
        return 2 * x

    with pytest.raises(UserError, match="doubled is no layer: it returns neither"):
        duograd.gradcheck(doubled, np.ones(3))
    with pytest.raises(ForwardError, match="the layer's own code raised AttributeError"):
        duograd.gradcheck(checked, np.ones(3))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dW", "W"),
        ("d_W", "W"),
        ("dz_", "z"),
        ("grad_z", "z"),
        ("z_grad", "z"),
        ("z_bar", "z"),
        ("dout", "out"),
        ("W", None),
    ],
)
def test_names_of_gradients(name, meant):
    assert gradient_of(name) == meant


def test_shapes_as_they_are_typed():
    assert parse_shapes("x 5x3, gamma 3, beta=3,w: (2x3x3)") == {
        "x": (5, 3),
        "gamma": (3,),
        "beta": (3,),
        "w": (2, 3, 3),
    }


def test_single_precision_and_kinks_are_not_mistakes(tmp_path):
    text = (
        "import numpy as np\n"
        "def relu(x):\n"
        "    y = np.maximum(x, 0).astype(np.float32)\n"
        "    return y, lambda dy: dy * (x > 0)\n"
        "def example_relu():\n"
        "    return np.array([[0.0, -1.0, 2.0], [0.5, 0.0, -0.25]]),\n"
    )
    (tmp_path / "kinks.py").write_text(text.replace(".astype(np.float32)", ""))
    (tmp_path / "single.py").write_text(text.replace("[0.0,", "[0.9,").replace("0.0,", "0.8,"))
    assert [c.ok for c in checked(tmp_path / "kinks.py")] == [True]
    assert [c.ok for c in checked(tmp_path / "single.py")] == [True]
