"""docs/recipes.md, followed to the letter in a copy of the package: few files, and the new runs in both backends."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_lines import exit_codes

ROOT = Path(__file__).parents[1]
MOST_FILES = {
    "A model variant": 1,
    "An optimizer": 3,
    "A recurrent cell": 3,
    "A loss": 2,
    "A source": 2,
    "A figure": 1,
}
ACTIVITY = ["task=activity", "data=gait", "data.count=36", "data.test_count=24", "data.window=9"]
SINES = ["task=activity", "data=sines", "data.count=40", "model=rnn", "model.hidden_size=5"]
RUNS = {
    "A model variant": [*ACTIVITY, "model=lstm_wide"],
    "An optimizer": ["task=autoencoder", "optimizer=adadelta", "data.count=60", "data.size=4", "model.hidden_size=5"],
    "A recurrent cell": [*ACTIVITY, "model=leaky", "model.hidden_size=5"],
    "A loss": [*ACTIVITY, "loss=brier", "model.hidden_size=5"],
    "A source": SINES,
    "A figure": [*ACTIVITY, "model.hidden_size=5"],
}
BACKENDS = ("numpy", "torch")
ALWAYS = ["epochs=3", "dtype=float64", "tracking=none"]


class Block(NamedTuple):
    """A fenced block of the page: the language and the file that its first line names, and its text."""

    language: str
    path: str
    text: str


def recipes() -> dict[str, list[Block]]:
    """The blocks of each recipe that name a file."""
    sections = re.split(r"^## (.+)$", (ROOT / "docs" / "recipes.md").read_text(), flags=re.MULTILINE)[1:]
    fence = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {
        name: [Block(*found) for found in fence.findall(text)]
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


RECIPES = recipes()


def follow(block: Block, package: Path) -> None:
    """Writes the block's file, which must be new; or changes the lines of one that is there."""
    path = package / block.path
    if block.language != "diff":
        assert not path.exists()
        path.write_text(block.text)
        return
    before, after = ("".join(line[1:] + "\n" for line in block.text.splitlines() if line[0] == sign) for sign in "-+")
    content = path.read_text()
    assert content.count(before.rstrip("\n")) == 1
    path.write_text(content.replace(before.rstrip("\n"), after.rstrip("\n")))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the package in which all recipes were followed."""
    here = tmp_path_factory.mktemp("copy")
    for name in ("src", "conf", "data", "models", "runner", "hydra_plugins"):
        leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, here / name, symlinks=True, ignore=leave_out)
    for block in (block for blocks in RECIPES.values() for block in blocks):
        follow(block, here)
    return here


@pytest.fixture(scope="module")
def codes(copy) -> dict[str, list[int]]:
    """How each recipe's runs end, by hand and by autograd, and the check of its gradient."""
    lines = []
    for recipe, run in RUNS.items():
        figure = "rate" if recipe == "A figure" else "loss_curve"
        for backend in BACKENDS:
            where = [f"hydra.run.dir={folder(copy, recipe, backend)}", f"task.figures=[{figure}]"]
            lines.append([*run, *ALWAYS, *where, f"backend={backend}"])
        lines.append(["gradcheck", *run])
    found, done = exit_codes(lines, copy, os.environ | {"PYTHONPATH": str(copy / "src")})
    assert not any(found), done.stdout + done.stderr
    return dict(zip(RUNS, zip(*[iter(found)] * 3, strict=True), strict=True))


def folder(copy: Path, recipe: str, backend: str) -> Path:
    return copy / "outputs" / recipe.replace(" ", "_") / backend


def summary(copy: Path, recipe: str, backend: str = "numpy") -> dict[str, Any]:
    return json.loads((folder(copy, recipe, backend) / "summary.json").read_text())


@pytest.mark.parametrize("recipe", MOST_FILES)
def test_a_recipe_touches_few_files_and_contributing_names_them(recipe):
    paths = [block.path for block in RECIPES[recipe]]
    assert 1 <= len(set(paths)) == len(paths) <= MOST_FILES[recipe]
    table = (ROOT / "CONTRIBUTING.md").read_text()
    for path in map(Path, paths):
        new = path.with_stem("TASK" if path.parent.name == "rates" else "NAME")
        assert str(new) in table


def test_each_recipe_is_followed():
    assert list(RECIPES) == list(MOST_FILES) == list(RUNS)


@pytest.mark.parametrize("recipe", RUNS)
def test_a_recipe_runs_in_both_backends_and_its_gradient_is_proven(recipe, copy, codes):
    assert codes[recipe] == (0, 0, 0)
    by_hand, autograd = (summary(copy, recipe, backend)["metrics"] for backend in BACKENDS)
    assert by_hand == pytest.approx(autograd, rel=1e-8)  # float64, three epochs


def test_what_is_new_is_there(copy, codes):
    first = (folder(copy, "An optimizer", "numpy") / "metrics.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["lr"] == 10.0  # its cell, not its YAML
    assert "train/brier" in summary(copy, "A loss")["metrics"]
    assert summary(copy, "A source")["data"] == "sines"
    assert [path.name for path in (folder(copy, "A figure", "numpy") / "figures").iterdir()] == ["rate.png"]


def test_recipes_keep_to_the_house(copy):
    files = [str(copy / block.path) for blocks in RECIPES.values() for block in blocks if block.language == "python"]
    shutil.copy(ROOT / "pyproject.toml", copy)
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = subprocess.run([sys.executable, "-m", *tool, *files], cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
