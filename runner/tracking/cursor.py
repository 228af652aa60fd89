"""The mirror's memory: `mlflow.json` in the run folder, one entry per tracking address.

It saves time and says where a run went. It is not trusted for what was logged: that, the store itself is asked.
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duograd.runner.store import files, schema
from duograd.runner.tracking.address import SQLITE, bare, database_path

FILE = "mlflow.json"


@dataclass
class Cursor:
    """How far one run folder is mirrored to one address."""

    run_id: str = ""
    experiment_id: str = ""
    epoch: int = 0  # the last epoch whose metrics were logged
    images: int = 0
    ended: str = ""  # digest of the summary.json that is mirrored whole
    artifacts: dict[str, str] = field(default_factory=dict)  # by name, `folder.version` of what was uploaded

    @classmethod
    def load(cls, folder: Path, uri: str) -> Self:
        """The folder's cursor for `uri`: a fresh one if the file is missing, unreadable or of another version."""
        try:
            return schema.build(folder / FILE, _entry(folder, uri), cls)
        except files.DamagedError:
            return cls()

    def save(self, folder: Path, uri: str) -> None:
        """Write the cursor if it moved, atomically, beside those for other addresses."""
        known = _read(folder)
        entries = known | {_key(folder, uri): asdict(self)}
        if entries != known:
            files.write_json(folder / FILE, entries)


def _key(folder: Path, uri: str) -> str:
    """The address as it stands in the file: a database relative to the folder, with which it moves."""
    path = database_path(uri)
    return bare(uri) if path is None else SQLITE + os.path.relpath(path, folder.resolve())


def _entry(folder: Path, uri: str) -> Any:
    """What is known for an address; earlier versions wrote it absolute."""
    entries = _read(folder)
    return entries.get(_key(folder, uri)) or entries.get(bare(uri)) or {}


def _read(folder: Path) -> dict[str, Any]:
    try:
        return files.read_json(folder / FILE)
    except files.DamagedError:
        return {}
