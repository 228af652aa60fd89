"""Opening the tracking store: the client, its experiments, and its errors in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from duograd.runner.tracking import database
from duograd.runner.tracking.address import artifact_location, database_path, shown
from duograd.runner.tracking.errors import TrackingError, UnreachableError
from duograd.runner.tracking.mlflow_api import LifecycleStage, MlflowClient, MlflowException, SQLAlchemyError


def connect(uri: str) -> MlflowClient:
    """A client for the store at `uri` (absolute, see `address.resolve`); creates a SQLite database that is missing."""
    path = database_path(uri)
    if path is not None:
        database.prepare(path)
    return MlflowClient(tracking_uri=uri)


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The id of the experiment `name`, created if missing. TrackingError if it lies in MLflow's bin."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return _create(client, uri, name)
    if found.lifecycle_stage == LifecycleStage.DELETED:
        raise TrackingError(
            f"experiment '{name}' was deleted in MLflow: restore it (mlflow experiments restore -x "
            f"{found.experiment_id}), or set another tracking.experiment"
        )
    return found.experiment_id


def _create(client: MlflowClient, uri: str, name: str) -> str:
    try:
        return client.create_experiment(name, artifact_location(uri, name))
    except MlflowException:
        found = client.get_experiment_by_name(name)  # another process was first
        if found is None:
            raise
        return found.experiment_id


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Turn whatever the store raises in the block into a TrackingError of one line."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise explain(error, uri) from error


def explain(error: Exception, uri: str) -> TrackingError:
    """The one line that says what failed at `uri`, and the remedy where there is one."""
    text = str(error)
    if database_path(uri) is None and (reason := _network_reason(text)):
        return UnreachableError(f"could not reach {shown(uri)} ({reason})")
    return TrackingError(f"{shown(uri)}: {_first_line(text) or type(error).__name__}")


def _network_reason(text: str) -> str | None:
    """'connection refused' from the several layers in which an HTTP library wraps it, None if it is something else."""
    if "failed with exception" not in text:
        return None
    if "timed out" in text:
        return "timed out"
    errno = re.findall(r"\[Errno -?\d+\] ([^\"')\]]+)", text)
    return errno[-1].strip().lower() if errno else _first_line(text)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]
