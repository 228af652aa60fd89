"""A password in an address is seen nowhere, and goes to nobody whom only a folder names."""

import os
import subprocess
import sys
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from builders import tiny
from hypothesis import given
from hypothesis import strategies as st
from patience import HANGING_S
from tracking_run import begin

from duograd.runner import session as runs
from duograd.runner.cli import complain
from duograd.runner.errors import UserError, mask
from duograd.runner.run import resume, run
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import SweepRecord
from duograd.runner.tracking import address
from duograd.runner.tracking.address import CREDENTIALS, PASSWORD, USER, environment

SECRET = "s3cr3t-0f-mine"
URI = f"http://me:{SECRET}@127.0.0.1:9"
TYPED = ["task=autoencoder", f"tracking.uri={URI}"]


class NoFollower:
    """Stands for the mirror; remembers the environment that it would have."""

    environs: ClassVar = []

    @classmethod
    def start(cls, folder, environ):
        cls.environs.append(environ)
        return cls()

    def conclude(self, timeout, console):
        pass


@pytest.fixture
def followers(monkeypatch):
    NoFollower.environs = []
    monkeypatch.setattr(runs, "Follower", NoFollower)
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    return NoFollower.environs


def secret_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_run_writes_and_prints_no_password_but_its_mirror_has_it(tmp_path, followers, capsys, monkeypatch):
    """Nor anything of the environment."""
    monkeypatch.setenv("ANY_TOKEN", SECRET)
    config, folder = tiny("tracking=mlflow", f"tracking.uri={URI}"), RunFolder(tmp_path / "run")
    assert run(config, folder, TYPED) == 0
    assert secret_in(tmp_path) == []
    assert SECRET not in "".join(capsys.readouterr())
    assert folder.read_config()["tracking"]["uri"] == "http://me:***@127.0.0.1:9"
    assert "tracking.uri=http://me:***@127.0.0.1:9" in folder.read_identity()["command"]
    assert (followers[0][USER], followers[0][PASSWORD]) == ("me", SECRET)
    assert USER not in os.environ


def test_a_sweep_writes_no_password(tmp_path):
    record = SweepRecord("id", "s", "t", 0.0, f"duograd -m {TYPED[1]}", ".", TYPED, {}, URI, None)
    record.save(tmp_path)
    assert secret_in(tmp_path) == []
    assert SweepRecord.load(tmp_path).uri == "http://me:***@127.0.0.1:9"


def test_a_resumed_run_gives_an_address_of_its_folder_nothing(tmp_path, followers, monkeypatch):
    config, folder = tiny("tracking=mlflow", "tracking.uri=http://10.0.0.1:5000"), RunFolder(tmp_path / "run")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    assert run(config, folder, []) == 0  # typed: the user means it
    folder.summary.unlink()
    assert resume(config, folder) == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://10.0.0.1:5000/")
    folder.summary.unlink()
    assert resume(config, folder) == 0
    assert [environ.get("MLFLOW_TRACKING_TOKEN") for environ in followers] == [SECRET, None, SECRET]


def test_credentials_are_for_servers_that_the_user_named():
    assert environment("http://10.0.0.1", True, {USER: "me"}) == {USER: "me"}
    assert environment("sqlite:////x/mlflow.db", False, {USER: "me"}) == {USER: "me"}


class Refusing(BaseHTTPRequestHandler):
    """A server that answers nothing but 404, and keeps what it was sent."""

    authorizations: ClassVar = []

    def do_GET(self):
        self.authorizations.append(self.headers["Authorization"])
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("named", [False, True])
def test_sync_gives_an_address_of_a_folder_nothing(named, tmp_path):
    """Neither of the environment nor of the files that MLflow and requests look into."""
    (tmp_path / ".mlflow").mkdir()
    credentials = f"[mlflow]\n{USER.lower()} = me\n{PASSWORD.lower()} = {SECRET}\n"
    (tmp_path / ".mlflow" / "credentials").write_text(credentials)
    (tmp_path / ".netrc").write_text(f"default login me password {SECRET}\n")
    Refusing.authorizations.clear()
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        folder = begin(tmp_path / "run", uri, "id")
        typed = {"MLFLOW_TRACKING_URI": uri} if named else {}
        environ = {**os.environ, **typed, "MLFLOW_TRACKING_TOKEN": SECRET, "HOME": str(tmp_path), "NO_PROXY": "*"}
        command = [sys.executable, "-m", "duograd", "sync", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGING_S, env=environ)
        server.shutdown()
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1
    login = b64encode(f"me:{SECRET}".encode()).decode()
    assert set(Refusing.authorizations) == ({f"Basic {login}"} if named else {None})


def test_what_is_complained_about_shows_no_password(capsys):
    complain(f"unknown tracking.uri '{URI}'")
    assert capsys.readouterr().err == "duograd: unknown tracking.uri 'http://me:***@127.0.0.1:9'\n"


@given(st.from_regex(r"[^\s/@'\"]{1,12}", fullmatch=True))
def test_any_password_is_masked(password):
    assert mask(f"a http://me:{password}@host:5/x b") == "a http://me:***@host:5/x b"
    assert address.bare(f"http://me:{password}@host:5/x") == "http://host:5/x"


@pytest.mark.parametrize(
    "uri", ["http://me:[@host", "http://me:#@host", "http://host:0", "http://host:99999", "http://", "http://host:a"]
)
def test_an_address_that_is_none_is_one_line(uri):
    with pytest.raises(UserError, match=r"^cannot read tracking\.uri '.*': http://HOST:PORT"):
        address.resolve(uri, Path())


@pytest.mark.parametrize("text", ["http://host:5000/a@b", "sqlite:////a:b@c/mlflow.db", "a:b@c", "tcp://1.2.3.4:8786"])
def test_what_is_no_password_stays(text):
    assert mask(text) == text
