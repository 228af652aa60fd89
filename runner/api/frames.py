"""Tables for pandas, which is imported when one is asked for."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from duograd.runner.report.comparison import Comparison
from duograd.runner.report.records import Record
from duograd.runner.store import lines
from duograd.runner.store.folders import RunFolder

if TYPE_CHECKING:
    from pandas import DataFrame


def metrics(folder: RunFolder) -> "DataFrame":
    """A row an epoch, a column a metric; NaN where an epoch lacks it."""
    from pandas import DataFrame, Index

    epochs = lines.epochs(lines.read(folder.metrics))
    index = Index([epoch for epoch, _ in epochs], name="epoch")
    return DataFrame([values for _, values in epochs], index=index)


def table(comparison: Comparison, keys: Iterable[str]) -> "DataFrame":
    """A row a run: the values of `keys`, how it ended, its final metrics, and the value that ranks it."""
    from pandas import DataFrame, Index

    keys = list(keys)
    rows = [_row(comparison, record, keys) for record in comparison.records]
    return DataFrame(rows, index=Index(range(len(rows)), name="run"))


def _row(comparison: Comparison, record: Record, keys: list[str]) -> Mapping[str, Any]:
    return {
        **{key: _plain(record.swept.get(key, record.parameters.get(key))) for key in keys},
        "status": record.status,
        **{name: record.metrics.get(name) for name in comparison.final_metrics},
        comparison.measure.name: comparison.measure.of(record),
        "seconds": record.summary.get("seconds"),
        "error": record.error,
        "folder": str(record.folder),
    }


def _plain(value: Any) -> Any:
    """Lists as they are typed, `[64,32]`: pandas groups by text, not by lists."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, tuple | list) else value
