"""A database that was moved with its artifacts: MLflow keeps absolute addresses, and would write where it was."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from duograd.runner.tracking.address import ARTIFACTS

COLUMNS = (("experiments", "artifact_location"), ("runs", "artifact_uri"))


def rehome(database: Path) -> None:
    """Puts the addresses of artifacts beside the database, where the artifacts lie; any others stay. Raises OSError."""
    home = database.resolve().parent / ARTIFACTS
    if not home.is_dir():
        return
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            for table, column in COLUMNS:
                for (address,) in connection.execute(f"select distinct {column} from {table}").fetchall():
                    if new := _moved(str(address), home):
                        connection.execute(f"update {table} set {column} = ? where {column} = ?", (new, address))
    except sqlite3.Error as error:
        raise OSError(f"{database}: {error}") from error


def _moved(address: str, home: Path) -> str | None:
    """Where the artifacts of an address are now; None where they are there, or elsewhere by intent."""
    before, kept, inside = address.rpartition(f"/{ARTIFACTS}/")
    old = Path(unquote(urlsplit(before).path)) / ARTIFACTS
    here = (home / inside.partition("/")[0]).is_dir() or not old.exists()
    return f"{home.as_uri()}/{inside}" if kept and old != home and here else None
