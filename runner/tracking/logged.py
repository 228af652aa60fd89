"""Runs that anything logged to MLflow: what its client says of them. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duograd.runner.store.folders import KILLED, PRUNED
from duograd.runner.tracking.database import one_line_errors
from duograd.runner.tracking.description import ID_TAG, PARENT_TAG, RESUMED_TAG
from duograd.runner.tracking.experiments import reader, runs_of
from duograd.runner.tracking.mlflow_api import MlflowClient, Run
from duograd.runner.tracking.sweep import SWEEP_TAG

STATUS = {"SCHEDULED": "PENDING"}


@dataclass(frozen=True)
class LoggedRun:
    """parameters: as they were logged, texts; metrics: by name, (step, value), the steps rising.

    parent: the id of the run that it hangs under. ours: whether duograd mirrored it, and then sweep: whether it stands
    for a sweep, which holds runs and is none; error: why it did not finish; diverged: whether its loss did.
    """

    id: str
    experiment: str
    name: str
    status: str
    seconds: float | None
    parameters: dict[str, str]
    metrics: dict[str, Sequence[tuple[int, float]]]
    parent: str | None = None
    ours: bool = False
    sweep: bool = False
    error: str | None = None
    diverged: bool = False


def logged_runs(uri: str, experiment: str) -> list[LoggedRun] | None:
    """The runs of an experiment, the oldest first; None where `uri` (absolute) has no such experiment.

    Raises TrackingError.
    """
    with one_line_errors(uri):
        if (client := reader(uri)) is None or (runs := runs_of(client, experiment)) is None:
            return None
        return [_logged(client, run) for run in runs]


def _logged(client: MlflowClient, run: Run) -> LoggedRun:
    info, tags = run.info, run.data.tags
    ours = ID_TAG in tags
    ended = info.end_time is not None and info.start_time is not None
    return LoggedRun(
        info.run_id,
        info.experiment_id,
        info.run_name or info.run_id,
        _status(info.status, tags) if ours else STATUS.get(info.status, info.status),
        (info.end_time - info.start_time) / 1000 if ended else None,
        run.data.params | (_resumed(tags) if ours else {}),
        {name: _steps(client, info.run_id, name) for name in run.data.metrics},
        tags.get(PARENT_TAG),
        ours,
        ours and SWEEP_TAG in tags,
        _error(info.status, tags) if ours else None,
        ours and tags.get("diverged") == "true",
    )


def _status(status: str, tags: Mapping[str, str]) -> str:
    """Of a run of duograd's: MLflow knows no PRUNED."""
    return "PRUNED" if status == "FINISHED" and tags.get("stopped_by") == PRUNED else status


def _error(status: str, tags: Mapping[str, str]) -> str | None:
    """Why it did not finish; a run that was killed outright left no word of its own."""
    return tags.get("error") or (KILLED if status == "KILLED" else None)


def _resumed(tags: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a resume changed, such as epochs, which MLflow keeps as they were at first."""
    return {key.removeprefix(RESUMED_TAG): value for key, value in tags.items() if key.startswith(RESUMED_TAG)}


def _steps(client: MlflowClient, run_id: str, name: str) -> list[tuple[int, float]]:
    """The values by step; of several at one step the last that was logged."""
    history = sorted(client.get_metric_history(run_id, name), key=lambda metric: (metric.step, metric.timestamp))
    return list({metric.step: metric.value for metric in history}.items())
