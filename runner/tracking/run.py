"""One run folder attached to one MLflow run: metrics and pictures as they come, and how it ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from duograd.runner.store.lines import Epoch, finite
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.description import safe_name
from duograd.runner.tracking.mlflow_api import Metric, MlflowClient
from duograd.runner.tracking.reader import Frame, Reader, digest, modified, version

METRICS_PER_CALL = 1000  # MLflow's limit
THUMBNAIL = 256  # pixels, the longer side of what MLflow makes of a picture
ENDING_TAGS = ("diverged", "stopped_by", "error")
ERROR_LENGTH = 500


@dataclass
class Seen:
    """What the store has of a run."""

    experiment: str  # its name
    epoch: int  # the last one logged, -1 before the first
    time: float  # of that epoch's metrics, Unix seconds; the next ones came later
    frames: set[Frame]
    status: str
    tags: dict[str, str]
    metrics: dict[str, float]


@dataclass(frozen=True)
class Mirrored:
    """What an update leaves in MLflow, for the line that is printed."""

    experiment: str
    run: str
    run_id: str
    status: str
    epochs: int
    images: int


class RunMirror:
    """Carries what is new in a run folder to its MLflow run."""

    def __init__(self, client: MlflowClient, uri: str, reader: Reader, cursor: Cursor, seen: Seen) -> None:
        self.uri = uri
        self._client = client
        self._reader = reader
        self._cursor = cursor
        self._seen = seen
        self._run_id = cursor.run_id

    def update(self, alive: bool) -> Mirrored:
        """Log what is new; `alive=False`: a folder without summary.json is a killed run."""
        summary = self._reader.summary()  # before the metrics: it is written after the last of them
        self._log_metrics()
        self._log_frames()
        if summary:
            self._end(summary)
        elif alive:
            self._set_running()
        else:
            self._kill()
        mirrored = self._mirrored()
        self._cursor.epoch, self._cursor.images = mirrored.epochs, mirrored.images
        self._cursor.save(self._reader.path, self.uri)
        return mirrored

    def _log_metrics(self) -> None:
        lines = [line for line in self._reader.new_lines() if line[0] > self._seen.epoch]
        times = _spread(self._seen.time, self._reader.last_sign(), len(lines))
        for metrics, epoch, time in _batches(lines, times):
            self._client.log_batch(self._run_id, metrics=metrics, synchronous=True)
            self._seen.epoch, self._seen.time = epoch, time

    def _log_frames(self) -> None:
        for (name, step), path in self._reader.frames().items():
            key = safe_name(name)
            if (key, step) not in self._seen.frames and (image := _open(path)):
                time_ms = int(modified(path) * 1000)
                self._client.log_image(self._run_id, image, key=key, step=step, timestamp=time_ms, synchronous=True)
                self._seen.frames.add((key, step))

    def _end(self, summary: dict[str, Any]) -> None:
        """Final values, tags, files, and the status last: a run that MLflow calls ended is mirrored whole."""
        ending = digest(summary)
        if self._cursor.ended != ending:
            self._log_final(summary)
            self._set_tags(_ending_tags(summary))
        self._upload()
        if self._cursor.ended != ending or self._seen.status != summary["status"]:
            self._terminate(summary["status"], modified(self._reader.files.summary))
        self._cursor.ended = ending

    def _kill(self) -> None:
        self._upload()
        if self._seen.status != "KILLED":
            self._terminate("KILLED", self._reader.last_sign())

    def _set_running(self) -> None:
        """Also for a run that had ended and was resumed."""
        self._cursor.ended = ""
        if self._seen.status != "RUNNING":
            self._set_tags({})
            self._client.update_run(self._run_id, status="RUNNING")
            self._seen.status = "RUNNING"

    def _terminate(self, status: str, time: float) -> None:
        self._client.set_terminated(self._run_id, status, end_time=int(time * 1000))
        self._seen.status = status

    def _log_final(self, summary: dict[str, Any]) -> None:
        """`final/NAME` and `best/METRIC`, at step 0: MLflow draws those as bars. What the store has is left alone."""
        time_ms = int(modified(self._reader.files.summary) * 1000)
        values = {name: v for name, v in _final_values(summary).items() if self._seen.metrics.get(name) != v}
        points = [Metric(name, value, time_ms, 0) for name, value in values.items()]
        for start in range(0, len(points), METRICS_PER_CALL):
            self._client.log_batch(self._run_id, metrics=points[start : start + METRICS_PER_CALL], synchronous=True)
        self._seen.metrics |= values

    def _set_tags(self, ending: dict[str, str]) -> None:
        """Bring the tags of an ending up to date; those of an earlier ending go."""
        for name in ENDING_TAGS:
            value, known = ending.get(name), self._seen.tags.pop(name, None)
            if value is None and known is not None:
                self._client.delete_tag(self._run_id, name)
            elif value is not None and value != known:
                self._client.set_tag(self._run_id, name, value, synchronous=True)
        self._seen.tags |= ending

    def _upload(self) -> None:
        """Upload the files that changed since the last time."""
        for name, path in self._reader.artifacts().items():
            state = version(path)
            if self._cursor.artifacts.get(name) != state:
                self._client.log_artifact(self._run_id, str(path), name.rpartition("/")[0] or None)
                self._cursor.artifacts[name] = state

    def _mirrored(self) -> Mirrored:
        return Mirrored(
            experiment=self._seen.experiment,
            run=self._reader.identity["name"],
            run_id=self._run_id,
            status=self._seen.status,
            epochs=max(self._seen.epoch, 0),
            images=len(self._seen.frames),
        )


def _spread(since: float, until: float, count: int) -> list[float]:
    """`count` points of time up to `until`, Unix seconds: epochs are taken to be equally long."""
    step = max(until - since, 0.0) / max(count, 1)
    return [since + step * (i + 1) for i in range(count)]


def _batches(lines: list[Epoch], times: list[float]) -> Iterator[tuple[list[Metric], int, float]]:
    """Whole epochs, as many as one call takes: what a call logged, its last epoch tells. -> metrics, epoch, time."""
    batch: list[Metric] = []
    epoch, time = 0, 0.0
    for (next_epoch, values), next_time in zip(lines, times, strict=True):
        if batch and len(batch) + len(values) > METRICS_PER_CALL:
            yield batch, epoch, time
            batch = []
        epoch, time = next_epoch, next_time
        batch += [Metric(safe_name(name), value, int(time * 1000), epoch) for name, value in values.items()]
    if batch:
        yield batch, epoch, time


def _open(path: Path) -> Image.Image | None:
    """The picture, None while it is half written, or where its thumbnail would have no height."""
    try:
        with Image.open(path) as image:
            return image.copy() if max(image.size) <= THUMBNAIL * min(image.size) else None
    except (OSError, SyntaxError):  # Pillow's words for a torn file
        return None


def _final_values(summary: dict[str, Any]) -> dict[str, float]:
    best = summary.get("best") or {}
    found = {f"final/{name}": value for name, value in (summary.get("metrics") or {}).items()}
    if best.get("value") is not None:
        found[f"best/{best['metric']}"] = best["value"]
    return {safe_name(name): value for name, value in finite(found).items()}


def _ending_tags(summary: dict[str, Any]) -> dict[str, str]:
    error = " ".join(str(summary.get("error") or "").split())[:ERROR_LENGTH]
    found = {
        "diverged": "true" if summary.get("diverged") else "",
        "stopped_by": str(summary.get("stopped_by") or ""),
        "error": error,
    }
    return {name: value for name, value in found.items() if value}
