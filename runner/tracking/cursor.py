"""The mirror's memory: `mlflow.json` in the run folder, one entry per tracking address.

It saves time and says where a run went. It is not trusted for what was logged: that, the store itself is asked.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duograd.runner.store import files, schema
from duograd.runner.tracking.address import bare

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
            return schema.build(folder / FILE, _read(folder).get(bare(uri), {}), cls)
        except files.DamagedError:
            return cls()

    def save(self, folder: Path, uri: str) -> None:
        """Write the cursor if it moved, atomically, beside those for other addresses."""
        known = _read(folder)
        entries = known | {bare(uri): asdict(self)}
        if entries != known:
            files.write_json(folder / FILE, entries)


def _read(folder: Path) -> dict[str, Any]:
    try:
        return files.read_json(folder / FILE)
    except files.DamagedError:
        return {}
