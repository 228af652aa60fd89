"""What the runs of a study came to, beside what the report published."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from duograd.runner.display import counted
from duograd.runner.plots.text import number
from duograd.runner.registry import higher_is_better
from duograd.runner.report.contrasts import MINUS, UNDECIDED, in_points, interval_text
from duograd.runner.report.records import Record
from duograd.runner.report.statistics import Estimate, Floats, estimate
from duograd.runner.report.tables import NOTHING, Column, Table
from duograd.runner.reproduce.study import At, Finding, Row, Study, Where
from duograd.runner.store.folders import RunFolder

NOT_RUN, AGREEMENT, OURS = "not run", "agreement", "ours"
AGREES = "agrees"
ROUNDING = 1e-12  # 1 - 0.99 is a little more than 0.01


def published_table(study: Study, records: Sequence[Record]) -> Table:
    """Each published number: ours, with n and interval; agreement, or the reason why not."""
    ours = [estimate(list(by_seed(row.where, row.metric, row.at, records).values())) for row in study.rows]
    pairs = list(zip(study.rows, ours, strict=True))
    return Table(
        [
            Column("what", [row.name for row in study.rows], numeric=False),
            Column("published", [value_text(row.published, row.metric) for row in study.rows]),
            Column("ours", [value_text(o.mean, r.metric) if o.n else NOTHING for r, o in pairs]),
            Column("95 %", [interval_of(o, r.metric) for r, o in pairs]),
            Column("n", [str(o.n) for o in ours]),
            Column(AGREEMENT, _verdicts(pairs), numeric=False),
        ]
    )


def findings_table(study: Study, records: Sequence[Record]) -> Table:
    """Each published sentence, and whether it holds: the difference over common seeds."""
    differences = [_difference(finding, records) for finding in study.findings]
    pairs = list(zip(study.findings, differences, strict=True))
    return Table(
        [
            Column("the report says", [finding.says for finding in study.findings], numeric=False),
            Column("difference", [signed_text(d, f.metric) for f, d in pairs]),
            Column("95 %", [interval_of(d, f.metric) for f, d in pairs]),
            Column("pairs", [str(d.n) for d in differences]),
            Column(OURS, [holds(f, d) for f, d in pairs], numeric=False),
        ]
    )


def verdict(row: Row, ours: Estimate, above: str = "") -> str:
    """Whether ours is within the tolerance of the published number, or the reason why it may not be.

    above: what the rows before have said, which is not said again.
    """
    if not ours.n:
        return NOT_RUN
    if row.or_better and _better(ours.mean, row):
        said = f"{AGREES} (as good or better)"
    elif abs(ours.mean - row.published) <= row.tolerance + ROUNDING:
        said = f"{AGREES} (within {_margin(row.tolerance, row.metric)})"
    elif ours.low <= row.published <= ours.high:
        said = f"{UNDECIDED}: {counted(ours.n, 'seed')}, whose interval holds it"
    else:
        said = "differs, for the same reason" if row.otherwise in above else f"differs: {row.otherwise}"
    chose = row.chose and _sentence(row.chose)
    return f"{said}. {chose}" if chose and chose not in above else said


def _better(mean: float, row: Row) -> bool:
    return mean >= row.published if higher_is_better(row.metric) else mean <= row.published


def _verdicts(pairs: Sequence[tuple[Row, Estimate]]) -> list[str]:
    texts: list[str] = []
    for row, ours in pairs:
        texts.append(verdict(row, ours, " ".join(texts)))
    return texts


def holds(finding: Finding, difference: Estimate) -> str:
    """Whether the difference, left minus right, is what the report says; one pair alone decides nothing."""
    if not difference.n:
        return NOT_RUN
    mean, low, high = difference.mean, difference.low, difference.high
    as_said = {"lower": mean < -finding.margin, "higher": mean > finding.margin, "equal": abs(mean) <= finding.margin}
    if difference.n < 2:
        return f"{'so' if as_said[finding.expects] else 'not so'} in one pair, which decides nothing"
    if finding.expects == "equal":
        inside = -finding.margin <= low and high <= finding.margin
        return "holds" if inside else f"not shown: equal means within {_margin(finding.margin, finding.metric)}"
    sure = high < -finding.margin if finding.expects == "lower" else low > finding.margin
    if sure:
        return "holds"
    return UNDECIDED if low <= finding.margin and high >= -finding.margin else "does not hold"


def _difference(finding: Finding, records: Sequence[Record]) -> Estimate:
    """Over the seeds that both settings finished."""
    left, right = (by_seed(where, finding.metric, None, records) for where in (finding.left, finding.right))
    return estimate(differences(left, right))


def differences(left: Mapping[Any, float], right: Mapping[Any, float]) -> Floats:
    """Left minus right, over the seeds that both have."""
    return np.array([left[seed] - right[seed] for seed in left.keys() & right.keys()], np.float64)


def by_seed(where: Where, metric: str, at: At, records: Sequence[Record]) -> dict[Any, float]:
    """The metric of the finished runs of a setting, by their seed."""
    of_it = [r for r in records if r.status == "FINISHED" and matches(r.parameters, where)]
    values = {record.parameters.get("seed"): _value(metric, at, record) for record in of_it}
    return {seed: value for seed, value in values.items() if math.isfinite(value)}


def matches(parameters: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a run has those parameters."""
    return all(parameters.get(key) == value for key, value in where.items())


def _value(metric: str, at: At, record: Record) -> float:
    """NaN where the run has none."""
    if at is None:
        value = record.metrics.get(metric)
        return math.nan if value is None else value
    if at == "first step":
        steps = RunFolder(record.folder).step_losses()
        return steps[0][1] if steps else math.nan
    history = record.history.get(metric, np.empty(0))
    if isinstance(at, int):
        return float(history[at - 1]) if at <= len(history) else math.nan
    if not np.isfinite(history).any():
        return math.nan
    return float(np.nanmax(history) if higher_is_better(metric) else np.nanmin(history))


def value_text(value: float, metric: str) -> str:
    return f"{100 * value:.1f} %" if in_points(metric) else number(value)


def leaves_bounds(table: Table) -> bool:
    """Whether an interval beside a mean in percents goes beyond 0 to 100."""
    beside = (pair for row in table.rows for pair in pairwise(row))
    ends = [re.findall(r"[−\d.]+", interval) for mean, interval in beside if mean.endswith(" %") and "[" in interval]
    return any(low.startswith(MINUS) or float(high) > 100 for low, high in ends)


def _margin(value: float, metric: str) -> str:
    return f"{100 * value:g} point{'s' * (value != 0.01)}" if in_points(metric) else f"{value:g}"


def signed_text(difference: Estimate, metric: str) -> str:
    if not difference.n:
        return NOTHING
    text = f"{100 * difference.mean:+.1f} points" if in_points(metric) else f"{difference.mean:+.3g}"
    return text.replace("-", MINUS)


def interval_of(ours: Estimate, metric: str) -> str:
    if ours.n < 2:
        return NOTHING
    scale = 100 if in_points(metric) else 1
    return interval_text(scale * ours.low, scale * ours.high)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
