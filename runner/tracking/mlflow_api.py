"""The one module that imports mlflow: its environment first, then the names we use. Importing it costs 1 to 2 s."""

import os
import warnings
from pathlib import Path

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # a dead server is told in seconds: the defaults retry for minutes, and the run folder loses nothing
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
for _name, _value in SETTINGS.items():
    os.environ.setdefault(_name, _value)  # what the user set stays

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies' deprecations are not ours to print
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, Run
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

MLFLOW_VERSION = mlflow.__version__
MIGRATIONS = Path(mlflow.__path__[0], "store", "db_migrations")  # alembic's folder

__all__ = [
    "MIGRATIONS",
    "MLFLOW_VERSION",
    "Dataset",
    "DatasetInput",
    "InputTag",
    "LifecycleStage",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "Param",
    "Run",
    "SQLAlchemyError",
]
