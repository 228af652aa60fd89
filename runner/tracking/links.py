"""Addresses of MLflow's pages, as they have to be written for the right page to open."""

import json
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from duograd.runner.tracking import TrackingError

API = "api/2.0/mlflow"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know our 127.0.0.1
SORTED_BY = "metrics.`train/loss`"
MOST = 1000  # experiments


def experiment_page(url: str, experiment_id: str) -> str:
    """The table of an experiment's runs, the lowest training loss first.

    Without workflowType the page for language models opens; without orderByKey, runs of a sweep are folded away.
    """
    query = {"orderByKey": SORTED_BY, "orderByAsc": "true", "workflowType": "machine_learning"}
    return f"{url}/#/experiments/{experiment_id}/runs?{urlencode(query, quote_via=quote)}"


def run_page(url: str, experiment_id: str, run_id: str) -> str:
    """The page of one run."""
    return f"{url}/#/experiments/{experiment_id}/runs/{run_id}?workflowType=machine_learning"


def compare_page(url: str, experiment_ids: Iterable[str], run_ids: Iterable[str]) -> str:
    """The page that sets runs side by side."""
    query = {"runs": json.dumps(list(run_ids)), "experiments": json.dumps(list(experiment_ids))}
    return f"{url}/#/compare-runs?{urlencode(query, quote_via=quote)}"


def children_page(
    url: str, experiment_id: str, parent_run_id: str, metric: str = "train/loss", rises: bool = False
) -> str:
    """The charts of a sweep's runs, from the best value of a metric to the worst."""
    query = {
        "searchFilter": f"tags.`mlflow.parentRunId` = '{parent_run_id}'",
        "orderByKey": f"metrics.`{metric}`",
        "orderByAsc": "false" if rises else "true",
        "compareRunsMode": "CHART",
        "workflowType": "machine_learning",
    }
    return f"{url}/#/experiments/{experiment_id}/runs?{urlencode(query, quote_via=quote)}"


def pages(url: str) -> Iterator[tuple[str, str]]:
    """(what, address) of each experiment that has runs, and of the newest run of all."""
    newest = [(experiment, run) for experiment in _experiments(url) if (run := _newest_run(url, experiment))]
    for experiment, _ in newest:
        yield f"experiment {experiment['name']}", experiment_page(url, experiment["experiment_id"])
    if newest:
        run = max((run for _, run in newest), key=lambda run: int(run["info"]["start_time"]))
        info = run["info"]
        yield f"newest run ({info['run_name']})", run_page(url, info["experiment_id"], info["run_id"])


def _experiments(url: str) -> list[dict[str, Any]]:
    return list(_ask(url, "experiments/search", {"max_results": MOST}).get("experiments", []))


def _newest_run(url: str, experiment: dict[str, Any]) -> dict[str, Any] | None:
    query = {"experiment_ids": [experiment["experiment_id"]], "order_by": ["attributes.start_time DESC"]}
    runs = _ask(url, "runs/search", {**query, "max_results": 1}).get("runs", [])
    return runs[0] if runs else None


def _ask(url: str, what: str, query: dict[str, Any]) -> dict[str, Any]:
    """MLflow's REST interface: importing mlflow for three questions would take longer than its server to answer."""
    request = urllib.request.Request(
        f"{url}/{API}/{what}", json.dumps(query).encode(), {"Content-Type": "application/json"}
    )
    try:
        with DIRECT.open(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
    except OSError as error:
        raise TrackingError(f"{url} did not answer {what} ({error})") from error
    return answer
