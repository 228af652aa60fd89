"""Reading a run folder (see docs/run-folder.md) while another process writes it."""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from omegaconf import OmegaConf

from duograd.runner.errors import UserError
from duograd.runner.folder import RunFolder
from duograd.runner.tracking.errors import TrackingError

Line = tuple[int, dict[str, float]]  # an epoch and its finite metrics
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
    """What a run has left in its folder so far. `new_lines` reads each metric once: a call goes on from the last."""

    def __init__(self, path: Path) -> None:
        if not is_run_folder(path):
            raise UserError(f"{path} is not a run folder: it has no run.json and config.yaml")
        self.path = path
        self.files = RunFolder(path)
        self.identity = self._json(self.files.identity)
        self.config = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(self.files.config)))
        self._offset = 0

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            return self.files.read_json(path)
        except ValueError as error:
            raise TrackingError(f"cannot read {path} ({error}): restore the file, or remove the folder") from error

    def tracking(self, key: str) -> str | None:
        """What the configuration says of `tracking.uri` or `tracking.experiment`."""
        return (self.config.get("tracking") or {}).get(key)

    def summary(self) -> dict[str, Any]:
        """summary.json; {} while the run goes on, or if it was killed."""
        return self._json(self.files.summary)

    def new_lines(self) -> list[Line]:
        """The complete lines of metrics.jsonl since the last call; a torn last line waits for its end."""
        try:
            with self.files.metrics.open("rb") as file:
                return list(self._lines(file))
        except FileNotFoundError:
            return []

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        if file.seek(0, 2) < self._offset:
            self._offset = 0  # a resume cut the file back to its checkpoint: the caller knows what it has
        file.seek(self._offset)
        data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        for text in complete.splitlines():
            yield from _parse(text)

    def frames(self) -> dict[Frame, Path]:
        """The pictures of frames/KEY/STEP.png, in the order of their steps."""
        root = self.files.frames
        found = [path for path in root.rglob("*.png") if path.stem.isdecimal()]
        found.sort(key=lambda path: int(path.stem))
        return {(path.parent.relative_to(root).as_posix(), int(path.stem)): path for path in found}

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


def is_run_folder(path: Path) -> bool:
    """Whether `path` holds what a run writes at its start."""
    files = RunFolder(path)
    return files.identity.is_file() and files.config.is_file()


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


def finite(values: dict[str, Any]) -> dict[str, float]:
    """The numbers that a chart can show: one NaN at its end makes MLflow's chart vanish, inf becomes 1.8e308."""
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def _parse(text: bytes) -> Iterator[Line]:
    try:
        line = json.loads(text)
        epoch = int(line.pop("epoch"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # half a line that a full disk left, with the next one behind it
    yield epoch, finite(line)
