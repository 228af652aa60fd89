"""Addresses of MLflow's pages, as they have to be written for the right page to open."""

import json
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from duograd.runner.tracking import TrackingError, views

API = "api/2.0/mlflow"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know our 127.0.0.1
MOST = 1000  # experiments
ANSWER_S = 600.0  # it is on this machine, which may be busy
LOOKED_AT = 200  # runs, to choose the columns of a view by


def experiment_page(url: str, experiment_id: str) -> str:
    """The table of an experiment's runs in the view that `save_view` left there.

    Without workflowType the page for language models opens.
    """
    query = {"viewStateShareKey": views.KEY, "workflowType": "machine_learning"}
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
    """(what, address) of each experiment that has runs, whose view is brought up to date; and of the newest run."""
    newest = [(experiment, runs) for experiment in _experiments(url) if (runs := _newest_runs(url, experiment))]
    for experiment, runs in newest:
        _save_view(url, experiment["experiment_id"], runs)
        yield f"experiment {experiment['name']}", experiment_page(url, experiment["experiment_id"])
    if newest:
        run = max((runs[0] for _, runs in newest), key=lambda run: int(run["info"]["start_time"]))
        info = run["info"]
        yield f"newest run ({info['run_name']})", run_page(url, info["experiment_id"], info["run_id"])


def _save_view(url: str, experiment_id: str, runs: Sequence[Mapping[str, Any]]) -> None:
    tag = {"key": views.TAG, "value": views.results_view(runs)}
    _ask(url, "experiments/set-experiment-tag", {"experiment_id": experiment_id, **tag})


def _experiments(url: str) -> list[dict[str, Any]]:
    return list(_ask(url, "experiments/search", {"max_results": MOST}).get("experiments", []))


def _newest_runs(url: str, experiment: dict[str, Any]) -> list[dict[str, Any]]:
    query = {"experiment_ids": [experiment["experiment_id"]], "order_by": ["attributes.start_time DESC"]}
    return list(_ask(url, "runs/search", {**query, "max_results": LOOKED_AT}).get("runs", []))


def _ask(url: str, what: str, query: dict[str, Any]) -> dict[str, Any]:
    """MLflow's REST interface: importing mlflow for three questions would take longer than its server to answer."""
    request = urllib.request.Request(
        f"{url}/{API}/{what}", json.dumps(query).encode(), {"Content-Type": "application/json"}
    )
    try:
        with DIRECT.open(request, timeout=ANSWER_S) as response:
            answer: dict[str, Any] = json.load(response)
    except OSError as error:
        raise TrackingError(f"{url} did not answer {what} ({error})") from error
    return answer
