"""Where runs are mirrored to: addresses, new databases, foreign ones, dead servers."""

import json
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from patience import HANGING_S
from sqlalchemy.engine import make_url
from tracking_run import begin, train

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


class Answering(BaseHTTPRequestHandler):
    """A server that answers everything alike."""

    answer: ClassVar = (200, b"")

    def do_GET(self):
        code, content = self.answer
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    "answer",
    [(500, b"oops"), (503, b"<html>\n<p>later</p>\n</html>"), (200, b"<html>a page</html>"), (200, b"[1]"), (302, b"")],
)
def test_a_server_that_answers_nonsense_costs_one_line(answer, tmp_path, update, monkeypatch):
    monkeypatch.setattr(Answering, "answer", answer)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = begin(tmp_path / "run", f"http://127.0.0.1:{server.server_port}", "id")
        with pytest.raises(TrackingError) as caught:
            update(folder)
        server.shutdown()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(100)])
def test_a_damaged_database_is_named_and_left_alone(content, tmp_path, update):
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(
        TrackingError, match=r"mlflow\.db is no MLflow database \(.*\): move it away, or set tracking\.uri$"
    ):
        update(begin(tmp_path / "run", f"sqlite:///{path}", "id"))
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_database_that_was_deleted_is_filled_again(tmp_path):
    path = tmp_path / "mlflow.db"
    folder = begin(tmp_path / "run", f"sqlite:///{path}", "id")
    train(folder, 1, 5)
    for _ in range(2):
        for file in tmp_path.glob("mlflow.db*"):
            file.unlink()
        subprocess.run([sys.executable, "-m", "duograd", "sync", str(folder)], check=True)  # a new process opens anew
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("select max(step) from metrics where key = 'train/loss'").fetchall() == [(5,)]


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
    for folder in folders:
        train(folder, 1, 500)
    fork = multiprocessing.get_context("fork")  # mlflow is imported once
    processes = [fork.Process(target=update, args=(folder,)) for folder in folders]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with closing(sqlite3.connect(tmp_path / "outputs" / "mlflow.db")) as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (4,)
        assert connection.execute("select count(*) from metrics").fetchone() == (4 * 500 * 4,)  # four a line are finite
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


@pytest.mark.slow
def test_four_commands_write_to_one_new_database_and_no_row_is_lost(tmp_path, record_property):
    """As typed in four terminals at once, three times over."""
    names = [f"{turn}/run{i}" for turn in range(3) for i in range(4)]
    for turn in range(3):
        small = ["task=autoencoder", "data.count=60", "data.size=4", "model.hidden_size=5", "epochs=400"]
        command = [
            sys.executable,
            "-m",
            "duograd",
            *small,
            f"tracking.uri=sqlite:///{tmp_path}/{turn}/outputs/mlflow.db",
        ]
        runs = [
            subprocess.Popen(
                [*command, f"seed={i}", f"hydra.run.dir={tmp_path}/{turn}/run{i}"], stdout=subprocess.DEVNULL
            )
            for i in range(4)
        ]
        assert [process.wait(HANGING_S) for process in runs] == [0, 0, 0, 0]
    written, logged = 0, 0
    for name in names:
        rows = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        written += sum(len(row) - 1 for row in rows)  # the epoch is no metric
    for turn in range(3):
        with closing(sqlite3.connect(tmp_path / str(turn) / "outputs" / "mlflow.db")) as connection:
            assert connection.execute("select status, count(*) from runs group by status").fetchall() == [
                ("FINISHED", 4)
            ]
            query = "select count(*) from metrics where key not like 'final_%' and key not like 'best_%'"
            logged += connection.execute(query).fetchone()[0]
    assert logged == written > 0
    record_property(
        "count", f"{logged} of {written} rows of {len(names)} runs, four at once on each of 3 new databases"
    )
