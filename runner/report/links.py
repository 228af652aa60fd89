"""Where to look at the same runs in MLflow."""

from pathlib import Path

from duograd.runner.report.comparison import Comparison
from duograd.runner.report.logged import LoggedRecord
from duograd.runner.report.records import Record
from duograd.runner.tracking import address
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.links import children_page, compare_page


def mlflow_link(comparison: Comparison) -> str | None:
    """The page that compares the runs, or charts the children of a sweep's parent run; None for runs not in MLflow.

    Runs stand there as they are ranked. Runs that were mirrored to several places: those of the first run's place.
    """
    records = [record for rank in comparison.ranks for record in rank.group.records]
    if logged := [record for record in records if isinstance(record, LoggedRecord)]:
        experiments = dict.fromkeys(record.experiment for record in logged)
        return compare_page(_pages(comparison.uri), experiments, [record.run_id for record in logged])
    places = [(uri, Cursor.load(record.folder, uri)) for record in records if (uri := _uri(record))]
    mirrored = [(uri, cursor) for uri, cursor in places if cursor.run_id]
    if not mirrored:
        return None
    first = mirrored[0][0]
    cursors = [cursor for uri, cursor in mirrored if uri == first]
    url = _pages(first)
    if comparison.parent_run_id:
        metric, rises = comparison.measure.metric, comparison.measure.rises
        return children_page(url, cursors[0].experiment_id, comparison.parent_run_id, metric, rises)
    experiments = dict.fromkeys(cursor.experiment_id for cursor in cursors)
    return compare_page(url, experiments, [cursor.run_id for cursor in cursors])


def _pages(uri: str) -> str:
    """Where a browser finds what is logged at an address."""
    database = address.database_path(uri)
    return address.ui_address(database) if database else address.bare(uri)


def _uri(record: Record) -> str | None:
    tracking = record.config.get("tracking") or {}
    return address.resolve(tracking.get("uri"), Path.cwd()) if tracking.get("name") == "mlflow" else None
