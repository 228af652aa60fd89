"""Runs that anything logged to MLflow: what its client says of them. Nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from duograd.runner.tracking.database import one_line_errors
from duograd.runner.tracking.experiments import reader, runs_of
from duograd.runner.tracking.mlflow_api import MlflowClient, Run

STATUS = {"SCHEDULED": "PENDING"}


@dataclass(frozen=True)
class LoggedRun:
    """parameters: as they were logged, texts; metrics: by name, (step, value), the steps rising."""

    id: str
    experiment: str
    name: str
    status: str
    seconds: float | None
    parameters: dict[str, str]
    metrics: dict[str, Sequence[tuple[int, float]]]


def logged_runs(uri: str, experiment: str) -> list[LoggedRun] | None:
    """The runs of an experiment, the oldest first; None where `uri` (absolute) has no such experiment.

    Raises TrackingError.
    """
    with one_line_errors(uri):
        if (client := reader(uri)) is None or (runs := runs_of(client, experiment)) is None:
            return None
        return [_logged(client, run) for run in runs]


def _logged(client: MlflowClient, run: Run) -> LoggedRun:
    info = run.info
    ended = info.end_time is not None and info.start_time is not None
    return LoggedRun(
        info.run_id,
        info.experiment_id,
        info.run_name or info.run_id,
        STATUS.get(info.status, info.status),
        (info.end_time - info.start_time) / 1000 if ended else None,
        dict(run.data.params),
        {name: _steps(client, info.run_id, name) for name in run.data.metrics},
    )


def _steps(client: MlflowClient, run_id: str, name: str) -> list[tuple[int, float]]:
    """The values by step; of several at one step the last that was logged."""
    history = sorted(client.get_metric_history(run_id, name), key=lambda metric: (metric.step, metric.timestamp))
    return list({metric.step: metric.value for metric in history}.items())
