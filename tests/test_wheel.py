"""The package as it is installed: duograd and Hydra's door alone, beside a user's own `data` and `models`."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from patience import HANGING_S

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder)]
    checkout = folder / "checkout"  # a build leaves folders of its own beside the sources
    for name in ("src", "conf", "data", "models", "runner", "hydra_plugins", "examples"):
        leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, checkout / name, symlinks=True, ignore=leave_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    subprocess.run([*build, str(checkout)], check=True, cwd=folder, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_holds_two_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"duograd", "hydra_plugins"}
    assert {"duograd/conf/config.yaml", "duograd/starters/net.py"} <= set(names)
    assert "duograd/runner/report/templates/answer.jinja" in names
    ours = {f"duograd/{p.relative_to(ROOT)}" for d in ("data", "models", "runner") for p in (ROOT / d).rglob("*.py")}
    assert ours <= set(names)


def test_it_runs_beside_a_user_s_own_packages(wheel, tmp_path):
    site, here = tmp_path / "site", tmp_path / "here"
    zipfile.ZipFile(wheel).extractall(site)
    for package in ("data", "models", "runner", "conf"):
        (here / package).mkdir(parents=True)
        (here / package / "__init__.py").write_text("raise ImportError('the user’s own')\n")
    environment = os.environ | {"PYTHONPATH": str(site)}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=HANGING_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert str(site) in python("-c", "import duograd; print(duograd.__file__)")
    small = ["preset=smoke", "data.count=50", "tracking=none", "hydra.run.dir=run"]
    python("-m", "duograd", *small)
    assert (here / "run" / "summary.json").exists()
    assert "my_net.py is written" in python("-m", "duograd", "new", "net", "my_net")


def test_python_m_duograd_is_duograd():
    console = Path(sys.executable).with_name("duograd")
    by_name, by_module = (
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
        for command in ([console], [sys.executable, "-m", "duograd"])
    )
    assert by_name == by_module
    assert by_name.startswith("duograd ")
