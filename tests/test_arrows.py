"""The house's rules on imports, read from the code and from real processes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "models", "runner")
FILES = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FORBIDDEN = {"data": {"models", "runner"}, "models": {"data", "runner"}, "runner": set()}


def imports(path: Path) -> set[str]:
    """The first names of all that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_arrows_run_one_way(path):
    assert not imports(path) & FORBIDDEN[path.parts[0]]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_backend_keeps_to_its_own_rooms(path):
    used = imports(path)
    if not path.name.startswith("torch_"):
        assert "torch" not in used
    if path.parts[:2] != ("runner", "tracking"):
        assert "mlflow" not in used
    if path.parts[:2] != ("runner", "figures"):
        assert "matplotlib" not in used


def test_no_drawer_for_odds_and_ends():
    assert not [path for path in FILES if path.stem in ("utils", "util", "helpers", "misc", "common")]


def imported(command: list[str], cwd: Path) -> set[str]:
    """The top-level packages that a duograd command imports."""
    code = (
        "import sys, atexit; sys.argv = ['duograd', *sys.argv[1:]]\n"
        "atexit.register(lambda: print('\\nIMPORTED', *sorted({m.split('.')[0] for m in sys.modules})))\n"
        "from runner.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=cwd, capture_output=True, text=True, timeout=120)
    return set(done.stdout.rpartition("IMPORTED")[2].split())


def test_help_imports_nothing_heavy(tmp_path):
    assert "hydra" in (names := imported(["--help"], tmp_path))
    assert not names & {"numpy", "torch", "mlflow", "matplotlib", "scipy", "pydantic"}


def test_a_numpy_run_imports_neither_torch_nor_mlflow(tmp_path):
    names = imported(["task=autoencoder", "preset=smoke", "tracking=none"], tmp_path)
    assert {"numpy", "PIL", "matplotlib"} <= names
    assert not names & {"torch", "mlflow", "sklearn", "pandas"}


def test_training_itself_does_not_import_mlflow(tmp_path):
    """Even with tracking on: the mirror is another process."""
    assert "mlflow" not in imported(["task=autoencoder", "preset=smoke"], tmp_path)
    assert (tmp_path / "outputs" / "mlflow.db").exists()
