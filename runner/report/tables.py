"""The ranking as columns of text, for people; and as a CSV file with everything, for programs."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.display import duration
from duograd.runner.plots.text import digits_for, number
from duograd.runner.registry import rising_metrics
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.contrasts import Contrast, interval_text
from duograd.runner.report.parameters import ABSENT, format_value
from duograd.runner.report.ranking import Measure, Rank
from duograd.runner.report.records import Record
from duograd.runner.store.folders import RunFolder

MOST_PARAMETERS = 8  # columns of a page's table; the CSV file has all
MOST_METRICS = 6
NOTHING = "–"
ALIKE = " ≈"  # beside the place of what cannot be told apart from the best


@dataclass(frozen=True)
class Column:
    """numeric: whether the cells are numbers, to stand at the right. naming: whether they say which row it is."""

    head: str
    cells: list[str]
    numeric: bool = True
    naming: bool = False


@dataclass(frozen=True)
class Table:
    """Columns of text, of one length."""

    columns: list[Column]

    @property
    def heads(self) -> list[str]:
        return [column.head for column in self.columns]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        return list(zip(*(column.cells for column in self.columns), strict=True))


def ranking_table(comparison: Comparison) -> Table:
    """The groups from best to worst: what they differ in, what they reached, how long it took."""
    return _ranking(comparison, comparison.differing[:MOST_PARAMETERS], _most_telling(comparison.final_metrics))


def short_ranking(comparison: Comparison) -> Table:
    """The same for a terminal: only what tells the groups apart, and what decides."""
    return _ranking(comparison, [axis.key for axis in comparison.axes], comparison.measures[1:])


def failures(comparison: Comparison) -> Table:
    """Runs that did not come to their end: why, and where to read more."""
    records = comparison.failures
    return Table(
        [
            Column("run", [record.name for record in records], numeric=False),
            Column("status", [record.status for record in records], numeric=False),
            Column("error", [record.error or "" for record in records], numeric=False),
            Column("log", [str(record.log or RunFolder(record.folder).log) for record in records], numeric=False),
        ]
    )


def _ranking(comparison: Comparison, differing: Sequence[str], finals: Sequence[Measure]) -> Table:
    ranks, replicated = comparison.ranks, comparison.replicated
    keys = [key for key in differing if all(len(rank.group.values_of(key)) < 2 for rank in ranks)]
    digits = digits_for(rank.mean for rank in ranks)
    value = comparison.measure.name + (" (mean ± std)" if replicated else "")
    places = [_place(rank, comparison) for rank in ranks]
    intervals = [interval_text(rank.estimate.low, rank.estimate.high) for rank in ranks]
    return Table(
        [
            *([Column("#", places, naming=True)] if comparison.contest else []),
            *(_parameter(key, comparison) for key in keys),
            *([] if keys else [Column("run", [rank.group.label for rank in ranks], numeric=False, naming=True)]),
            Column(value, [number(rank.mean, digits) + _deviation(rank) for rank in ranks]),
            *([Column("95 %", intervals)] if replicated else []),
            Column("runs", [_count(rank) for rank in ranks])
            if replicated
            else Column(comparison.along, [str(rank.epoch or NOTHING) for rank in ranks]),
            *(Column(m.name, [_mean(rank, m) for rank in ranks]) for m in (*_at_best(finals, comparison), *finals)),
            Column("time", [_time(rank) for rank in ranks]),
            Column("status", [_status(rank) for rank in ranks], numeric=False),
        ]
    )


def contrast_table(comparison: Comparison, contrasts: Sequence[Contrast]) -> Table:
    """The best against each other setting, from the second best on."""
    return Table(
        [
            Column("best", [comparison.label(contrast.best) for contrast in contrasts], numeric=False),
            Column("other", [comparison.label(contrast.other) for contrast in contrasts], numeric=False),
            Column("best − other", [contrast.amount for contrast in contrasts]),
            Column("95 %", [contrast.interval for contrast in contrasts]),
            Column("pairs", [str(contrast.pairs) for contrast in contrasts]),
            Column("p (Holm)", [NOTHING if math.isnan(c.p) else f"{c.p:.2g}" for c in contrasts]),
            Column("", [contrast.verdict for contrast in contrasts], numeric=False),
        ]
    )


def _place(rank: Rank, comparison: Comparison) -> str:
    return f"{rank.place or NOTHING}{ALIKE if rank.group in comparison.undecided else ''}"


def _parameter(key: str, comparison: Comparison) -> Column:
    values = [next(iter(rank.group.values_of(key)), ABSENT) for rank in comparison.ranks]
    return Column(comparison.names[key], [format_value(value) for value in values], numeric=False, naming=True)


def _at_best(finals: Sequence[Measure], comparison: Comparison) -> list[Measure]:
    """Those of new samples at the epoch that was best, where every epoch was evaluated on them."""
    leading = comparison.measure
    everywhere = [record.history.keys() for record in comparison.records if record.status == "FINISHED"]
    new = [m.metric for m in finals if m.metric.startswith("test/") or m.metric == "val/accuracy"]
    known = [name for name in new if name != leading.metric and all(name in history for history in everywhere)]
    return [Measure(name, "at best", leading) for name in known]


def _most_telling(metrics: Sequence[str]) -> list[Measure]:
    """Of many metrics, the losses and accuracies."""
    telling = ("/loss", *(f"/{term}" for term in rising_metrics()))
    names = [name for name in metrics if len(metrics) <= MOST_METRICS or name.endswith(telling)]
    return [Measure(name, "final") for name in names[:MOST_METRICS]]


def _deviation(rank: Rank) -> str:
    return "" if math.isnan(rank.deviation) else f" ± {number(rank.deviation, 2)}"


def _count(rank: Rank) -> str:
    runs, finished = len(rank.group.records), len(rank.group.finished)
    return str(runs) if runs == finished else f"{finished} of {runs}"


def _mean(rank: Rank, metric: Measure) -> str:
    values = rank.group.values(metric)
    return number(float(values.mean())) if len(values) else NOTHING


def _time(rank: Rank) -> str:
    seconds = [s for record in rank.group.records if (s := record.summary.get("seconds")) is not None]
    return duration(sum(seconds) / len(seconds)) if seconds else NOTHING


def _status(rank: Rank) -> str:
    """The status; for several seeds, that of those which did not finish."""
    odd = next((record for record in rank.group.records if record.status != "FINISHED"), None)
    if odd is None:
        return "FINISHED"
    return odd.status if odd.outcome == odd.status.lower() else f"{odd.status} ({odd.outcome})"


def ranking_csv(comparison: Comparison) -> str:
    """`ranking_rows` as CSV."""
    rows = ranking_rows(comparison)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def ranking_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row for each run: its group's place, what differs, its best, all final metrics, and where everything is."""
    return [dict(_cells(rank, record, comparison)) for rank in comparison.ranks for record in rank.group.records]


def _cells(rank: Rank, record: Record, comparison: Comparison) -> Iterator[tuple[str, Any]]:
    """Heads and values; `epochs` is what was trained, beside what was asked for where that differs."""
    best, epoch = comparison.measure.value_and_epoch(record)
    yield from (("place", rank.place), ("name", record.name), ("status", record.status))
    for key in comparison.differing:
        value = record.parameters.get(key, ABSENT)
        yield "epochs_asked" if key == "epochs" else key, "" if value is ABSENT else format_value(value)
    yield from (("metric", comparison.measure.metric), ("best", None if math.isnan(best) else best))
    yield "best_epoch", epoch
    yield from ((name, record.metrics.get(name)) for name in comparison.final_metrics)
    yield from ((key, record.summary.get(key)) for key in ("epochs", "seconds", "parameters", "diverged"))
    yield from (("folder", record.folder), ("error", record.error))
