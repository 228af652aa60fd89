"""The house's rules on imports, read from the code and from real processes."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from patience import HANGING_S

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "models", "runner")
FILES = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FORBIDDEN = {"data": {"models", "runner"}, "models": {"data", "runner"}, "runner": set()}


def module(path: Path) -> str:
    """A file's name as it is imported."""
    parts = path.with_suffix("").parts
    return ".".join(["duograd", *(parts[:-1] if parts[-1] == "__init__" else parts)])


MODULES = {module(path): path for path in FILES}


def imports(path: Path, lazy: bool = True, typing: bool = True) -> set[str]:
    """All modules that a file imports; lazy: those inside functions too; typing: those for type checkers alone."""
    tree = ast.parse((ROOT / path).read_text())
    left_out = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not lazy]
    if not typing:
        left_out += [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    hidden = {id(inner) for node in left_out for inner in ast.walk(node)}
    names = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in inner}
    return names


def ours(path: Path) -> set[str]:
    """Those of our three folders that a file imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("duograd.")}


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of two or more that all reach each other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            ahead += [name for name in arrows.get(ahead.pop(), ()) if not (name in seen or seen.add(name))]
        return seen

    beyond = {name: reached(name) for name in arrows}
    groups = {frozenset([name, *(b for b in beyond[name] if name in beyond.get(b, ()))]) for name in arrows}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def package(name: str) -> str:
    """The room of a module: `runner.sweep` of `duograd.runner.sweep.grid`, or the file that stands in the open."""
    return ".".join(name.split(".")[1:3])


@pytest.mark.parametrize("path", FILES, ids=str)
def test_arrows_run_one_way(path):
    assert not ours(path) & FORBIDDEN[path.parts[0]]


def test_no_file_imports_in_a_circle():
    assert not circles({name: imports(path, typing=False) & MODULES.keys() for name, path in MODULES.items()})


def test_no_package_imports_in_a_circle():
    arrows: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        arrows.setdefault(package(name), set()).update(
            package(other) for other in imports(path, typing=False) & MODULES.keys() if package(other) != package(name)
        )
    assert not circles(arrows)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_backend_keeps_to_its_own_rooms(path):
    used = {name.split(".")[0] for name in imports(path)}
    if not path.name.startswith("torch_"):
        assert "torch" not in used
    if path.parts[:2] != ("runner", "tracking"):
        assert "mlflow" not in used
    if path.parts[:2] != ("runner", "plots"):
        assert "matplotlib" not in used


def test_no_drawer_for_odds_and_ends():
    assert not [path for path in FILES if path.stem in ("utils", "util", "helpers", "misc", "common")]


def imported(command: list[str], cwd: Path) -> set[str]:
    """The top-level packages that a duograd command imports."""
    code = (
        "import sys, atexit; sys.argv = ['duograd', *sys.argv[1:]]\n"
        "atexit.register(lambda: print('\\nIMPORTED', *sorted({m.split('.')[0] for m in sys.modules})))\n"
        "from duograd.runner.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=cwd, capture_output=True, text=True, timeout=HANGING_S
    )
    return set(done.stdout.rpartition("IMPORTED")[2].split())


def test_help_imports_nothing_heavy(tmp_path):
    assert "duograd" in (names := imported(["--help"], tmp_path))
    assert not names & {"hydra", "numpy", "torch", "mlflow", "matplotlib", "scipy", "pydantic"}


def test_a_numpy_run_imports_neither_torch_nor_mlflow(tmp_path):
    names = imported(["task=autoencoder", "preset=smoke", "tracking=none"], tmp_path)
    assert {"numpy", "PIL", "matplotlib"} <= names
    assert not names & {"torch", "mlflow", "sklearn", "pandas"}


def test_training_itself_does_not_import_mlflow(tmp_path):
    """Even with tracking on: the mirror is another process."""
    assert "mlflow" not in imported(["task=autoencoder", "preset=smoke"], tmp_path)
    assert (tmp_path / "outputs" / "mlflow.db").exists()
