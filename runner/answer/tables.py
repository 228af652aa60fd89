"""The ranking as rows of text, for people; and as a CSV file with everything, for programs."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from duograd.runner.answer.differences import ABSENT, SEED, shown
from duograd.runner.answer.drawings import ending
from duograd.runner.answer.ranking import Measure, Standing
from duograd.runner.answer.records import Record
from duograd.runner.answer.study import Study
from duograd.runner.display import duration
from duograd.runner.figures.digits import digits_for, number

MOST_PARAMETERS = 8  # columns of a page's table; the CSV file has all
MOST_METRICS = 6
NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """Heads of columns, and rows of text. numeric: which columns are numbers, to stand at the right."""

    heads: list[str]
    rows: list[list[str]]
    numeric: list[bool]


def ranking_table(study: Study) -> Table:
    """The settings from best to worst: what they differ in, what they reached, how long it took."""
    return _ranking(study, study.differing[:MOST_PARAMETERS], final_metrics(study.records))


def short_ranking(study: Study) -> Table:
    """The same for a terminal: only what tells the settings apart, and what decides."""
    return _ranking(study, [axis.key for axis in study.along], study.measures[1:])


def _ranking(study: Study, differing: Sequence[str], metrics: Sequence[Measure]) -> Table:
    keys = [key for key in differing if not (key == SEED and study.replicated)]
    words = [study.names[key] for key in keys] or ["run"]
    heads = [
        "#",
        *words,
        study.measure.name + (" (mean ± std)" if study.replicated else ""),
        "runs" if study.replicated else "epoch",
        *(measure.metric for measure in metrics),
        "time",
        "status",
    ]
    rows = [_row(standing, keys, metrics, study) for standing in study.standings]
    return Table(heads, rows, [head not in (*words, "status") for head in heads])


def final_metrics(records: Sequence[Record]) -> list[Measure]:
    """What was evaluated at the end; of many, the losses and accuracies."""
    names = list(dict.fromkeys(name for record in records for name in record.metrics))
    if len(names) > MOST_METRICS:
        names = [name for name in names if name.endswith(("/loss", "/accuracy"))]
    return [Measure(name, at_best=False) for name in names[:MOST_METRICS]]


def _row(standing: Standing, keys: Sequence[str], metrics: Sequence[Measure], study: Study) -> list[str]:
    setting = standing.setting
    values = setting.records[0].parameters
    named = [shown(values.get(key, ABSENT)) for key in keys] or [setting.label]
    deviation = "" if math.isnan(standing.deviation) else f" ± {number(standing.deviation, 2)}"
    digits = digits_for(standing.mean for standing in study.standings)
    runs, finished = len(setting.records), len(setting.finished)
    epoch = NOTHING if standing.epoch is None else str(standing.epoch)
    seconds = [r.summary["seconds"] for r in setting.records if r.summary.get("seconds") is not None]
    return [
        str(standing.place or NOTHING),
        *named,
        number(standing.mean, digits) + deviation,
        (str(runs) if runs == finished else f"{finished} of {runs}") if study.replicated else epoch,
        *(_mean(standing, metric) for metric in metrics),
        duration(sum(seconds) / len(seconds)) if seconds else NOTHING,
        _status(standing),
    ]


def _mean(standing: Standing, metric: Measure) -> str:
    values = standing.setting.values(metric)
    return number(float(values.mean())) if len(values) else NOTHING


def _status(standing: Standing) -> str:
    """The status; for several seeds, that of those which did not finish."""
    odd = [record for record in standing.setting.records if record.status != "FINISHED"]
    if not odd:
        return "FINISHED"
    said = ending(odd[0])
    return said.upper() if said.upper() == odd[0].status else f"{odd[0].status} ({said})"


def ranking_csv(study: Study) -> str:
    """A line for each run: its setting's place, what differs, its best, all final metrics, and where everything is."""
    metrics = list(dict.fromkeys(name for record in study.records for name in record.metrics))
    heads = ["place", "name", "status", *study.differing, "metric", "best", "best_epoch", *metrics]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*heads, "epochs", "seconds", "parameters", "diverged", "folder", "error"])
    for standing in study.standings:
        for record in standing.setting.records:
            writer.writerow(_cells(standing, record, metrics, study))
    return buffer.getvalue()


def _cells(standing: Standing, record: Record, metrics: Sequence[str], study: Study) -> Iterator[Any]:
    values = record.parameters
    best, epoch = study.measure.found(record)
    yield from (standing.place or "", record.name, record.status)
    yield from ("" if (value := values.get(key, ABSENT)) is ABSENT else shown(value) for key in study.differing)
    yield from (study.measure.metric, "" if math.isnan(best) else best, "" if epoch is None else epoch)
    yield from (record.metrics.get(name, "") for name in metrics)
    yield from (record.summary.get(key, "") for key in ("epochs", "seconds", "parameters", "diverged"))
    yield from (record.folder, record.error or "")
