"""Finding a folder's run in MLflow, or creating it, and asking the store how far it got."""

import re

from duograd.runner.tracking import description
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.errors import TrackingError
from duograd.runner.tracking.mlflow_api import LifecycleStage, MlflowClient, MlflowException, Run
from duograd.runner.tracking.reader import Frame, Reader
from duograd.runner.tracking.run import RunMirror, Seen
from duograd.runner.tracking.store import experiment_id

PARAMETERS_PER_CALL = 100  # MLflow's limit
ENDING = ("final/", "best/")
IMAGE = re.compile(r"images/(?P<key>.+)\+step\+(?P<step>\d+)\+timestamp\+.*\+compressed\.webp")


def attach(client: MlflowClient, uri: str, reader: Reader, parent: str | None, since: float) -> RunMirror:
    """The mirror of one run folder, from where the store says it got to.

    What a resumed run adds to that came after `since`, Unix s.
    """
    cursor = Cursor.load(reader.path, uri)
    run = _find(client, uri, reader, cursor) or _create(client, uri, reader, parent)
    cursor.run_id, cursor.experiment_id = run.info.run_id, run.info.experiment_id
    cursor.save(reader.path, uri)
    _describe(client, run, reader, parent)
    return RunMirror(client, uri, reader, cursor, _seen(client, run, reader, since))


def _find(client: MlflowClient, uri: str, reader: Reader, cursor: Cursor) -> Run | None:
    run = by_id(client, cursor.run_id) if cursor.run_id else None
    run = run or by_tag(client, experiment_id(client, uri, _experiment_name(reader)), reader.identity["id"])
    if run is None and cursor.run_id:
        # the database was replaced: nothing in it is known to the cursor
        cursor.ended, cursor.artifacts = "", {}
    return run


def by_id(client: MlflowClient, run_id: str) -> Run | None:
    """The run, None where the store has none such. TrackingError where it was deleted."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    if run.info.lifecycle_stage == LifecycleStage.DELETED:
        raise TrackingError(
            f"run {run_id} was deleted in MLflow: restore it (mlflow runs restore --run-id {run_id}), "
            "or remove mlflow.json from the folder to log it anew"
        )
    return run


def by_tag(client: MlflowClient, experiment: str, identity: str) -> Run | None:
    """The run that was created for a folder's id."""
    query = f"tags.`{description.ID_TAG}` = '{identity}'"
    found = client.search_runs([experiment], query, max_results=1)
    return client.get_run(found[0].info.run_id) if found else None


def _experiment_name(reader: Reader) -> str:
    return str(reader.tracking("experiment") or reader.identity["task"])


def _create(client: MlflowClient, uri: str, reader: Reader, parent: str | None) -> Run:
    experiment = experiment_id(client, uri, _experiment_name(reader))
    tags = description.tags(reader, parent)
    return client.create_run(experiment, int(reader.started() * 1000), tags, reader.identity["name"])


def _describe(client: MlflowClient, run: Run, reader: Reader, parent: str | None) -> None:
    """Log what the run lacks of its parameters, data set and parent."""
    if parent and run.data.tags.get(description.PARENT_TAG) != parent:
        client.set_tag(run.info.run_id, description.PARENT_TAG, parent, synchronous=True)
    if not run.inputs or not run.inputs.dataset_inputs:
        client.log_inputs(run.info.run_id, [description.data_set(reader)])
    _log_parameters(client, run, reader)


def _log_parameters(client: MlflowClient, run: Run, reader: Reader) -> None:
    """MLflow never changes a parameter: what a resume changed (`epochs`) becomes a tag, `resumed.epochs`."""
    known, wanted = run.data.params, description.parameters(reader)
    missing = [parameter for parameter in wanted if parameter.key not in known]
    for start in range(0, len(missing), PARAMETERS_PER_CALL):
        client.log_batch(run.info.run_id, params=missing[start : start + PARAMETERS_PER_CALL], synchronous=True)
    for parameter in wanted:
        name, value = f"resumed.{parameter.key}", parameter.value
        if known.get(parameter.key, value) != value and run.data.tags.get(name) != value:
            client.set_tag(run.info.run_id, name, value, synchronous=True)


def _seen(client: MlflowClient, run: Run, reader: Reader, since: float) -> Seen:
    """What the store has of the run. Its latest values carry the largest step of each metric."""
    latest = [m for m in run.to_proto().data.metrics if not m.key.startswith(ENDING)]
    newest = max(latest, key=lambda metric: metric.step, default=None)
    return Seen(
        experiment=client.get_experiment(run.info.experiment_id).name,
        epoch=int(newest.step) if newest else -1,
        time=max(newest.timestamp / 1000, since) if newest else reader.started(),
        frames=_logged_frames(client, run.info.run_id),
        status=run.info.status,
        tags=dict(run.data.tags),
        metrics=dict(run.data.metrics),
    )


def _logged_frames(client: MlflowClient, run_id: str) -> set[Frame]:
    matches = (IMAGE.fullmatch(file.path) for file in client.list_artifacts(run_id, "images"))
    return {(match["key"].replace("~", "/"), int(match["step"])) for match in matches if match}
