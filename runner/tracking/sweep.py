"""The mirror of a sweep's folder: a parent run, and a child for each job, brought up to date by one process.

The folder's sweep.json says which jobs there are; what each job reached, its own folder.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.store.folders import SWEEP, RunFolder
from duograd.runner.store.locks import MIRROR, TRAINER, is_held, locked
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.tracking.attach import by_id, by_tag
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.description import ID_TAG, origin, safe_name
from duograd.runner.tracking.errors import TrackingError, UnreachableError
from duograd.runner.tracking.mirror import Mirror
from duograd.runner.tracking.mlflow_api import MlflowClient
from duograd.runner.tracking.reader import modified, version
from duograd.runner.tracking.run import Mirrored
from duograd.runner.tracking.store import connect, experiment_id, told

ARTIFACTS = (SWEEP, "ranking.csv", "answer.md", "answer.html", "figures/*")
OVER = ("FINISHED", "FAILED", "KILLED", "PRUNED")


class SweepMirror:
    """Mirrors one sweep's folder. `since`: when this session of it began, Unix s (see `Mirror`)."""

    def __init__(self, folder: Path, uri: str | None = None, since: float = 0.0) -> None:
        self.folder = folder
        self._uri = uri
        self._runs = Mirror(uri, since)
        self._whole: dict[Path, str] = {}  # the version of the summary of each job that needs no other look
        self._parent: ParentRun | None = None

    def update(self, alive: bool = True) -> list[Mirrored]:
        """Brings the parent and every job that has begun up to date; those of the jobs that had something new.

        alive=False: nobody runs the sweep any more. A job that MLflow refuses does not stop the others: the first
        refusal is raised at the end (TrackingError, one line).
        """
        sweep = SweepRecord.load(self.folder)
        parent = self._attached(sweep)
        found, failures = [], list[TrackingError]()
        for job in sweep.jobs:
            try:
                found += self._job(job, parent.run_id, alive)
            except UnreachableError:
                raise
            except (TrackingError, UserError) as error:
                failures.append(TrackingError(f"{job.name}: {error}"))
        with self._attempted(parent):
            parent.update(sweep, alive)
        if failures:
            raise failures[0]
        return found

    def _attached(self, sweep: SweepRecord) -> "ParentRun":
        uri = self._uri or sweep.uri
        if uri is None:
            raise TrackingError(f"{self.folder} was not tracked (tracking=none): give --uri")
        if self._parent is None:
            with told(uri):
                self._parent = ParentRun(connect(uri), uri, self.folder, sweep)
        return self._parent

    @contextmanager
    def _attempted(self, parent: "ParentRun") -> Iterator[None]:
        """After a failure of any kind the parent is attached anew."""
        self._parent = None
        with told(parent.uri):
            yield
        self._parent = parent

    def _job(self, job: JobRecord, parent: str, alive: bool) -> list[Mirrored]:
        files = RunFolder(self.folder / job.folder)
        if not (files.config.exists() and files.identity.exists()):
            return []  # it has not begun, or never did
        summary = version(files.summary) if files.summary.exists() else ""
        if summary and self._whole.get(files.path) == summary:
            return []
        running = is_held(files.path / TRAINER) or (alive and job.status == "RUNNING")
        try:
            with locked(files.path / MIRROR, wait_s=0):
                mirrored = self._runs.update(files.path, parent, alive=running)
        except TimeoutError:
            return []  # it is resumed alone, and mirrors itself
        if summary and not running:
            self._whole[files.path] = summary
        return [mirrored]


class ParentRun:
    """The run that a sweep's children hang under."""

    def __init__(self, client: MlflowClient, uri: str, folder: Path, sweep: SweepRecord) -> None:
        self.uri, self._client, self._folder = uri, client, folder
        self._cursor = Cursor.load(folder, uri)
        experiment = experiment_id(client, uri, sweep.experiment or sweep.task)
        run = by_id(client, self._cursor.run_id) if self._cursor.run_id else None
        run = run or by_tag(client, experiment, sweep.id)
        if run is None:
            self._cursor.artifacts = {}
            tags = {ID_TAG: sweep.id, "mlflow.runName": f"sweep {sweep.name}", **origin()}
            run = client.create_run(experiment, int(sweep.started * 1000), tags, f"sweep {sweep.name}")
        self._status, self._tags = run.info.status, dict(run.data.tags)
        self._cursor.run_id, self._cursor.experiment_id = run.info.run_id, run.info.experiment_id
        self._cursor.save(folder, uri)

    @property
    def run_id(self) -> str:
        return self._cursor.run_id

    def update(self, sweep: SweepRecord, alive: bool) -> None:
        """Tags and status; once the sweep is over, its files."""
        for name, value in _tags(sweep, self._folder).items():
            if self._tags.get(name) != value:
                self._client.set_tag(self.run_id, name, value, synchronous=True)
                self._tags[name] = value
        status = sweep.status if alive or sweep.status != "RUNNING" else "KILLED"
        if status in OVER and not alive:
            self._upload()
        if status == self._status or (status in OVER and alive):
            return
        if status in OVER:
            self._client.set_terminated(self.run_id, status, end_time=int(modified(self._folder / SWEEP) * 1000))
        else:
            self._client.update_run(self.run_id, status=status)
        self._status = status

    def _upload(self) -> None:
        """Files that changed since the last time."""
        for path in (path for pattern in ARTIFACTS for path in sorted(self._folder.glob(pattern))):
            name, state = path.relative_to(self._folder).as_posix(), version(path)
            if self._cursor.artifacts.get(name) != state:
                self._client.log_artifact(self.run_id, str(path), name.rpartition("/")[0] or None)
                self._cursor.artifacts[name] = state
        self._cursor.save(self._folder, self.uri)


def _tags(sweep: SweepRecord, folder: Path) -> dict[str, str]:
    """What the parent's page shows: where the sweep is, how to ask for it again, what it sweeps over, how far it is."""
    over = sum(job.status in OVER for job in sweep.jobs)
    swept = {f"swept.{safe_name(key)}": json.dumps(values) for key, values in sweep.swept.items()}
    return {
        "sweep": str(folder),
        "command": sweep.command,
        "jobs": f"{over} of {len(sweep.jobs)} over",
        "mlflow.note.content": f"```\n{sweep.command}\n```\n\nFolder: {folder}",
        **swept,
    }
