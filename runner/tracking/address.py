"""Tracking addresses: which database or server a run is mirrored to. No mlflow in here."""

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from duograd.runner.errors import UserError
from duograd.runner.store.folders import ARTIFACTS as ARTIFACTS

OUTPUTS = "outputs"
DATABASE = "mlflow.db"
SQLITE = "sqlite:///"
UI_PORT = "ui.port"  # beside a database while `duograd ui` serves it
USUAL_PORT = 5000
SERVERS = ("http://", "https://")


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
        return uri.rstrip("/")
    if uri.startswith(SQLITE):
        return SQLITE + str((directory / uri.removeprefix(SQLITE)).resolve())
    raise UserError(f"unknown tracking.uri '{uri}': use sqlite:///PATH/mlflow.db or http://HOST:PORT")


def database_path(uri: str) -> Path | None:
    """The SQLite file behind an address, None for a server."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


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


def without_password(uri: str) -> str:
    """The address as it may be printed and stored: without user name and password."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.netloc else uri
