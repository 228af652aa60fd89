"""`duograd ui`: a real server, its links, and its end."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from patience import HANGING_S
from tracking_run import begin, end, train

from duograd.runner.commands import ui
from duograd.runner.errors import UserError
from duograd.runner.registry import higher_is_better
from duograd.runner.tracking import address, database, links, server, views

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
DUOGRAD = [sys.executable, "-c", "from duograd.runner.cli import main; main()", "ui"]


@pytest.fixture
def mirrored(tmp_path: Path):
    """A database with one run."""
    from duograd.runner.tracking.mirror import Mirror

    folder = begin(tmp_path / "outputs" / "run", address.default_uri(tmp_path), "id")
    train(folder, 1, 5)
    end(folder)
    return Mirror().update(folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def get(url: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(url, timeout=HANGING_S) as response:
        return response.read()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processes_of(session: int) -> list[int]:
    """The processes that a session still has."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            found += [int(path.name)] if os.getsid(int(path.name)) == session else []
    return found


def test_it_serves_the_runs_and_leaves_nothing_behind(tmp_path, mirrored):
    port = free_port()
    with ExitStack() as stack:
        command = [*DUOGRAD, "--port", str(port)]
        process = stack.enter_context(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)  # or a fault of the test would wait for it
        printed = []
        while not printed or "Ctrl-C" not in printed[-1]:
            printed.append(process.stdout.readline())
            assert printed[-1], "the server did not start"
        url = f"http://127.0.0.1:{port}"
        assert printed[1] == f"experiment autoencoder: {links.experiment_page(url, '1')}\n"
        tag = (
            sqlite3.connect(tmp_path / "outputs" / "mlflow.db").execute("select value from experiment_tags").fetchone()
        )
        assert "metrics.`best_val_loss`" in json.loads(tag[0])["selectedColumns"]
        assert printed[2].endswith(f"{links.run_page(url, '1', mirrored.run_id)}\n")
        assert b"<title>" in get(url)
        assert address.ui_address(tmp_path / "outputs" / "mlflow.db") == url
        assert get(f"{url}/get-artifact?path={quote('figures/loss.png')}&run_uuid={mirrored.run_id}")[:4] == b"\x89PNG"
        with pytest.raises(urllib.error.HTTPError, match="403"):  # a page elsewhere that passes for this one
            get(urllib.request.Request(url, headers={"Host": "10.evil.example"}))
        (child,) = children(process.pid)
        session = os.getsid(child)
        assert session != os.getsid(0)
        assert len(processes_of(session)) > 1  # it has a worker
        process.send_signal(signal.SIGINT)
        assert process.wait(HANGING_S) == 0
        assert not processes_of(session)
        assert address.ui_address(tmp_path / "outputs" / "mlflow.db") == "http://127.0.0.1:5000"


def a_run(metrics, parameters, **tags):
    kinds = {"metrics": metrics, "params": parameters, "tags": tags}
    return {"data": {kind: [{"key": k, "value": v} for k, v in pairs.items()] for kind, pairs in kinds.items()}}


def test_the_table_of_runs_has_what_they_came_to_and_what_differs():
    values = {"train/loss": 1, "best_val_loss": 1, "final_train_loss": 1, "final_test_accuracy": 1, "final_test_kl": 1}
    runs = [a_run(values, {"model.name": name, "optimizer.name": "adam", "seed": "1"}) for name in ("gru", "lstm")]
    runs.append(a_run({"best_val_loss": 1}, {}, **{"swept.optimizer": "[1]", "swept.seed": "[2]"}))
    view = json.loads(views.results_view(runs))
    assert view["selectedColumns"] == [
        "attributes.`Duration`",
        "metrics.`best_val_loss`",
        "metrics.`final_test_accuracy`",
        "metrics.`final_train_loss`",
        "params.`optimizer`",
        "params.`seed`",
        "params.`model.name`",
    ]
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`best_val_loss`", True)
    assert json.loads(view["state"])["selectedColumns"] == view["selectedColumns"]
    assert higher_is_better("best_val_accuracy")


def test_a_taken_port_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "mlflow.db").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"cannot listen on 127.0.0.1:{port} .*: choose another --port"):
            ui.main(["--port", str(port)])


def test_an_older_database_is_not_migrated_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "outputs" / "mlflow.db"
    database.prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update alembic_version set version_num = '451aebb31d03'")
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"was written by another mlflow .*: back it up, then: mlflow db upgrade"):
        ui.main([])
    assert path.read_bytes() == before


def test_who_may_ask():
    assert server.allowed_hosts("127.0.0.1", 5000)[::2] == ["localhost", "127.0.0.1", "[::1]"]
    assert server.allowed_hosts("10.0.0.7", 5000, ["lab"])[-4:] == ["10.0.0.7", "10.0.0.7:5000", "lab", "lab:5000"]
    assert socket.gethostname() in server.allowed_hosts("0.0.0.0", 5000)


def test_without_a_database_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no tracking database .*: train something first"):
        ui.main([])


def test_a_server_needs_no_serving():
    with pytest.raises(UserError, match="is a server already"):
        ui.main(["--uri", "http://host:5000"])
