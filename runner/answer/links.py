"""Where to look at the same runs in MLflow."""

from collections.abc import Sequence
from pathlib import Path

from duograd.runner.answer.records import Record
from duograd.runner.tracking import address
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.links import children_page, compare_page

LOCAL = "http://127.0.0.1:5000"  # where `duograd ui` serves a database


def mlflow_link(records: Sequence[Record], parent_run_id: str | None = None) -> str | None:
    """The page that compares the runs, or charts the children of a sweep's parent run; None for runs not in MLflow.

    Runs that were mirrored to several places: those of the first run's place.
    """
    found = [(uri, cursor) for record in records if (uri := _uri(record)) and (cursor := _cursor(record, uri)).run_id]
    if not found:
        return None
    uri = found[0][0]
    cursors = [cursor for place, cursor in found if place == uri]
    url = LOCAL if address.database_path(uri) else uri
    if parent_run_id:
        return children_page(url, cursors[0].experiment_id, parent_run_id)
    experiments = dict.fromkeys(cursor.experiment_id for cursor in cursors)
    return compare_page(url, experiments, [cursor.run_id for cursor in cursors])


def _uri(record: Record) -> str | None:
    tracking = record.config.get("tracking") or {}
    return address.resolve(tracking.get("uri"), Path.cwd()) if tracking.get("name") == "mlflow" else None


def _cursor(record: Record, uri: str) -> Cursor:
    return Cursor.load(record.folder, uri)
