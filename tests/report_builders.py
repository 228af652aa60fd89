"""Run and sweep folders as they are left behind, made by hand: an answer's tests need no training."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

Metrics = Mapping[str, Sequence[float]]

AUTOENCODER = {
    "task": {"name": "autoencoder", "figures": ["loss_curve"], "frames": []},
    "data": {"name": "photos_sample", "count": 60},
    "model": {"name": "autoencoder", "family": "autoencoder", "hidden_size": 10},
    "loss": {"name": "sparse", "lambda": 0.0},
    "optimizer": {"name": "sgd", "rule": "sgd", "lr": 0.9, "momentum": 0.0},
    "backend": {"name": "numpy", "threads": None},
    "tracking": {"name": "none"},
    "seed": 0,
    "epochs": 3,
}
ACTIVITY = AUTOENCODER | {
    "task": {"name": "activity", "figures": [], "frames": []},
    "data": {"name": "gait"},
    "model": {"name": "gru", "family": "recurrent", "hidden_size": 128},
    "loss": {"name": "cross_entropy"},
}


def changed(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with dotted keys set; a bare group's name sets the group's option."""
    tree = OmegaConf.create(dict(config))
    for key, value in changes.items():
        group = key in config and isinstance(config[key], Mapping)
        OmegaConf.update(tree, f"{key}.name" if group else key, value, force_add=True)
    return OmegaConf.to_container(tree)


def run_folder(
    path: Path,
    changes: Mapping[str, Any] | None = None,
    metrics: Metrics | None = None,
    config: Mapping[str, Any] = AUTOENCODER,
    status: str | None = "FINISHED",
    **summary: Any,
) -> Path:
    """A run's folder; `status=None` leaves out summary.json, as a kill does."""
    config = changed(config, changes or {})
    metrics = {"train/loss": [3.0, 2.0, 1.0]} if metrics is None else metrics
    path.mkdir(parents=True)
    who = {
        "id": path.name,
        "name": f"{config['model']['name']} {path.name}",
        "task": config["task"]["name"],
        "data": config["data"]["name"],
        "source": "drawn",
        "seed": config["seed"],
        "command": f"duograd task={config['task']['name']} seed={config['seed']}",
    }
    (path / "run.json").write_text(json.dumps(who))
    OmegaConf.save(OmegaConf.create(config), path / "config.yaml")
    columns = zip(*metrics.values(), strict=True)
    rows = [{"epoch": epoch, **dict(zip(metrics, row, strict=True))} for epoch, row in enumerate(columns, 1)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if status is not None:
        (path / "summary.json").write_text(json.dumps(_summary(metrics, status) | summary))
    return path


def _summary(metrics: Metrics, status: str) -> dict[str, Any]:
    monitor = "val/loss" if "val/loss" in metrics else "train/loss"
    values = metrics.get(monitor, [])
    best = int(np.argmin(values)) if values else None
    return {
        "status": status,
        "error": None if status == "FINISHED" else "the loss became inf at step 2",
        "metrics": {name: column[-1] for name, column in metrics.items() if column} if status == "FINISHED" else {},
        "best": {
            "metric": monitor,
            "value": None if best is None else values[best],
            "epoch": None if best is None else best + 1,
        },
        "epochs": len(values),
        "seconds": 1.5,
        "parameters": 1234,
        "diverged": status == "FAILED",
    }


def sweep_folder(
    path: Path,
    swept: Mapping[str, Sequence[Any]],
    config: Mapping[str, Any] = AUTOENCODER,
    losses: Sequence[float] | None = None,
    metric: str = "train/loss",
    **statuses: str,
) -> Path:
    """A sweep over a grid; the loss of job k is k + 1, or that of `losses`.

    metric: the one that is measured and watched. statuses: of jobs that did not finish, such as job2="FAILED".
    """
    jobs = []
    for number, values in enumerate(product(*swept.values())):
        changes = dict(zip(swept, values, strict=True))
        status = statuses.get(f"job{number}", "FINISHED")
        name = ",".join(f"{key.rpartition('.')[2]}={value}" for key, value in changes.items())
        if status != "PENDING":
            loss = losses[number] if losses else number + 1.0
            values = [loss] * 3 if losses else [loss + 2, loss + 1, loss]
            best = {"best": {"metric": metric, "value": loss, "epoch": 1}} if losses else {}
            run_folder(path / name, changes, {metric: values}, config, status, **best)
        jobs.append(
            {
                "number": number,
                "overrides": [f"{key}={value}" for key, value in changes.items()],
                "name": name,
                "hash": str(number),
                "status": status,
                "error": None if status in ("FINISHED", "PENDING") else "killed by SIGKILL",
                "folder": name,
                "log": f"{name}/run.log",
                "run_id": None,
                "metrics": {},
                "best": None,
                "seconds": None,
                "epochs": 3,
                "parameters": 1234,
            }
        )
    content = {
        "id": "a sweep's",
        "name": "a sweep",
        "started": 0.0,
        "directory": str(path),
        "launcher": {},
        "status": "FINISHED",
        "task": config["task"]["name"],
        "swept": {key: list(values) for key, values in swept.items()},
        "overrides": [],
        "command": "duograd -m task=autoencoder loss.lambda=0,1",
        "parent_run_id": None,
        "experiment": None,
        "uri": None,
        "jobs": jobs,
    }
    path.mkdir(parents=True, exist_ok=True)
    (path / "sweep.json").write_text(json.dumps(content))
    return path
