"""What each of the report's mistakes changes: runs with it against runs by the exact gradient, on common seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from duograd.models.errata.table import EXACT, REPORT, ROW, ROWS, listed
from duograd.runner.errors import UserError
from duograd.runner.registry import higher_is_better
from duograd.runner.report.contrasts import UNDECIDED, remedy
from duograd.runner.report.records import Record
from duograd.runner.report.statistics import LEVEL, Estimate, Floats, estimate, holm, p_values
from duograd.runner.report.tables import NOTHING, Column, Table
from duograd.runner.reproduce.outcome import (
    NOT_RUN,
    by_seed,
    differences,
    interval_of,
    matches,
    signed_text,
    value_text,
)
from duograd.runner.reproduce.study import Measured, Study, Where
from duograd.runner.validate import validate_plain

GRADIENT = "gradient"


@dataclass(frozen=True)
class Change:
    """A gradient of the report's against the exact one. differences: over the seeds that both finished."""

    where: Where
    measured: Measured
    exact: Estimate
    report: Estimate
    differences: Floats

    @property
    def metric(self) -> str:
        return self.measured.metric

    @property
    def difference(self) -> Estimate:
        """The report's minus the exact one's."""
        return estimate(self.differences)


def errata_table(study: Study, records: Sequence[Record]) -> Table:
    """Each gradient of the study, metric by metric. Differences are tested with Holm's correction for all of them."""
    changes = list(_changes(study, records))
    p = holm([float(p_values(change.differences[None])[0]) for change in changes])
    comparisons = int(np.isfinite(p).sum())
    verdicts = [effect(change, float(k), comparisons) for change, k in zip(changes, p, strict=True)]
    beside = [key for key, values in study.sweep.items() if key != GRADIENT and len(values) > 1]
    return Table(
        [
            *(Column(key, [str(change.where[key]) for change in changes], numeric=False) for key in beside),
            Column(GRADIENT, [str(change.where[GRADIENT]) for change in changes], numeric=False),
            Column("what it does", [_does(change.where, records) for change in changes], numeric=False),
            Column("metric", [change.measured.name for change in changes], numeric=False),
            Column("exact", [_mean(change.exact, change.metric) for change in changes]),
            Column("with it", [_mean(change.report, change.metric) for change in changes]),
            Column("difference", [signed_text(change.difference, change.metric) for change in changes]),
            Column("95 %", [interval_of(change.difference, change.metric) for change in changes]),
            Column("pairs", [str(change.difference.n) for change in changes]),
            Column("learning is", verdicts, numeric=False),
        ]
    )


def effect(change: Change, p: float, comparisons: int) -> str:
    """Whether learning is better or worse by it. p: corrected for so many comparisons; NaN where there are no pairs."""
    difference = change.difference
    if difference.n < 2:
        return "one pair decides nothing" if difference.n else NOT_RUN
    if not p < LEVEL:
        return f"{UNDECIDED}; {remedy(difference, comparisons)}"
    return "better" if (difference.mean > 0) == higher_is_better(change.metric) else "worse"


def _changes(study: Study, records: Sequence[Record]) -> Iterator[Change]:
    """By the other swept keys, each of the report's gradients in each metric."""
    others = {key: values for key, values in study.sweep.items() if key != GRADIENT}
    for point in product(*others.values()):
        for gradient in (value for value in study.sweep[GRADIENT] if value != EXACT):
            where = dict(zip(others, point, strict=True)) | {GRADIENT: gradient}
            for measured in study.errata:
                both = (where | {GRADIENT: EXACT}, where)
                exact, report = (by_seed(w, measured.metric, measured.at, records) for w in both)
                means = estimate(list(exact.values())), estimate(list(report.values()))
                yield Change(where, measured, *means, differences(report, exact))


def _does(where: Mapping[str, Any], records: Sequence[Record]) -> str:
    """A row's sentence; of all together, their numbers."""
    gradient = str(where[GRADIENT])
    if gradient != REPORT:
        return ROWS[int(gradient.removeprefix(ROW))].does
    its = (r.config for r in records if r.config and matches(r.parameters, where))
    try:
        return f"all of them: {listed(validate_plain(next(its)).mistakes)}"
    except (StopIteration, UserError):
        return "all of them"


def _mean(estimated: Estimate, metric: str) -> str:
    return value_text(estimated.mean, metric) if estimated.n else NOTHING
