"""What MLflow has of a run from its start: tags, parameters and the data set."""

import getpass
import json
import re
from typing import Any

from duograd.runner.redaction import redact
from duograd.runner.store.overrides import dotted
from duograd.runner.tracking.mlflow_api import Dataset, DatasetInput, InputTag, Param
from duograd.runner.tracking.reader import Reader

ID_TAG = "duograd.id"
PARENT_TAG = "mlflow.parentRunId"
RESUMED_TAG = "resumed."  # before a parameter that a resume changed: its value now
# What does not change a result is no parameter: MLflow writes them all above every picture of its slider.
NOT_PARAMETERS = ("tracking.", "hydra.", "checkpoint.", "task.figures", "task.frames")
DIGEST_LENGTH = 16  # enough to tell data sets apart in a table; MLflow refuses more than 36
LONGEST_PARAMETER = 6000  # MLflow cuts there


def tags(reader: Reader, parent: str | None) -> dict[str, str]:
    """The run's tags: its identity, and what MLflow's own pages show (name, user, commit, description)."""
    run = reader.identity
    named = {name: run.get(name) for name in ("task", "model", "backend", "data", "source")}
    tags = named | {
        ID_TAG: run["id"],
        PARENT_TAG: parent,
        "synthetic": "true" if run.get("synthetic") else None,
        "mlflow.runName": run["name"],
        **origin(),
        **{safe_name(key): value for key, value in run.get("swept", {}).items()},
        "mlflow.source.git.commit": _commit(run.get("git")),
        "mlflow.note.content": _note(run),
    }
    return {name: redact(str(value)) for name, value in tags.items() if value}


def origin() -> dict[str, str]:
    """Who and what made a run, under the names of MLflow's own."""
    user = _user()
    return {"mlflow.source.name": "duograd", "mlflow.source.type": "LOCAL", **({"mlflow.user": user} if user else {})}


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return None


def _commit(git: Any) -> str | None:
    return git.get("commit") if isinstance(git, dict) else git


def _note(run: dict[str, Any]) -> str:
    return f"```\n{run['command']}\n```\n\nData: {run.get('source') or run.get('data')}"


def parameters(reader: Reader) -> list[Param]:
    """config.yaml with dotted names (`loss.lambda` = 0.0005), values as YAML writes them; and what a sweep gave."""
    settings = {name: value for name, value in dotted(reader.config) if not name.startswith(NOT_PARAMETERS)}
    swept = reader.identity.get("swept", {})  # groups among them, such as optimizer=adam
    return [Param(safe_name(name), _readable(value)) for name, value in (swept | settings).items()]


def _readable(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return redact(text)[:LONGEST_PARAMETER]


def safe_name(name: str) -> str:
    """The name with what MLflow refuses replaced: one odd key must not cost a run its mirror."""
    return re.sub(r"[^A-Za-z0-9_\-./ ]", "_", name)


def data_set(reader: Reader) -> DatasetInput:
    """The samples the run was trained on, as MLflow's "logged input"."""
    run = reader.identity
    shapes = json.dumps(run.get("shapes") or {})
    samples = Dataset(
        name=str(run["data"]),
        digest=str(run.get("digest") or "unknown")[:DIGEST_LENGTH],
        source_type="duograd",
        source=json.dumps({"source": run.get("source")}),
        schema=shapes,
        profile=shapes,
    )
    return DatasetInput(samples, [InputTag("mlflow.data.context", "training")])
