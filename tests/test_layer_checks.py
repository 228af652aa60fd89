"""The report's table of relative errors: its figures come out again, every row is under the ceiling, bugs are not."""

import math
import subprocess
import sys
from functools import partial

import pytest
from recurrent_builders import mutant

from duograd.models.layers import conv, norm, pool
from duograd.runner import tied
from duograd.runner.commands import bench, gradcheck
from duograd.runner.commands.gradcheck import CEILING
from duograd.runner.errors import UserError
from duograd.runner.gradcheck import layers as layer_checks


@pytest.fixture(scope="module")
def checks():
    return {check.name: check for check in layer_checks.layer_checks()}


def test_every_row_is_under_the_ceiling(checks):
    assert max(check.error for check in checks.values()) < CEILING


def test_the_reports_rows_come_first_and_have_its_size(checks):
    """Draws and steps are the report's, so that even errors of rounding are of the same size."""
    published = [check for check in checks.values() if check.published is not None]
    assert len(published) == 13
    for check in published:
        if check.published == 0:
            assert check.error == 0
        else:
            assert abs(math.log10(check.error / check.published)) < math.log10(3), check


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("conv forward, given values", 2.2121e-08),
        ("max pool forward, given values", 4.1667e-08),
        ("max pool backward dx", 3.2756e-12),
    ],
)
def test_what_does_not_depend_on_the_order_of_sums_comes_out_exactly(checks, name, figure):
    assert checks[name].error == pytest.approx(figure, rel=1e-4)


def test_each_layer_has_a_row(checks):
    for part in ("conv-relu-pool", "average pool", "global average", "layer norm", "affine", "leaky relu", "SVM loss"):
        assert any(name.startswith(part) for name in checks)


def test_gradcheck_layers_prints_the_table(monkeypatch, capsys, checks):
    monkeypatch.setattr(layer_checks, "layer_checks", lambda: iter(checks.values()))
    assert gradcheck.main(["layers"]) == 0
    lines = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if line.count("│") == 4}
    assert lines["conv forward, given values"].split("│")[2:4] == [" 2.2e-08   ", " 2.2e-08 "]
    assert lines["SVM loss dx"].split("│")[2].strip() == "-"
    assert lines.keys() >= checks.keys()


@pytest.mark.parametrize(
    ("name", "module", "right", "wrong", "layer"),
    [
        (
            "conv backward",
            conv,
            "np.ones(n * OW, d.dtype) @",
            "np.arange(n * OW) @",
            lambda m: partial(m.conv2d, stride=1, padding=1),
        ),
        ("max pool backward", pool, "winner[part] == t", "winner[part] <= t", lambda m: partial(m.max_pool2d, size=2)),
        (
            "spatial group norm",
            norm,
            "dx -= x_hat * (",
            "dx += x_hat * (",
            lambda m: lambda x, w, b: m.group_norm(x, 2, w, b),
        ),
    ],
)
def test_a_planted_bug_fails_the_check(monkeypatch, capsys, name, module, right, wrong, layer):
    [case] = [case for case in layer_checks.REPORTED if case.name == name]
    bugged = case._replace(layer=layer(mutant(module, right, wrong)))
    monkeypatch.setattr(layer_checks, "REPORTED", [bugged])
    monkeypatch.setattr(layer_checks, "OTHERS", [])
    monkeypatch.setattr(layer_checks, "_fast_against_naive", lambda: iter(()))
    assert gradcheck.main(["layers"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_a_gradient_that_is_no_number_fails_the_check(monkeypatch, capsys):
    nothing = layer_checks.Check("nothing", None, float("nan"))
    monkeypatch.setattr(layer_checks, "layer_checks", lambda: iter([layer_checks.Check("one", None, 0.0), nothing]))
    assert gradcheck.main(["layers"]) == 1
    assert "FAILED: the largest is nan" in capsys.readouterr().out


def test_gradcheck_layers_takes_no_settings():
    with pytest.raises(UserError, match=r"gradcheck layers takes no model=challenge: the layers' checks have"):
        gradcheck.main(["layers", "model=challenge"])


def test_gradcheck_layers_does_not_import_torch():
    modules = "duograd.runner.gradcheck.layers, duograd.runner.commands.gradcheck"
    code = f"import sys; import {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- bench -------------------------------------------------------------------------------------------------------------


def test_bench_runs_the_checkouts_benchmarks_on_the_users_kernel(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1024")
    calls = []

    def run(command, cwd, env, stdin):
        calls.append((command[1:], cwd, env))
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(bench.subprocess, "run", run)
    assert bench.main(["layers", "startup"]) == 1
    [(command, cwd, environment)] = calls
    assert command == ["-m", tied.NAME, "benchmarks", "layers", "startup"]
    assert (cwd / "benchmarks" / "layers.py").exists()
    assert "PATH" in environment
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & environment.keys()


def test_bench_says_what_it_knows(tmp_path):
    command = [sys.executable, "-m", "duograd", "bench", "layer"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    said, _, known = line.partition("known: ")
    assert said == "duograd: unknown benchmark 'layer': did you mean 'layers'? "
    assert all((bench.CHECKOUT / "benchmarks" / f"{name}.py").is_file() for name in known.split(", "))


def test_bench_needs_a_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    with pytest.raises(UserError, match=r"no folder benchmarks in .*: benchmarks run from a checkout"):
        bench.main([])
