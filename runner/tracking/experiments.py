"""The run folders of an MLflow experiment: those that its runs were mirrored from, else MLflow's copies of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from duograd.runner.store.folders import is_run_folder, runs_below
from duograd.runner.tracking import description
from duograd.runner.tracking.address import database_path
from duograd.runner.tracking.mlflow_api import MlflowClient, Run
from duograd.runner.tracking.store import told

MOST = 1000  # runs


def experiment_folders(uri: str, name: str) -> list[Path] | None:
    """The folders of an experiment's runs, the oldest first; None where `uri` (absolute) has no such experiment.

    A run is known by its id, which stands in run.json, so that a folder that was moved is found below the database's.
    Raises TrackingError.
    """
    path = database_path(uri)
    if path is not None and not path.exists():
        return None
    with told(uri):
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return None
        runs = client.search_runs([experiment.experiment_id], max_results=MOST, order_by=["attributes.start_time ASC"])
    here = dict(_by_id(path.parent)) if path is not None else {}
    return [folder for run in runs if (folder := here.get(_id(run)) or _copy(run)) is not None]


def _by_id(path: Path) -> Iterator[tuple[str, Path]]:
    for folder in runs_below(path):
        try:
            yield str(json.loads((folder / "run.json").read_text())["id"]), folder
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a damaged folder has no name by which it could be asked for


def _id(run: Run) -> str:
    return str(run.data.tags.get(description.ID_TAG))


def _copy(run: Run) -> Path | None:
    """The copy of a run's folder among MLflow's artifacts, where these are files."""
    address = urlsplit(run.info.artifact_uri)
    path = Path(unquote(address.path))
    return path if address.scheme in ("", "file") and is_run_folder(path) else None
