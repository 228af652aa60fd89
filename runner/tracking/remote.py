"""One run in MLflow, as far as this process knows it: what is there already is not sent again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from duograd.runner.redaction import redact
from duograd.runner.tracking import TrackingError
from duograd.runner.tracking.address import mlflow_command
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.description import ID_TAG
from duograd.runner.tracking.experiments import experiment_id
from duograd.runner.tracking.mlflow_api import LifecycleStage, Metric, MlflowClient, MlflowException, Run

METRICS_PER_CALL = 1000  # MLflow's limit


class RemoteRun:
    """The run, and the cursor of the folder that is mirrored to it."""

    def __init__(self, client: MlflowClient, uri: str, folder: Path, run: Run, cursor: Cursor) -> None:
        self.client, self.uri, self.folder, self.run, self.cursor = client, uri, folder, run, cursor
        self.id, self.status, self.tags = str(run.info.run_id), str(run.info.status), dict(run.data.tags)
        self.values = dict(run.data.metrics)  # the last of each metric that the caller keeps up to date
        cursor.run_id, cursor.experiment_id = self.id, str(run.info.experiment_id)
        self._forget_lost()
        self.remember()

    def _forget_lost(self) -> None:
        """What the cursor calls uploaded, but the store has not, is new again."""
        folders = {name.rpartition("/")[0] for name in self.cursor.artifacts}
        there = {file.path for folder in folders for file in self.client.list_artifacts(self.id, folder or None)}
        self.cursor.artifacts = {name: v for name, v in self.cursor.artifacts.items() if name in there}

    def remember(self) -> None:
        """Writes the cursor."""
        self.cursor.save(self.folder, self.uri)

    def log(self, metrics: Sequence[Metric]) -> None:
        for start in range(0, len(metrics), METRICS_PER_CALL):
            self.client.log_batch(self.id, metrics=metrics[start : start + METRICS_PER_CALL], synchronous=True)

    def tag(self, name: str, value: str | None) -> None:
        """Sets a tag; None removes it."""
        if value is None and name in self.tags:
            self.client.delete_tag(self.id, name)
            del self.tags[name]
        elif value is not None and self.tags.get(name) != value:
            self.client.set_tag(self.id, name, value, synchronous=True)
            self.tags[name] = value

    def go_on(self) -> None:
        """RUNNING, also after an end."""
        if self.status != "RUNNING":
            self.client.update_run(self.id, status="RUNNING")
            self.status = "RUNNING"

    def end(self, status: str, time: float) -> None:
        """time: Unix s."""
        self.client.set_terminated(self.id, status, end_time=int(time * 1000))
        self.status = status

    def upload(self, paths: Mapping[str, Path]) -> None:
        """The files, by their names relative to the folder, that changed since the last time."""
        for name, path in paths.items():
            state = path.stat()
            version = f"{state.st_size}:{state.st_mtime_ns}"
            if self.cursor.artifacts.get(name) != version:
                with _redacted(path) as copy:
                    self.client.log_artifact(self.id, str(copy), name.rpartition("/")[0] or None)
                self.cursor.artifacts[name] = version


@contextmanager
def _redacted(path: Path) -> Iterator[Path]:
    """The file as others may see it: what a run goes on from has the user's own paths."""
    text = path.read_text(errors="replace") if path.suffix in (".yaml", ".json") else ""
    if redact(text) == text:
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(redact(text))
        yield copy


def open_run(
    client: MlflowClient, uri: str, folder: Path, experiment: str, tags: Mapping[str, str], started: float
) -> RemoteRun:
    """The run that a folder is mirrored to, by its cursor or by its id among the tags; else a new one.

    started: Unix s. Raises TrackingError where it was deleted.
    """
    cursor = Cursor.load(folder, uri)
    run = _by_id(client, uri, cursor.run_id) if cursor.run_id else None
    if run is None:
        where = experiment_id(client, uri, experiment)
        run = _by_tag(client, where, tags[ID_TAG])
        if run is None:  # nor is anything that the cursor remembers in this database
            cursor.ended, cursor.artifacts = "", {}
            run = client.create_run(where, int(started * 1000), dict(tags), tags["mlflow.runName"])
    return RemoteRun(client, uri, folder, run, cursor)


def _by_id(client: MlflowClient, uri: str, run_id: str) -> Run | None:
    """The run, None where there is none such. TrackingError where it was deleted."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    if run.info.lifecycle_stage == LifecycleStage.DELETED:
        command = mlflow_command(uri, f"runs restore --run-id {run_id}")
        raise TrackingError(
            f"run {run_id} was deleted in MLflow: restore it ({command}), "
            "or remove mlflow.json from the folder to log it anew"
        )
    return run


def _by_tag(client: MlflowClient, experiment: str, identity: str) -> Run | None:
    """The run that was created for a folder's id."""
    quote = '"' if "'" in identity else "'"
    runs = client.search_runs([experiment], f"tags.`{ID_TAG}` = {quote}{identity}{quote}", max_results=1)
    return client.get_run(runs[0].info.run_id) if runs else None
