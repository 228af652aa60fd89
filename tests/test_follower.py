"""The follower: it never costs a run anything, and never stays behind."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from patience import HANGING_S, wait_until
from tracking_run import begin, end, picture, train

from duograd.runner.commands import sync
from duograd.runner.store import locks
from duograd.runner.tracking import address
from duograd.runner.tracking.follower import LOG, Follower

TRAINER = """
import sys, time
from pathlib import Path
from duograd.runner.tracking.follower import Follower
follower = Follower.start(Path(sys.argv[1]))
assert "mlflow" not in sys.modules
print("training", flush=True)
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for the module: a new one costs seconds."""
    return tmp_path_factory.mktemp("here") / "outputs"


def run(outputs: Path, name: str, uri: str | None = None) -> Path:
    return begin(outputs / name, uri or address.default_uri(outputs.parent), name)


def status(outputs: Path, name: str) -> str | None:
    """The status of the run that has the folder's id; None if MLflow knows no such run."""
    query = "select status from runs join tags using (run_uuid) where tags.key = 'duograd.id' and tags.value = ?"
    try:
        with closing(sqlite3.connect(f"file:{outputs / 'mlflow.db'}?mode=ro", uri=True)) as connection:
            row = connection.execute(query, (name,)).fetchone()
    except sqlite3.OperationalError:
        return None
    return row and row[0]


def autogroup(pid: int) -> int:
    """The niceness of a session as a whole; 5 where Linux does not weigh them."""
    path = Path(f"/proc/{pid}/autogroup")
    return int(path.read_text().split()[-1]) if path.exists() else 5


def test_a_run_is_followed_to_its_end(outputs):
    folder = run(outputs, "followed")
    follower = Follower.start(folder)
    assert os.getpgid(follower._process.pid) != os.getpgid(0)  # Ctrl-C is not for it
    train(folder, 1, 3)
    wait_until(lambda: status(outputs, "followed") == "RUNNING")
    assert autogroup(follower._process.pid) == 5  # training comes first
    train(folder, 4, 5)
    picture(folder, 5)
    end(folder)
    assert follower.finish(HANGING_S) is None
    assert status(outputs, "followed") == "FINISHED"
    assert not (folder / LOG).exists()


def test_the_run_of_a_killed_trainer_is_killed(outputs):
    folder = run(outputs, "killed")
    train(folder, 1, 3)
    trainer = subprocess.Popen([sys.executable, "-c", TRAINER, str(folder)], stdout=subprocess.PIPE)
    with trainer:
        assert trainer.stdout.readline() == b"training\n"
        wait_until(lambda: status(outputs, "killed") == "RUNNING")
        trainer.send_signal(signal.SIGKILL)
    wait_until(lambda: status(outputs, "killed") == "KILLED")
    wait_until(lambda: not locks.is_held(folder / locks.MIRROR))  # and the follower is gone


def test_a_dead_server_costs_one_line(outputs):
    folder = run(outputs, "unheard", "http://127.0.0.1:9")
    follower = Follower.start(folder)
    end(folder)
    assert follower.finish(HANGING_S) == (
        f"tracking: could not reach http://127.0.0.1:9 (connection refused); the run is safe in {folder} - "
        f"later: duograd sync {folder}"
    )
    assert (folder / LOG).exists()


def test_a_silent_server_cannot_hold_the_run_nor_the_follower(outputs):
    """It goes on in the background, steps forward for it, and says there what went wrong. It is stopped meanwhile: on a
    busy machine it might else be done before anybody looks."""
    impatient = {**os.environ, "MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection, never answers
        folder = run(outputs, "silence", f"http://127.0.0.1:{server.getsockname()[1]}")
        follower = Follower.start(folder, impatient)
        wait_until(lambda: autogroup(follower._process.pid) == 5)
        end(folder)
        follower._process.send_signal(signal.SIGSTOP)
        assert follower.finish(0.5) == (
            f"MLflow is brought up to date in the background; to wait for it: duograd sync {folder}"
        )
        follower._process.send_signal(signal.SIGCONT)
        if Path("/proc/self/autogroup").exists():
            wait_until(lambda: follower._process.poll() is not None or autogroup(follower._process.pid) == 0)
        assert follower._process.wait(HANGING_S) == 1
    assert (folder / LOG).read_text().startswith("could not reach http://127.0.0.1:")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
def test_what_ctrl_c_skips_goes_on_and_sync_finds_it_done(outputs, monkeypatch, capsys):
    folder = run(outputs, "skipped")
    follower = Follower.start(folder)
    train(folder, 1, 5)
    wait_until(lambda: locks.is_held(folder / locks.MIRROR))
    end(folder)

    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(follower._process, "communicate", interrupted)
    assert "in the background; to wait for it: duograd sync" in follower.finish(HANGING_S)
    assert sync.main([str(folder)]) == 0
    assert follower._process.wait(HANGING_S) == 0
    said = capsys.readouterr().out
    assert "5 epochs, 0 images -> experiment autoencoder" in said
    assert status(outputs, "skipped") == "FINISHED"


def test_a_follower_that_cannot_start_costs_one_line(outputs, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    line = Follower.start(run(outputs, "alone")).finish(1)
    assert line.startswith("tracking: could not start the mirror (No such file or directory); the run is safe in")


def test_a_run_that_never_began_has_nothing_to_mirror(tmp_path):
    follower = Follower.start(tmp_path)
    assert follower.finish(HANGING_S) is None
    assert not (tmp_path / LOG).exists()
