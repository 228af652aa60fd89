"""What the mirror reads of a run folder (docs/run-folder.md) while another process writes it."""

import hashlib
import json
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.store import files, lines
from duograd.runner.store.folders import RunFolder, is_run_folder

Frame = tuple[str, int]  # key and step: hidden_weights, 100
ARTIFACTS = (
    "config.yaml",
    "run.json",
    "summary.json",
    "metrics.jsonl",
    "run.log",
    "classification_report.*",
    "figures/*.png",
    "best.safetensors",
    "checkpoint.safetensors",
)


class Reader:
    """What a run has left in its folder so far. Raises UserError where it is none, or damaged."""

    def __init__(self, path: Path) -> None:
        if not is_run_folder(path):
            raise UserError(f"{path} is not a run folder: it has no run.json and config.yaml")
        self.path = path
        self.files = RunFolder(path)
        self.identity = files.read_json(self.files.identity)
        self.config = files.read_yaml(self.files.config)
        self._tail = lines.Tail(self.files.metrics)

    def tracking(self, key: str) -> str | None:
        """What the configuration says of `tracking.uri` or `tracking.experiment`."""
        return (self.config.get("tracking") or {}).get(key)

    def summary(self) -> dict[str, Any]:
        """summary.json; {} while the run goes on, or if it was killed."""
        return files.read_json(self.files.summary)

    def new_lines(self) -> list[lines.Epoch]:
        """The epochs since the last call: one NaN at its end makes MLflow's chart vanish, inf becomes 1.8e308."""
        return lines.epochs(self._tail.new())

    def frames(self) -> dict[Frame, Path]:
        return self.files.frame_files()

    def artifacts(self) -> dict[str, Path]:
        """The files to upload that exist, by their names relative to the folder; the largest last."""
        found = [path for pattern in ARTIFACTS for path in sorted(self.path.glob(pattern))]
        return {path.relative_to(self.path).as_posix(): path for path in found}

    def started(self) -> float:
        """When the run began, in Unix seconds."""
        return float(self.identity["started"])

    def last_sign(self) -> float:
        """When metrics.jsonl was last written, in Unix seconds; before the first epoch, when the run began."""
        path = self.files.metrics
        return modified(path) if path.exists() else self.started()


def modified(path: Path) -> float:
    """When the file was last written, in Unix seconds."""
    return path.stat().st_mtime


def version(path: Path) -> str:
    """Changes when the file is written: its size in bytes and its time in ns."""
    state = path.stat()
    return f"{state.st_size}:{state.st_mtime_ns}"


def digest(content: dict[str, Any]) -> str:
    """Tells one content from another: a run's summary from the one after its resume."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
