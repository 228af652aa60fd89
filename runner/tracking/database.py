"""Opening what runs are mirrored to, a SQLite database or a server; and its errors in one line.

A local database is created once and whole, whoever comes first.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from duograd.runner.errors import mask
from duograd.runner.store.locks import locked
from duograd.runner.tracking import TrackingError, UnreachableError
from duograd.runner.tracking.address import ARTIFACTS, SQLITE, bare, database_path, environment, for_mlflow, for_shell
from duograd.runner.tracking.mlflow_api import (
    MIGRATIONS,
    MLFLOW_VERSION,
    MlflowClient,
    MlflowException,
    SQLAlchemyError,
)
from duograd.runner.tracking.rehome import rehome

LOCKED = "database is locked"  # SQLite's words
CREATION_S = 600.0  # a new database takes 1 to 3 s; many processes on a busy machine stand in line


def connect(uri: str, named_by_user: bool = True) -> MlflowClient:
    """A client for the store at `uri` (absolute, see `address.resolve`); creates a SQLite database that is missing.

    A server that the user did not name gets none of his credentials, nor does any after it in this process.
    """
    if not named_by_user:
        withheld = environment(uri, named_by_user, os.environ)
        os.environ.clear()
        os.environ.update(withheld)
    path = database_path(uri)
    if path is not None:
        prepare(path)
    require_same_file(uri)
    return MlflowClient(tracking_uri=for_mlflow(uri))


def require_same_file(uri: str) -> None:
    """TrackingError where another file stands for a database than when this process first connected to it, or none.

    MLflow keeps its connection, and would go on in the file that was deleted, which nobody sees.
    """
    path = database_path(uri)
    if path is not None and _file(path) != _first_file(path):
        raise TrackingError(f"{path} was deleted or replaced while in use: duograd sync fills it from the folders")


@cache
def _first_file(path: Path) -> tuple[int, int] | None:
    return _file(path)


def _file(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


def prepare(path: Path) -> None:
    """Create the MLflow database `path` unless it exists; safe for many processes at once and against a kill.

    MLflow's own migrations crash when two processes run them together, so this happens under a lock, and in another
    file that takes its place when complete. An older database is left as it is: MLflow would migrate it unasked.
    TrackingError if the folder cannot be written, or `path` is no database, or one of another MLflow.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock"), CREATION_S):
            schema = _schema(path)
            if schema is None:
                _create(path)
            elif schema != _newest_schema():
                raise _foreign(path, schema)
            else:
                rehome(path)
    except OSError as error:
        if LOCKED in str(error):
            raise _locked(path) from error
        reason = error.strerror or error
        raise TrackingError(f"cannot open {path} ({reason}): set tracking.uri to another place") from error


def _schema(path: Path) -> str | None:
    """The schema's revision, None for a database that does not exist yet."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            return str(connection.execute("select version_num from alembic_version").fetchone()[0])
    except (sqlite3.DatabaseError, TypeError) as error:  # TypeError: the table is empty
        if LOCKED in str(error):
            raise _locked(path) from error
        raise TrackingError(f"{path} is no MLflow database ({error}): move it away, or set tracking.uri") from error


@cache
def _newest_schema() -> str | None:
    from alembic.script import ScriptDirectory  # 0.3 s; a server needs none of it

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _foreign(path: Path, schema: str) -> TrackingError:
    """What to do about a database of another MLflow: upgrade the older database, or the older MLflow."""
    older = any((MIGRATIONS / "versions").glob(f"{schema}_*.py"))
    upgrade = f"back it up, then: mlflow db upgrade {for_shell(SQLITE + str(path))}"
    remedy = upgrade if older else "upgrade mlflow, or set tracking.uri"
    return TrackingError(f"{path} was written by another mlflow than {MLFLOW_VERSION} (schema {schema}): {remedy}")


def _create(path: Path) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # left by a process that was killed here
    _migrate(draft, path.parent / ARTIFACTS)
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("pragma journal_mode=wal")  # the UI reads while runs write
    draft.replace(path)


def _migrate(path: Path, artifacts: Path) -> None:
    """Let MLflow write its schema. The store is used directly, so that its connections close before the file moves."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store: Any = SqlAlchemyStore(for_mlflow(SQLITE + str(path)), artifacts.as_uri())  # type: ignore[no-untyped-call]
    store.engine.dispose()


@contextmanager
def one_line_errors(uri: str) -> Iterator[None]:
    """Turn whatever the store raises in the block into a TrackingError of one line."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise _explain(error, uri) from error


def _explain(error: Exception, uri: str) -> TrackingError:
    """The one line that says what failed at `uri`, and the remedy where there is one."""
    text, path = str(error), database_path(uri)
    if path is not None and LOCKED in text:
        return _locked(path)
    if path is None and (reason := _network_reason(text)):
        return UnreachableError(f"could not reach {bare(uri)} ({reason})")
    remedy = "" if "401" not in text else "; if it may have your credentials: duograd sync --uri or MLFLOW_TRACKING_URI"
    return TrackingError(mask(f"{bare(uri)}: {_first_line(text) or type(error).__name__}{remedy}"))


def _locked(path: Path) -> TrackingError:
    return TrackingError(f"{path} is locked by another program: close what holds it, then duograd sync")


def _network_reason(text: str) -> str | None:
    """'connection refused' from the several layers in which an HTTP library wraps it, None if it is something else."""
    if "failed with exception" not in text:
        return None
    if "timed out" in text:
        return "timed out"
    if answer := re.search(r"too many (\d+) error", text):
        return f"it answers {answer[1]}"
    errno = re.findall(r"\[Errno -?\d+\] ([^\"')\]]+)", text)
    return errno[-1].strip().lower() if errno else _first_line(text)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]
