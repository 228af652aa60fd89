"""The path of a user's home is shown as ~, wherever others may look: only what a run goes on from has it."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sweep_builders import typing

from duograd.runner import redaction
from duograd.runner.redaction import redact
from duograd.runner.tracking import address

SMALL = ["task=autoencoder", "data=photos", "data.count=60", "data.size=4", "model.hidden_size=5", "epochs=2"]
EXACT = {"config.yaml", "sweep.json", "origins.json", "mlflow.db"}  # what something goes on from


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with photographs, and a project beside them."""
    home = tmp_path / "ada"
    (home / "project").mkdir(parents=True)
    (home / "photos").mkdir()
    Image.effect_noise((64, 64), 50).save(home / "photos" / "noise.png")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "project")
    return home


def telling(folder: Path, home: Path) -> set[str]:
    """The files below a folder that name the home, but for those that have to."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in EXACT)
    return {path.name for path in files if str(home).encode() in path.read_bytes()}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{}/outputs/run: No space left", "~/outputs/run: No space left"),
        ("data.root={},x", "data.root=~,x"),
        ("in '{}/a b'.", "in '~/a b'."),
        ("go to {}.", "go to ~."),
        ("sqlite:///{}/mlflow.db", "sqlite:///~/mlflow.db"),
        ("file://{}/x", "file://~/x"),
        ("{}2/run {}.old {}-x", "{}2/run {}.old {}-x"),
        ("/mnt{}/run", "/mnt{}/run"),
    ],
)
def test_the_home_and_what_lies_in_it_is_shown_as_a_tilde(text, shown, home):
    assert redact(text.replace("{}", str(home))) == shown.replace("{}", str(home))


@given(st.text("aö/ '\"\\?%", min_size=1, max_size=9))
def test_homes_of_any_name_are_known_in_json_and_addresses(name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", f"/h{name}".rstrip("/"))
        for text in (json.dumps({"a": f"/h{name}/x"}), address.for_mlflow(f"sqlite:////h{name}/x.db")):
            assert "~" in redact(text) or name.startswith("/")  # // is one to the file system


@pytest.mark.parametrize("home", ["/", ""])
def test_without_a_home_nothing_is_changed(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert redact("/etc/passwd and /x/y") == "/etc/passwd and /x/y"


def test_a_home_that_is_withheld_from_the_mirror_is_not_told_either(home):
    environ = address.environment("http://10.0.0.1", False, dict(os.environ))
    assert (environ["HOME"], environ[redaction.HOME]) == (os.devnull, str(home))


def test_what_a_run_prints_and_writes_names_no_home(home, monkeypatch, capsys):
    """And what it shows works where it is pasted, also between quotes."""
    with typing(monkeypatch, capsys) as duograd:
        folder = "hydra.run.dir=~/project/a run"
        code, out, err = duograd(*SMALL, "tracking=none", f"data.root={home}/photos", folder)
        assert (code, err) == (0, "")
        assert "everything is in ~/project/a run" in out
        assert "data.root=~/photos" in json.loads((home / "project/a run/run.json").read_text())["command"]
        refused = duograd(*SMALL, f"data.root={home}/gone")
        assert "~/gone does not exist" in refused[2]
        again = duograd("resume", "~/project/a run")
        assert again[1].startswith("~/project/a run is finished already")
        code, said, err = duograd("rerun", "~/project/a run")
        assert (code, err) == (0, ""), said
    assert str(home) not in "".join([out, *refused[1:], *again[1:]])
    assert telling(home, home) == set()
    assert f"root: {home}/photos" in (home / "project/a run/config.yaml").read_text()  # and may be moved


def test_a_command_for_mlflows_own_program_has_the_shells_home(home):
    uri = address.default_uri(home / "project")
    assert address.for_shell(uri) == '"sqlite:///$HOME/project/outputs/mlflow.db"'
    said = subprocess.run(f"echo {address.for_shell(uri)}", shell=True, capture_output=True, text=True).stdout
    assert said == f"{uri}\n"
    assert address.resolve("sqlite:///~/project/outputs/mlflow.db", Path("/here")) == uri


@pytest.mark.slow
def test_sweeps_pages_tags_and_copies_in_mlflow_name_no_home(home):
    """All that MLflow keeps but its own addresses of artifacts, which it needs."""
    commands = [
        ["-m", *SMALL, f"data.root={home}/photos", "seed=1,2", "hydra.sweep.dir=outputs/sweep"],
        ["task=table", "data=sklearn", "epochs=2", f"model={home}/project/my_net.py", "hydra.run.dir=outputs/own"],
        ["compare", f"{home}/project/outputs/sweep"],
        ["sync", f"{home}/project/outputs"],
        ["sync", f"{home}/nowhere"],
        ["resume", f"{home}/project/outputs/sweep"],
        [*SMALL, f"data.root={home}/photos", "hydra.run.dir=outputs/own"],
    ]
    said = [duograd("new", "net", "my_net"), *(duograd(*command) for command in commands)]
    assert [done.returncode for done in said] == [0, 0, 0, 0, 0, 2, 0, 2], said
    assert [done.args for done in said if str(home) in done.stdout + done.stderr] == []
    assert telling(home / "project", home) == set()
    copies = (home / "project" / "outputs" / "mlartifacts").rglob("*")
    assert [path for path in copies if path.is_file() and str(home).encode() in path.read_bytes()] == []
    with closing(sqlite3.connect(home / "project" / "outputs" / "mlflow.db")) as database:
        kept = ("tags", "params", "datasets", "experiment_tags")
        rows = [row for table in kept for row in database.execute(f"select * from {table}")]
    assert len(rows) > 100
    assert [row for row in rows if str(home) in str(row)] == []


def duograd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "duograd", *arguments], capture_output=True, text=True)
