"""One run folder attached to one MLflow run: metrics and pictures as they come, and how it ended."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from duograd.runner.store.lines import Epoch, epochs, finite
from duograd.runner.tracking.description import safe_name
from duograd.runner.tracking.mlflow_api import Metric
from duograd.runner.tracking.pictures import Picture, log_pictures, logged_pictures
from duograd.runner.tracking.reader import Reader, modified
from duograd.runner.tracking.remote import METRICS_PER_CALL, RemoteRun

ENDING = ("final_", "best_", "final/", "best/")  # metrics of the end, at step 0; of earlier versions with slashes
ENDING_TAGS = ("diverged", "stopped_by", "error")
ERROR_LENGTH = 500


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
    """Carries what is new in a run folder to its MLflow run.

    What the store has, it is asked for once: its latest values carry the largest step of each metric. What a resumed
    run adds came after `since`, Unix s.
    """

    def __init__(self, remote: RemoteRun, reader: Reader, since: float) -> None:
        self.remote, self._reader = remote, reader
        logged = [m for m in remote.run.to_proto().data.metrics if not m.key.startswith(ENDING)]
        newest = max(logged, key=lambda metric: metric.step, default=None)
        self._epoch = int(newest.step) if newest else -1
        self._time = max(newest.timestamp / 1000, since) if newest else reader.started()
        self._final = dict(remote.run.data.metrics)
        self._frames = logged_pictures(remote)
        self._experiment = remote.client.get_experiment(remote.run.info.experiment_id).name

    def update(self, alive: bool) -> Mirrored:
        """Log what is new; `alive=False`: a folder without summary.json is a killed run."""
        summary = self._reader.summary()  # before the metrics: it is written after the last of them
        self._log_metrics()
        self._log_frames()
        if summary:
            self._end(summary)
        elif alive:
            self._go_on()
        else:
            self._kill()
        cursor = self.remote.cursor
        cursor.epoch, cursor.images = max(self._epoch, 0), len(self._frames)
        self.remote.remember()
        name, status = str(self._reader.identity["name"]), self.remote.status
        return Mirrored(self._experiment, name, self.remote.id, status, cursor.epoch, cursor.images)

    def _log_metrics(self) -> None:
        rows = [row for row in epochs(self._reader.metrics.new()) if row[0] > self._epoch]
        times = _spread(self._time, self._reader.last_sign(), len(rows))
        for metrics, epoch, time in _batches(rows, times):
            self.remote.log(metrics)
            self._epoch, self._time = epoch, time

    def _log_frames(self) -> None:
        files = self._reader.folder.frame_files().items()
        frames = (Picture(safe_name(name), step, path) for (name, step), path in files)
        self._frames |= log_pictures(self.remote, (f for f in frames if (f.key, f.step) not in self._frames))

    def _end(self, summary: dict[str, Any]) -> None:
        """Final values, tags, files, and the status last: a run that MLflow calls ended is mirrored whole."""
        content = hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:16]
        new, time = self.remote.cursor.ended != content, modified(self._reader.folder.summary)
        self._log_final(summary, int(time * 1000))  # of a known ending too: names of earlier versions
        if new:
            self._tag_ending(summary)
        self.remote.upload(self._reader.artifacts())
        if new or self.remote.status != summary["status"]:
            self.remote.end(summary["status"], time)
        self.remote.cursor.ended = content

    def _kill(self) -> None:
        self.remote.upload(self._reader.artifacts())
        if self.remote.status != "KILLED":
            self.remote.end("KILLED", self._reader.last_sign())

    def _go_on(self) -> None:
        """Also for a run that had ended and was resumed."""
        self.remote.cursor.ended = ""
        if self.remote.status != "RUNNING":
            self._tag_ending({})
            self.remote.go_on()

    def _log_final(self, summary: dict[str, Any], time: int) -> None:
        """`final_test_loss`, `best_val_loss`, at step 0: MLflow draws those as bars. Only what is new."""
        values = {name: value for name, value in final_values(summary).items() if self._final.get(name) != value}
        self.remote.log([Metric(name, value, time, 0) for name, value in values.items()])
        self._final |= values

    def _tag_ending(self, summary: dict[str, Any]) -> None:
        """The tags of this ending; those of an earlier one go."""
        texts = {name: " ".join(str(summary.get(name) or "").split())[:ERROR_LENGTH] for name in ENDING_TAGS}
        for name, text in texts.items():
            self.remote.tag(name, text.lower() if name == "diverged" and text else text or None)


def _spread(since: float, until: float, count: int) -> list[float]:
    """`count` points of time up to `until`, Unix seconds: epochs are taken to be equally long."""
    step = max(until - since, 0.0) / max(count, 1)
    return [since + step * (i + 1) for i in range(count)]


def _batches(rows: list[Epoch], times: list[float]) -> Iterator[tuple[list[Metric], int, float]]:
    """Whole epochs, as many as one call takes: what a call logged, its last epoch tells. -> metrics, epoch, time."""
    batch: list[Metric] = []
    epoch, time = 0, 0.0
    for (next_epoch, values), next_time in zip(rows, times, strict=True):
        if batch and len(batch) + len(values) > METRICS_PER_CALL:
            yield batch, epoch, time
            batch = []
        epoch, time = next_epoch, next_time
        batch += [Metric(safe_name(name), value, int(time * 1000), epoch) for name, value in values.items()]
    if batch:
        yield batch, epoch, time


def final_values(summary: Mapping[str, Any]) -> dict[str, float]:
    """What a run, or a job of a sweep, came to: `final_test_accuracy`, `best_val_loss`.

    MLflow sorts the charts of its pages by what stands before a slash, and puts names without one last.
    """
    best = summary.get("best") or {}
    values = {f"final_{name}": value for name, value in (summary.get("metrics") or {}).items()}
    if best.get("value") is not None:
        values[f"best_{best['metric']}"] = best["value"]
    return {safe_name(name).replace("/", "_"): value for name, value in finite(values).items()}
