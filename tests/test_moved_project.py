"""A project that is moved stays together: it is gone on with where it is, and nothing recreates the old place."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import After
from patience import HANGING_S
from PIL import Image
from report_builders import sweep_folder

from duograd.runner.commands import compare, resume, sync
from duograd.runner.compose import compose
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store import files, moving
from duograd.runner.store.folders import RunFolder, SweepFolder
from duograd.runner.store.records import SweepRecord
from duograd.runner.tracking.cursor import Cursor

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
SMALL = ["data.count=60", "data.size=4", "model.hidden_size=5", "epochs=4", "dtype=float64"]


def photos(folder, seed=0):
    """A few pictures to cut patches from."""
    folder.mkdir(parents=True)
    for k in range(3):
        pixels = np.random.default_rng([seed, k]).integers(0, 256, (40, 40), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


def interrupted(project, *overrides):
    """A run of the project that can be gone on with."""
    folder = RunFolder(project / "outputs" / "run")
    config = compose(["task=autoencoder", "data=photos", *SMALL, *overrides])
    context = replace(alone(), interruption=After(2), project=project, mirrored=False)
    assert run(config, folder, [], context) == 128 + signal.SIGINT
    return folder


def test_run_sync_resume_and_compare_in_the_new_place_only(tmp_path, monkeypatch, capsys):
    old, new = tmp_path / "old", tmp_path / "new place"
    photos(old / "photos")
    monkeypatch.chdir(old)
    folder = interrupted(old, "data.root=photos", "tracking=mlflow")
    written = files.read_yaml(folder.config)
    assert (written["data"]["root"], written["tracking"]["uri"]) == ("../../photos", "sqlite:///../mlflow.db")
    # in a process of its own, which does not live on to remember where artifacts were
    subprocess.run([sys.executable, "-m", "duograd", "sync", "outputs/run"], check=True, timeout=HANGING_S)
    monkeypatch.chdir(tmp_path)
    old.rename(new)
    monkeypatch.chdir(new)
    assert sync.main(["outputs/run"]) == 0
    (new / "outputs" / "run" / "figures").mkdir(exist_ok=True)
    monkeypatch.setattr("duograd.runner.session.Session._mirrored", alone_in_the_dark)
    assert resume.main(["outputs/run"]) == 0
    assert sync.main(["outputs/run"]) == 0
    assert compare.main(["outputs", "--out", "answer"]) == 0
    assert "(FINISHED)" not in capsys.readouterr().out
    assert not old.exists()
    with closing(sqlite3.connect(new / "outputs" / "mlflow.db")) as database:
        runs = database.execute("select status, artifact_uri from runs").fetchall()
        places = database.execute("select artifact_location from experiments").fetchall()
    home = (new / "outputs" / "mlartifacts").as_uri()
    assert [status for status, _ in runs] == ["FINISHED"]
    assert all(place.startswith(home) for place in (runs[0][1], *(place for (place,) in places)))
    assert list((new / "outputs" / "mlartifacts").rglob("summary.json"))


def alone_in_the_dark(self):
    from contextlib import nullcontext

    return nullcontext()


def test_data_outside_is_asked_for_and_known_by_its_digest(tmp_path, monkeypatch, capsys):
    project, outside = tmp_path / "project", photos(tmp_path / "disk" / "photos")
    project.mkdir()
    monkeypatch.chdir(project)
    folder = interrupted(project, f"data.root={outside}")
    assert files.read_yaml(folder.config)["data"]["root"] == str(outside)
    (tmp_path / "disk").rename(tmp_path / "other disk, mine")
    with pytest.raises(UserError, match=r"say where it lies now: duograd resume \S+run data\.root=PATH$"):
        resume.main([str(folder.path)])
    other = photos(tmp_path / "not this", seed=1)
    with pytest.raises(UserError, match="the data is not what it was when the run began"):
        resume.main([str(folder.path), f"data.root={other}"])
    with pytest.raises(UserError, match=r"seed=9: a run is resumed as it began; only epochs=N, data\.root"):
        resume.main([str(folder.path), "seed=9"])
    moved = tmp_path / "other disk, mine" / "photos"
    assert resume.main([str(folder.path), f"data.root='{moved}'"]) == 0
    assert folder.read_config()["data"]["root"] == str(moved)


def test_a_sweep_knows_its_places_after_a_move(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    sweep = sweep_folder(old / "outputs" / "sweep", {"seed": [0, 1]})
    content = json.loads((sweep / "sweep.json").read_text())
    content |= {"directory": str(old), "uri": f"sqlite:///{old / 'outputs' / 'mlflow.db'}"}
    (sweep / "sweep.json").write_text(json.dumps(content))
    SweepRecord.load(sweep).save(sweep)
    old.rename(new)
    record = SweepRecord.load(new / "outputs" / "sweep")
    assert record.directory == str(new)
    assert record.uri == f"sqlite:///{new / 'outputs' / 'mlflow.db'}"
    assert SweepFolder(new / "outputs" / "sweep").directory() == new


def test_the_mirrors_memory_moves_with_the_folder(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "run").mkdir(parents=True)
    Cursor(run_id="it").save(old / "run", f"sqlite:///{old / 'mlflow.db'}")
    shutil.move(old, new)
    assert Cursor.load(new / "run", f"sqlite:///{new / 'mlflow.db'}").run_id == "it"
    assert Cursor.load(new / "run", f"sqlite:///{old / 'mlflow.db'}").run_id == ""


@pytest.mark.parametrize(
    ("typed", "moved"),
    [
        ("data.root=/old/me/photos", "data.root=./photos"),
        ("data.root=/old/me", "data.root=."),
        ("+data.path='/old/me/a b.csv'", "+data.path='./a b.csv'"),
        ("data.root=/old/me/a,/old/men/b,/old/me/c", "data.root=./a,/old/men/b,./c"),
        ("data.root=choice('/old/me/a','x/old/me')", "data.root=choice('./a','x/old/me')"),
        ("tracking.uri=sqlite:////old/me/mlflow.db", "tracking.uri=sqlite:///./mlflow.db"),
        ("tracking.uri=http://old/me", "tracking.uri=http://old/me"),
        ("hydra.searchpath=[file:///old/me/conf,pkg://old]", "hydra.searchpath=[file://./conf,pkg://old]"),
        ("name=/old/me/photos", "name=/old/me/photos"),
        ("~loss.beta", "~loss.beta"),
    ],
)
def test_what_was_typed_from_the_root_moves_too(typed, moved):
    assert moving.relative_overrides([typed], Path("/old/me")) == [moved]
    assert moving.relative_overrides([typed], Path("/")) == [typed]


@pytest.mark.parametrize("text", ["/elsewhere/data", "http://me@host:5000/x", "sqlite:////elsewhere/mlflow.db"])
def test_what_lies_outside_stays_absolute(text, tmp_path):
    assert moving.relative(text, tmp_path / "a" / "run", tmp_path) == text
    assert moving.absolute(text, tmp_path / "a" / "run") == text
