"""Where runs are mirrored to: addresses, new databases, foreign ones, dead servers."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tracking_run import begin

from duograd.runner.errors import UserError
from duograd.runner.tracking import TrackingError, UnreachableError, address

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy


@pytest.fixture
def update():
    """An update by a mirror that remembers nothing."""
    from duograd.runner.tracking.mirror import Mirror

    return lambda folder: Mirror().update(folder)


def test_a_dead_server_is_named(tmp_path, update):
    folder = begin(tmp_path / "run", "http://127.0.0.1:9", "id")
    with pytest.raises(UnreachableError, match=r"^could not reach http://127.0.0.1:9 \(connection refused\)$"):
        update(folder)


def test_databases_of_another_mlflow_are_left_alone(tmp_path, update):
    for revision, remedy in (("451aebb31d03", "mlflow db upgrade sqlite:///"), ("ffffffffffff", "upgrade mlflow")):
        other = tmp_path / revision / "mlflow.db"
        other.parent.mkdir()
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("create table alembic_version (version_num text)")
            connection.execute("insert into alembic_version values (?)", (revision,))
            connection.commit()
        with pytest.raises(TrackingError, match=remedy):
            update(begin(tmp_path / revision / "run", f"sqlite:///{other}", "x"))


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        (None, "sqlite:////here/outputs/mlflow.db"),
        ("sqlite:///my.db", "sqlite:////here/my.db"),
        ("http://host:5000/", "http://host:5000"),
    ],
)
def test_addresses_are_absolute(uri, meant):
    assert address.resolve(uri, Path("/here")) == meant


@pytest.mark.parametrize("name", ["what?", "50%20x", "HW#3", "its ö&=+;"])
def test_a_folder_of_any_name_holds_its_database(name, tmp_path, update):
    """Nothing goes to what a URL's reader would take for its path."""
    root = tmp_path / name
    folder = begin(root / "outputs" / "run", address.default_uri(root), "id")
    assert make_url(address.for_mlflow(address.default_uri(root))).database == str(root / "outputs" / "mlflow.db")
    update(folder)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with closing(sqlite3.connect(root / "outputs" / "mlflow.db")) as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (1,)


def test_addresses_that_mlflow_refuses_are_named():
    with pytest.raises(UserError, match=r"unknown tracking.uri './mlruns'"):
        address.resolve("./mlruns", Path("/here"))


def test_passwords_are_not_shown():
    assert address.bare("https://me:secret@host:5000/x") == "https://host:5000/x"


def test_four_processes_create_a_database_together(tmp_path, update):
    uri = address.default_uri(tmp_path)
    folders = [begin(tmp_path / "outputs" / f"run{i}", uri, f"id{i}") for i in range(4)]
    fork = multiprocessing.get_context("fork")  # mlflow is imported once
    processes = [fork.Process(target=update, args=(folder,)) for folder in folders]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with closing(sqlite3.connect(tmp_path / "outputs" / "mlflow.db")) as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (4,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
