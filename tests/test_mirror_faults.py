"""What happens to a store while a run is mirrored to it: the mirror goes on when it is back, and nothing is lost."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from patience import HANGING_S, wait_until
from tracking_run import begin, end, picture, train

from duograd.runner.commands import sync
from duograd.runner.tracking.database import prepare
from duograd.runner.tracking.follower import LOG, Follower

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
LATER = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3600", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "NO_PROXY": "*"}
SERVER = """
import sys, time
from pathlib import Path
from mlflow import server
from mlflow.server.handlers import initialize_backend_stores
from werkzeug.serving import make_server

database, port, trouble = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
initialize_backend_stores(f"sqlite:///{database}", default_artifact_root=(database.parent / "kept").as_uri())

def troubled(environ, start_response):
    while trouble.read_text() == "it hangs":
        trouble.with_name("hanging").touch()
        time.sleep(0.05)
    if trouble.read_text() == "it answers 500":
        start_response("500 Internal Server Error", [("Content-Length", "0")])
        return [b""]
    return server.app(environ, start_response)

make_server("127.0.0.1", port, troubled, threaded=True).serve_forever()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextmanager
def serving(database: Path, port: int, trouble: Path) -> Iterator[None]:
    """MLflow's server, with whatever trouble the file says."""
    prepare(database)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environ = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen([sys.executable, "-c", SERVER, database, str(port), trouble], env=environ, **quiet)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def ask(database: Path, query: str) -> list[tuple]:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # it is not there yet
        return []


def steps(database: Path) -> list[tuple]:
    """Every row of a metric, by its run."""
    return ask(database, "select run_uuid, step from metrics where key = 'train/loss' order by run_uuid, step")


def said(folder: Path) -> str:
    return (folder / LOG).read_text() if (folder / LOG).exists() else ""


@pytest.mark.slow
def test_a_server_that_refuses_hangs_answers_500_and_comes_back_has_everything(tmp_path, monkeypatch, capsys):
    for name, value in LATER.items():
        monkeypatch.setenv(name, value)
    database, port, trouble = tmp_path / "mlflow.db", free_port(), tmp_path / "trouble"
    folder, other = (begin(tmp_path / name, f"http://127.0.0.1:{port}", name) for name in ("run", "other"))
    follower = Follower.start(folder)
    train(folder, 1, 2)
    wait_until(lambda: "connection refused" in said(folder))
    trouble.write_text("it hangs")
    with serving(database, port, trouble):
        wait_until((tmp_path / "hanging").exists)
        train(folder, 3, 3)
        trouble.write_text("it answers 500")
        wait_until(lambda: "it answers 500" in said(folder))
        assert sync.main([str(other)]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line == f"tracking: {other}: could not reach http://127.0.0.1:{port} (it answers 500)"
        trouble.write_text("all is well")
        wait_until(lambda: len(steps(database)) == 3)  # while it trains
        train(folder, 4, 5)
        picture(folder, 5)
        end(folder)
        assert follower.finish(HANGING_S) is None
        train(other, 1, 5)
        end(other)
        assert sync.main([str(other)]) == 0
    assert [step for _, step in steps(database)] == [1, 2, 3, 4, 5] * 2
    assert ask(database, "select status, count(*) from runs group by status") == [("FINISHED", 2)]
    assert len(said(folder).splitlines()) == 2
    assert list((tmp_path / "kept").rglob("hidden_weights+step+5+*.png"))


@pytest.mark.parametrize(
    "fault",
    ["deleted", pytest.param("damaged", marks=pytest.mark.slow), pytest.param("replaced", marks=pytest.mark.slow)],
)
def test_what_happens_to_a_database_while_it_is_written_is_said_and_sync_makes_it_good(fault, tmp_path):
    """MLflow itself would go on into a file that nobody can see any more, and call that well."""
    database = tmp_path / "mlflow.db"
    folder = begin(tmp_path / "run", f"sqlite:///{database}", "id")
    follower = Follower.start(folder)
    train(folder, 1, 3)
    wait_until(lambda: len(steps(database)) == 3)
    if fault == "damaged":
        size = database.stat().st_size
        for file in (database, database.with_name("mlflow.db-wal")):
            with file.open("r+b") as damaged:
                damaged.write(b"\xa5" * size)
    else:
        for file in tmp_path.glob("mlflow.db*"):
            file.unlink()
    if fault == "replaced":
        prepare(database)
    train(folder, 4, 5)
    end(folder)
    line = follower.finish(HANGING_S)
    assert line is not None
    assert line.startswith("tracking: ")
    assert line.endswith(f"later: duograd sync {folder}")
    if fault == "damaged":
        for file in tmp_path.glob("mlflow.db*"):
            file.unlink()
    done = subprocess.run([sys.executable, "-m", "duograd", "sync", str(folder)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [step for _, step in steps(database)] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_database_that_is_locked_for_long_has_everything_in_the_end(tmp_path):
    """MLflow waits 20 s for a lock, and the mirror for as long as training goes on."""
    database = tmp_path / "mlflow.db"
    prepare(database)
    folder = begin(tmp_path / "run", f"sqlite:///{database}", "id")
    train(folder, 1, 3)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        follower = Follower.start(folder)
        wait_until(lambda: "mlflow.db is locked by another program" in said(folder))
        connection.execute("rollback")
    train(folder, 4, 5)
    end(folder)
    assert follower.finish(HANGING_S) is None
    assert [step for _, step in steps(database)] == [1, 2, 3, 4, 5]
