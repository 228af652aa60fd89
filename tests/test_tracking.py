"""The mirror: everything once, nothing lost, and the truth about how a run ended."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from patience import HANGING_S
from report_builders import sweep_folder
from tracking_run import begin, end, line, picture, train

from duograd.runner.commands import sync
from duograd.runner.errors import UserError
from duograd.runner.store import locks
from duograd.runner.tracking import TrackingError, address

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
LOGGED = ("lr", "train/loss", "train/kl", "val/loss")  # what is finite in tracking_run.line


class Store:
    """One database for the module (a new one costs seconds), looked at with SQL: what MLflow's pages would read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "outputs" / "mlflow.db"
        self.uri = address.default_uri(root)
        self.made = 0

    def run(self, epochs: int = 5) -> Path:
        self.made += 1
        return begin(self.root / "outputs" / f"run{self.made}", self.uri, f"id{self.made}", epochs)

    def ask(self, query: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query, values).fetchall()

    def of(self, folder: Path, query: str) -> dict[str, str]:
        """A query's (key, value) pairs about the folder's run."""
        return dict(self.ask(query, run_id(folder)))

    def steps(self, folder: Path, key: str) -> list[int]:
        rows = self.ask("select step from metrics where run_uuid = ? and key = ? order by step", run_id(folder), key)
        return [step for (step,) in rows]

    def tags(self, folder: Path) -> dict[str, str]:
        return self.of(folder, "select key, value from tags where run_uuid = ?")

    def status(self, folder: Path) -> str:
        return self.ask("select status from runs where run_uuid = ?", run_id(folder))[0][0]

    def files(self, folder: Path) -> list[str]:
        root = self.path.parent / "mlartifacts" / "autoencoder" / run_id(folder) / "artifacts"
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def run_id(folder: Path) -> str:
    (entry,) = json.loads((folder / "mlflow.json").read_text()).values()
    return entry["run_id"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("a place with spaces"))


@pytest.fixture
def update():
    """An update as a new process would do it: nothing remembered but what is in the folder and the database."""
    from duograd.runner.tracking.mirror import Mirror

    return lambda folder, **how: Mirror().update(folder, **how)


def test_a_run_is_described_and_logged_once(store, update):
    folder = store.run()
    train(folder, 1, 5)
    picture(folder, 0)
    picture(folder, 5)
    end(folder)
    for _ in range(2):
        mirrored = update(folder)
    assert (mirrored.experiment, mirrored.status, mirrored.epochs, mirrored.images) == ("autoencoder", "FINISHED", 5, 2)
    assert all(store.steps(folder, key) == [1, 2, 3, 4, 5] for key in LOGGED)
    assert store.steps(folder, "val/odd") == []
    latest = store.of(folder, "select key, value from latest_metrics where run_uuid = ?")
    assert (latest["final_train_loss"], latest["best_val_loss"]) == (0.125, 0.25)
    assert store.ask("select distinct typeof(step) from metrics") == [("integer",)]
    parameters = store.of(folder, "select key, value from params where run_uuid = ?")
    assert (parameters["loss.lambda"], parameters["loss.rho"]) == ("0.0005", "1e-05")
    assert parameters["model.dense"] == "[64, 32]"
    assert not any(key.startswith("tracking") for key in parameters)
    tags = store.tags(folder)
    assert (tags["synthetic"], tags["data"], tags["mlflow.source.git.commit"]) == ("true", "shapes", "a" * 40)
    assert len(store.ask("select 1 from inputs where destination_id = ?", run_id(folder))) == 1


def test_files_arrive_beside_the_database(store, update, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = store.run()
    picture(folder, 3)
    end(folder)
    update(folder)
    files = store.files(folder)
    assert {"config.yaml", "run.json", "summary.json", "run.log", "figures/loss.png"} <= set(files)
    assert sum(name.startswith("images/hidden_weights+step+3+") for name in files) == 2  # and its thumbnail
    assert not any(tmp_path.iterdir())  # no mlruns where the command was started


def test_a_torn_line_waits_for_its_end(store):
    from duograd.runner.tracking.mirror import Mirror

    mirror, folder = Mirror(), store.run()
    train(folder, 1, 2, torn=line(3)[:20])
    assert mirror.update(folder).epochs == 2
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(line(3)[20:])
    assert mirror.update(folder).epochs == 3
    assert store.steps(folder, "train/loss") == [1, 2, 3]


def test_a_crash_between_logging_and_remembering_logs_nothing_twice(store, update):
    folder = store.run()
    train(folder, 1, 3)
    picture(folder, 1)
    update(folder)
    remembered = (folder / "mlflow.json").read_text()
    train(folder, 4, 5)
    picture(folder, 5)
    end(folder)
    update(folder)
    (folder / "mlflow.json").write_text(remembered)  # the state at the crash
    update(folder)
    assert all(store.steps(folder, key) == [1, 2, 3, 4, 5] for key in LOGGED)
    assert store.steps(folder, "final_train_loss") == [0]
    assert sum(name.startswith("images/") for name in store.files(folder)) == 4


@pytest.mark.parametrize("content", [None, "", '{"torn', "[]"])
def test_a_lost_memory_finds_the_run_again(store, update, content):
    folder = store.run()
    train(folder, 1, 3)
    update(folder)
    known = run_id(folder)
    (folder / "mlflow.json").unlink()
    if content is not None:
        (folder / "mlflow.json").write_text(content)
    train(folder, 4, 5)
    update(folder)
    assert run_id(folder) == known
    assert store.steps(folder, "train/loss") == [1, 2, 3, 4, 5]


def test_a_failure_is_told(store, update):
    folder = store.run()
    end(folder, "FAILED", diverged=True, error="the loss became nan\nat step 3", stopped_by=None)
    update(folder)
    tags = store.tags(folder)
    assert (store.status(folder), tags["diverged"]) == ("FAILED", "true")
    assert tags["error"] == "the loss became nan at step 3"
    assert "stopped_by" not in tags


def test_a_killed_run_is_resumed_and_finishes(store, update):
    folder = store.run(epochs=5)
    train(folder, 1, 3)
    update(folder, alive=False)
    assert store.status(folder) == "KILLED"
    (folder / "metrics.jsonl").write_text("")  # the checkpoint was older: epochs 2 and 3 are trained again
    train(folder, 1, 2)
    update(folder)
    assert store.status(folder) == "RUNNING"
    train(folder, 3, 5)
    end(folder, stopped_by="early stopping")
    update(folder)
    assert (store.status(folder), store.tags(folder)["stopped_by"]) == ("FINISHED", "early stopping")
    (folder / "summary.json").unlink()
    (folder / "config.yaml").write_text((folder / "config.yaml").read_text().replace("epochs: 5", "epochs: 6"))
    train(folder, 6, 6)
    update(folder)
    assert (store.status(folder), store.tags(folder).get("stopped_by")) == ("RUNNING", None)
    assert store.tags(folder)["resumed.epochs"] == "6"
    assert store.steps(folder, "train/loss") == [1, 2, 3, 4, 5, 6]


def test_epochs_are_spread_over_the_time_they_took(store, update):
    folder = store.run()
    train(folder, 1, 4)
    update(folder)
    times = [t for (t,) in store.ask("select timestamp from metrics where run_uuid = ? and key = 'lr'", run_id(folder))]
    started = json.loads((folder / "run.json").read_text())["started"]
    assert [round((t / 1000 - started) / 15) for t in sorted(times)] == [1, 2, 3, 4]  # it began 60 s ago


def test_a_child_hangs_under_its_parent(store, update):
    parent, child = store.run(), store.run()
    above = update(parent).run_id
    update(child)
    update(child, parent=above)
    assert store.tags(child)["mlflow.parentRunId"] == above


def test_a_run_deleted_in_mlflow_is_not_logged_in_secret(store, update):
    folder = store.run()
    update(folder)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", (run_id(folder),))
        connection.commit()
    with pytest.raises(TrackingError, match="was deleted in MLflow: restore it") as caught:
        update(folder)
    command = re.search(r"restore it \((.*?)\), ", str(caught.value))[1]
    programs = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(command, shell=True, check=True, capture_output=True, timeout=HANGING_S, env=programs)
    update(folder)


def test_sync_prints_a_line_for_each_run(store, capsys, monkeypatch):
    finished, killed = store.run(), store.run()
    for folder in (finished, killed):
        train(folder, 1, 5)
    end(finished)
    monkeypatch.chdir(store.root)
    assert sync.main([str(finished.relative_to(store.root)), str(killed)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("outputs/run")
    assert "5 epochs, 0 images -> experiment autoencoder, run auto" in lines[0]
    assert lines[1].endswith("(KILLED)")
    assert store.status(killed) == "KILLED"


def test_sync_leaves_a_living_run_running(store, capsys):
    folder = store.run()
    with locks.locked(folder / locks.TRAINER, 0):
        assert sync.main([str(folder)]) == 0
    assert "(RUNNING)" in capsys.readouterr().out


def test_sync_does_not_mirror_what_another_process_mirrors(store, capsys, monkeypatch):
    monkeypatch.setattr(sync, "WAIT_S", 0.1)
    folder = store.run()
    with locks.locked(folder / locks.MIRROR, 0), locks.locked(folder / locks.TRAINER, 0):
        assert sync.main([str(folder)]) == 1
    assert "mirrors itself" in capsys.readouterr().err


def test_sync_names_what_is_no_run(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        sync.main([str(tmp_path / "nowhere")])
    with pytest.raises(UserError, match="not a run folder and holds none"):
        sync.main([str(tmp_path)])


def test_files_that_mlflow_lost_are_brought_again(store, update):
    folder = store.run()
    end(folder)
    update(folder)
    (uri,) = store.ask("select artifact_uri from runs where run_uuid = ?", run_id(folder))[0]
    shutil.rmtree(unquote(urlsplit(uri).path))
    update(folder)
    assert {"summary.json", "figures/loss.png"} <= set(store.files(folder))


def test_a_locked_database_says_so(tmp_path):
    from duograd.runner.tracking.database import connect

    uri = address.default_uri(tmp_path)
    (tmp_path / "outputs").mkdir()
    path = tmp_path / "outputs" / "mlflow.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("create table alembic_version (version_num text)")
        connection.execute("begin exclusive")
        with pytest.raises(TrackingError, match=r"mlflow\.db is locked by another program: close what holds it"):
            connect(uri)


def test_sync_says_where_there_is_nothing_to_do(tmp_path, capsys, store, monkeypatch):
    """A sweep of which no job has begun; and one whose job another process mirrors."""
    from duograd.runner.tracking.sweep import SweepMirror

    uri = f"sqlite:///{store.path}"
    sweep = sweep_folder(tmp_path / "sweep", {"seed": [0]}, job0="PENDING")
    assert sync.main([str(begin(tmp_path / "run", uri, "x"))]) == 0
    assert SweepMirror(sweep, uri).update(alive=False) == []
    (sweep / "seed=0").mkdir()
    shutil.copytree(tmp_path / "run", sweep / "seed=0", dirs_exist_ok=True)
    monkeypatch.chdir(store.root)
    assert sync.main([str(sweep)]) == 0  # whose tracking=none says that it is not mirrored unasked
    with locks.locked(sweep / "seed=0" / locks.MIRROR, 0):
        assert sync.main([str(sweep), "--uri", uri]) == 1
    assert "another process mirrors it" in capsys.readouterr().err


def test_a_parent_shows_the_first_part_of_the_answer(tmp_path):
    from duograd.runner.tracking.sweep import LONGEST_ANSWER, _answer

    assert _answer(tmp_path) == ""
    answer = tmp_path / "answer.md"
    answer.write_text("# gru\n\nBest is adam.\n\n## Ranking\n\n| # | optimizer |\n| 1 | adam |\n\n## Pictures\n")
    assert _answer(tmp_path) == "Best is adam.\n\n| # | optimizer |\n| 1 | adam |"
    answer.write_text(f"# gru\n\nBest is adam.\n\n## Ranking\n\n{'x' * LONGEST_ANSWER}\n\n## Pictures\n")
    assert _answer(tmp_path) == "Best is adam."


def test_an_experiment_has_all_its_runs_page_by_page(store, update, monkeypatch):
    folders = [store.run() for _ in range(5)]
    for folder in folders:
        (folder / "config.yaml").write_text(
            (folder / "config.yaml").read_text().replace("experiment: null", "experiment: many")
        )
        update(folder)
    from duograd.runner.tracking import experiments

    monkeypatch.setattr(experiments, "PAGE", 2)
    found = experiments.experiment_folders(f"sqlite:///{store.path}", "many")
    assert sorted(found) == sorted(folders)
