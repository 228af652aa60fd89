"""MLflow's experiments: where runs go, and the folders that runs came from."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from duograd.runner.store import files
from duograd.runner.store.files import DamagedError
from duograd.runner.store.folders import is_run_folder, runs_below
from duograd.runner.tracking import TrackingError, description
from duograd.runner.tracking.address import artifact_location, database_path, for_mlflow, mlflow_command
from duograd.runner.tracking.database import one_line_errors
from duograd.runner.tracking.mlflow_api import LifecycleStage, MlflowClient, MlflowException, Run

PAGE = 1000  # runs at a time


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The id of the experiment `name`, created if missing. TrackingError if it lies in MLflow's bin."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return _create(client, uri, name)
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise TrackingError(
            f"experiment '{name}' was deleted in MLflow: restore it "
            f"({mlflow_command(uri, f'experiments restore -x {experiment.experiment_id}')}), "
            "or set another tracking.experiment"
        )
    return str(experiment.experiment_id)


def _create(client: MlflowClient, uri: str, name: str) -> str:
    try:
        return str(client.create_experiment(name, artifact_location(uri, name)))
    except MlflowException:
        experiment = client.get_experiment_by_name(name)  # another process was first
        if experiment is None:
            raise
        return str(experiment.experiment_id)


def experiment_folders(uri: str, name: str) -> list[Path] | None:
    """The folders of an experiment's runs, the oldest first; None where `uri` (absolute) has no such experiment.

    A run is known by its id, which stands in run.json, so that a folder that was moved is found below the database's.
    Raises TrackingError.
    """
    with one_line_errors(uri):
        if (client := reader(uri)) is None or (runs := runs_of(client, name)) is None:
            return None
    path = database_path(uri)
    here = dict(_by_id(path.parent)) if path is not None else {}
    return [folder for run in runs if (folder := here.get(_id(run)) or _copy(run)) is not None]


def reader(uri: str) -> MlflowClient | None:
    """A client of what is there; None for a database that is not, which MLflow would create."""
    path = database_path(uri)
    there = path is None or path.exists()
    return MlflowClient(tracking_uri=for_mlflow(uri)) if there else None


def runs_of(client: MlflowClient, name: str) -> list[Run] | None:
    """The runs of the experiment `name`, the oldest first; None where there is none."""
    experiment = client.get_experiment_by_name(name)
    return None if experiment is None else list(_pages(client, experiment.experiment_id))


def _pages(client: MlflowClient, experiment: str) -> Iterator[Run]:
    token = None
    while token != "":
        page = client.search_runs(
            [experiment], "", max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token
        )
        yield from page
        token = page.token or ""


def _by_id(path: Path) -> Iterator[tuple[str, Path]]:
    for folder in runs_below(path):
        try:
            yield str(files.read_json(folder / "run.json")["id"]), folder
        except (DamagedError, KeyError):
            continue  # a damaged folder has no name by which it could be asked for


def _id(run: Run) -> str:
    return str(run.data.tags.get(description.ID_TAG))


def _copy(run: Run) -> Path | None:
    """The copy of a run's folder among MLflow's artifacts, where these are files."""
    address = urlsplit(run.info.artifact_uri)
    path = Path(unquote(address.path))
    return path if address.scheme in ("", "file") and is_run_folder(path) else None
