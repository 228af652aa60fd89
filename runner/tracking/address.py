"""Tracking addresses: which database or server a run is mirrored to. No mlflow in here."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from site import getuserbase
from urllib.parse import quote, unquote, urlsplit

from duograd.runner import redaction
from duograd.runner.errors import MASK, UserError
from duograd.runner.store.folders import ARTIFACTS as ARTIFACTS

OUTPUTS = "outputs"
DATABASE = "mlflow.db"
SQLITE = "sqlite:///"
UI_PORT = "ui.port"  # beside a database while `duograd ui` serves it
USUAL_PORT = 5000
SERVERS = ("http://", "https://")
USER, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
CREDENTIALS = (USER, PASSWORD, "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4")


def default_uri(directory: Path) -> str:
    """The database of runs started in `directory`: `sqlite:///…/outputs/mlflow.db`."""
    return SQLITE + str(directory.resolve() / OUTPUTS / DATABASE)


def resolve(uri: str | None, directory: Path) -> str:
    """The address that `tracking.uri` means for runs started in `directory`; relative SQLite paths become absolute.

    Raises UserError for what is neither SQLite nor a server.
    """
    if uri is None:
        return default_uri(directory)
    if uri.startswith(SERVERS):
        return _server(uri)
    if uri.startswith(SQLITE):
        return SQLITE + str((directory / os.path.expanduser(uri.removeprefix(SQLITE))).resolve())  # noqa: PTH111
    raise UserError(f"unknown tracking.uri '{uri}': use sqlite:///PATH/mlflow.db or http://HOST:PORT")


def _server(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        cut = "@" in uri.split("/")[2] and "@" not in parts.netloc  # by a # or ? in a password
        if parts.hostname and (parts.port is None or parts.port) and not cut:
            return uri.rstrip("/")
    except ValueError:
        pass
    raise UserError(f"cannot read tracking.uri '{uri}': http://HOST:PORT; %XX for odd characters of a password")


def database_path(uri: str) -> Path | None:
    """The SQLite file behind an address, None for a server."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def for_mlflow(uri: str) -> str:
    """The address as MLflow is asked: no password, and a database's path as SQLAlchemy's URLs have it (%3F for ?).

    MLflow would make the folder of a sqlite:/// address as it is spelt there; with the driver's name it makes none.
    """
    path = database_path(uri)
    if path is None:
        return bare(uri)
    escaped = quote(str(path))
    return uri if escaped == str(path) else f"sqlite+pysqlite:///{escaped}"


def mlflow_command(uri: str, arguments: str) -> str:
    """A command of MLflow's own, for this store."""
    return f"MLFLOW_TRACKING_URI={for_shell(uri)} mlflow {arguments}"


def for_shell(uri: str) -> str:
    """The address as a word of a shell; the home, which MLflow does not know as ~, is the shell's."""
    text, home = for_mlflow(uri), os.path.expanduser("~")  # noqa: PTH111
    before, inside, after = text.partition(f"{home}/")
    known = home.strip("/") and inside and database_path(uri)
    return f'"{before}$HOME/{after}"' if known and re.fullmatch(r"[\w+:/.%-]*", before + after) else shlex.quote(text)


def ui_address(database: Path) -> str:
    """Where `duograd ui` serves a database: by the port that it noted beside it, else by the usual one."""
    try:
        port = int((database.parent / UI_PORT).read_text())
    except (OSError, ValueError):
        port = USUAL_PORT
    return f"http://127.0.0.1:{port}"


def artifact_location(uri: str, experiment: str) -> str | None:
    """Where an experiment's files go: beside a SQLite database; a server decides for itself (None)."""
    path = database_path(uri)
    if path is None:
        return None
    folder = re.sub(r"[^\w.-]", "_", experiment).lstrip(".") or "_"
    return (path.parent / ARTIFACTS / folder).as_uri()


def bare(uri: str) -> str:
    """The address without user name and password, as MLflow is asked and as it may be printed."""
    return re.sub(r"^([a-z]\w*://)[^/]*@", r"\1", uri)


def environment(uri: str, named_by_user: bool, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which MLflow may log in at an address: of a password that was typed in it, else the user's.

    A server that only a folder names gets none of the user's, unless MLFLOW_TRACKING_URI names it too.
    """
    parts = urlsplit(uri)
    if database_path(uri) is not None:
        return dict(environ)
    if parts.password not in (None, MASK):
        return {**environ, USER: unquote(parts.username or ""), PASSWORD: unquote(str(parts.password))}
    if named_by_user or bare(environ.get("MLFLOW_TRACKING_URI", "")).rstrip("/") == bare(uri):
        return dict(environ)
    kept = {name: value for name, value in environ.items() if name not in (*CREDENTIALS, "NETRC")}
    # Else ~/.mlflow/credentials and the default of ~/.netrc would be sent; what was installed by --user stays.
    home = os.path.expanduser("~")  # noqa: PTH111
    return kept | {"HOME": os.devnull, redaction.HOME: home, "PYTHONUSERBASE": getuserbase()}
