"""What the mirror reads of a run folder (docs/run-folder.md) while another process writes it."""

from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder, is_run_folder
from duograd.runner.store.lines import Tail

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
        self.folder = RunFolder(path)
        self.identity = self.folder.read_identity("id", "name", "task", "data", "command", "started")
        self.config = self.folder.read_config()
        self.metrics = Tail(self.folder.metrics)

    def tracking(self, key: str) -> str | None:
        """What the configuration says of `tracking.uri` or `tracking.experiment`."""
        return (self.config.get("tracking") or {}).get(key)

    def summary(self) -> dict[str, Any]:
        """summary.json; {} while the run goes on, or if it was killed."""
        return self.folder.read_summary()

    def artifacts(self) -> dict[str, Path]:
        """The files to upload that exist, the largest last."""
        return matching(self.folder.path, ARTIFACTS)

    def started(self) -> float:
        """When the run began, in Unix seconds."""
        return float(self.identity["started"])

    def last_sign(self) -> float:
        """When metrics.jsonl was last written, in Unix seconds; before the first epoch, when the run began."""
        path = self.folder.metrics
        return modified(path) if path.exists() else self.started()


def matching(folder: Path, patterns: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder that match, in the order of the patterns, by their names relative to it."""
    paths = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return {path.relative_to(folder).as_posix(): path for path in paths}


def modified(path: Path) -> float:
    """When the file was last written, in Unix seconds."""
    return path.stat().st_mtime
