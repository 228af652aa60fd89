"""MLflow's table of runs with the columns that a person wants: a saved view of each experiment.

MLflow's own first view has no metric at all. It keeps a saved view as a tag of the experiment, and opens it by the name
of the tag in an address. Later versions list views by name and read `state`, earlier ones the same keys one level up.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from duograd.runner.registry import higher_is_better

KEY = "duograd"
TAG = f"mlflow.sharedViewState.{KEY}"
NAME = "results"
METRICS, PARAMETERS = 3, 6  # columns at the most
WANTED = ("accuracy", "r2", "mse", "loss")  # of the final values, in this order
LABELS = ("model.name", "optimizer.name", "backend.name", "data.name")
SWEPT_TAG = "swept."


def results_view(runs: Sequence[Mapping[str, Any]]) -> str:
    """The value of the tag for an experiment with these runs, as MLflow's REST interface gives them."""
    names = _counted(metric["key"] for run in runs for metric in run["data"].get("metrics", []))
    metrics = metric_columns(names)
    best = next((name for name in metrics if name.startswith("best_")), "train/loss")
    state = {
        "searchFilter": "",
        "orderByKey": f"metrics.`{best}`",
        "orderByAsc": not higher_is_better(best),
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [
            "attributes.`Duration`",
            *(f"metrics.`{name}`" for name in metrics),
            *(f"params.`{name}`" for name in parameter_columns(runs)),
        ],
    }
    return json.dumps({"name": NAME, "createdAt": 0, "state": json.dumps(state), **state})


def metric_columns(names: Sequence[str]) -> list[str]:
    """The best values, and of the final ones those of the test split first."""
    best = [name for name in names if name.startswith("best_")]
    wanted = [f"final_{split}_{metric}" for split in ("test", "val", "train") for metric in WANTED]
    return [*best, *(name for name in wanted if name in names)][:METRICS]


def parameter_columns(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What sweeps varied, the commonest first, and the names of what differs."""
    tags = (tag["key"] for run in runs for tag in run["data"].get("tags", []))
    swept = _counted(key.removeprefix(SWEPT_TAG) for key in tags if key.startswith(SWEPT_TAG))
    values: dict[str, set[str]] = {}
    for run in runs:
        for parameter in run["data"].get("params", []):
            values.setdefault(parameter["key"], set()).add(parameter["value"])
    labels = [name for name in LABELS if len(values.get(name, ())) > 1 and name.partition(".")[0] not in swept]
    return [*swept, *labels][:PARAMETERS]


def _counted(names: Iterable[str]) -> list[str]:
    """Each name once, the commonest first."""
    return [name for name, _ in Counter(names).most_common()]
