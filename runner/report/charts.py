"""The charts that any runs have: numbers along their axes, and learning curves over each other."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duograd.runner.plots.by_axis import AxisRuns, Parameter, lines_by_axis, scatter
from duograd.runner.plots.curves import MOST_CURVES, Band, Curve, overlay
from duograd.runner.plots.heat_map import Grid, Side, heat_maps
from duograd.runner.plots.style import COLOURS, DASHES
from duograd.runner.plots.text import Output
from duograd.runner.registry import bounds, rising_metrics
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import ABSENT, Axis, format_value, is_number
from duograd.runner.report.ranking import Floats, Group, Measure
from duograd.runner.report.statistics import estimate, student_band

SPLITS = {"train": "train", "val": "validation", "test": "test"}
INTERVAL = "with its 95 % interval"
CUT = "which may leave the axis"
WHEN = {
    "epoch": {"best": "at each run's best epoch", "final": "after each run's last update"},
    "step": {"best": "at each run's best step", "final": "the last that each run logged"},
}
MOST_PANELS = 12  # heat maps of a third axis
MOST_VALUES = 12  # of an axis of a heat map
WHOLE = 0.5  # the share of a heat map's cells that must be filled, else it is mostly paper


@dataclass(frozen=True)
class Picture:
    """A picture's file, and what it shows."""

    path: Path
    caption: str


def charts(comparison: Comparison, folder: Path) -> Iterator[Picture]:
    """Draws into a folder: each measure along the axes, then the curves."""
    for measure in comparison.measures if comparison.contest and comparison.chart_axes else ():
        if any(len(group.values(measure)) for group in comparison.groups):
            yield along_axes(comparison, measure, folder)
    for term in dict.fromkeys(["loss", *rising_metrics(), *_leading(comparison)]):
        if picture := curves(comparison, term, folder):
            yield picture


def _leading(comparison: Comparison) -> list[str]:
    """The term of what decides, where it has a curve: what was logged once has none."""
    metric = comparison.measure.metric
    has_curve = any(len(record.history.get(metric, ())) > 1 for record in comparison.records)
    return [metric.rpartition("/")[2]] if has_curve else []


def along_axes(comparison: Comparison, measure: Measure, folder: Path) -> Picture:
    """A heat map for two axes, one for each value of a third; a line for one; else each axis over all the others.

    Runs that form no grid are dots at their values of each axis.
    """
    path = folder / f"{measure.name.replace(' ', '_').replace('/', '_')}.png"
    out = Output(path, f"{measure.name[0].upper()}{measure.name[1:]}: {comparison.subject}", comparison.footer)
    axes = comparison.chart_axes
    names = [axis.name for axis in axes]
    when = WHEN[comparison.along][measure.when]
    if len(axes) in (2, 3) and _fills_a_map(comparison):
        down, across = (Side(axis.name, [format_value(value) for value in axis.values]) for axis in axes[:2])
        grids = [_grid(comparison, measure, value) for value in (axes[2].values if len(axes) > 2 else (None,))]
        heat_maps(grids, down, across, measure.rises, out, when)
        return Picture(path, f"{measure.name} over {' × '.join(names)}")
    if comparison.scattered:
        runs = [r for r in comparison.records if r.status in ("FINISHED", "PRUNED") and math.isfinite(measure.of(r))]
        values = np.array([measure.of(record) for record in runs])
        finished = np.array([record.status == "FINISHED" for record in runs])
        parameters = [
            Parameter(axis.name, _numbers_or_words([run.parameters.get(axis.key, ABSENT) for run in runs]))
            for axis in axes
        ]
        scatter(parameters, values, finished, out, when)
        return Picture(path, f"{measure.name} against {', '.join(names)}")
    bars = INTERVAL if len(axes) == 1 else "± one standard deviation"
    lines_by_axis([_panel(comparison, measure, axis) for axis in axes], out, when, bars)
    others = ", each over all values of the others" if len(axes) > 1 else ""
    return Picture(path, f"{measure.name} along {', '.join(names)}{others}")


def _fills_a_map(comparison: Comparison) -> bool:
    sizes = [len(axis.values) for axis in comparison.chart_axes]
    few = max(sizes[:2]) <= MOST_VALUES and (len(sizes) < 3 or sizes[2] <= MOST_PANELS)
    return few and len(comparison.groups) >= WHOLE * int(np.prod(sizes))


def _grid(comparison: Comparison, measure: Measure, third: object) -> Grid:
    """Means over the first two axes, at a value of the third where there is one."""
    rows, columns, *more = comparison.chart_axes
    shape = len(rows.values), len(columns.values)
    means, deviations, words = np.full(shape, np.nan), np.full(shape, np.nan), {}
    for group in filter(comparison.on_axes, comparison.groups):
        row, column, *panel = (group.point[axis.key] for axis in comparison.chart_axes)
        if panel in ([], [third]):
            cell = rows.values.index(row), columns.values.index(column)
            reached = estimate(group.values(measure))
            if reached.n:
                means[cell], deviations[cell] = reached.mean, reached.deviation
            else:
                words[cell] = group.records[0].outcome
    return Grid(f"{more[0].name}={format_value(third)}" if more else "", means, deviations, words)


def _panel(comparison: Comparison, measure: Measure, axis: Axis) -> AxisRuns:
    at = [[g.values(measure) for g in comparison.groups if g.point[axis.key] == value] for value in axis.values]
    runs = [np.concatenate([np.empty(0), *values]) for values in at]
    replicates = len(comparison.chart_axes) == 1  # else what else differs is no chance
    whiskers = [_possible(measure.metric, values, _whiskers(comparison, values, replicates)) for values in runs]
    return AxisRuns(axis.name, _numbers_or_words(axis.values), runs, whiskers)


def _whiskers(comparison: Comparison, values: Floats, replicates: bool) -> Floats:
    """The mean's interval of replicates, else mean ± one standard deviation; empty for fewer than two values."""
    of = estimate(values, comparison.interval)
    ends = (of.low, of.high) if replicates else (of.mean - of.deviation, of.mean + of.deviation)
    return np.array(ends) if of.n > 1 else np.empty(0)


def _numbers_or_words(values: Sequence[Any]) -> list[float] | list[str]:
    return list(values) if all(map(is_number, values)) else [format_value(value) for value in values]


def curves(comparison: Comparison, term: str, folder: Path) -> Picture | None:
    """The curves of one term over each other, a panel a split, or one for all; None where no run has any."""
    best = [rank.group for rank in comparison.ranks[:MOST_CURVES]]
    groups = [group for group in comparison.groups if group in best]  # in the order of the sweep, not of success
    looks = _looks(comparison, groups)
    names = {f"{split}/{term}": words for split, words in SPLITS.items()} | {term: ""}
    panels = {words: _lines(groups, looks, name) for name, words in names.items()}
    panels = {words: lines for words, lines in panels.items() if lines}
    if not panels:
        return None
    path = folder / f"curves_{re.sub(r'[^a-zA-Z0-9_-]', '_', term)}.png"
    all_groups, along = len(comparison.groups), comparison.along
    what = f"{term} by {along}" + (f" · the best {MOST_CURVES} of {all_groups}" if all_groups > MOST_CURVES else "")
    scale: Literal["auto", "linear"] = "auto" if term == "loss" else "linear"
    out = Output(path, f"{term.capitalize()}: {comparison.subject}", comparison.footer)
    bands = any(curve.band for lines in panels.values() for curve in lines)
    overlay(panels, out, what, scale, f"mean of the finished runs {INTERVAL}, {CUT}" if bands else "", along=along)
    return Picture(path, ", ".join(filter(None, [f"{term} by {along}", *panels])))


def _lines(groups: Sequence[Group], looks: dict[str, tuple[int, int]], metric: str) -> list[Curve]:
    curves: list[Curve] = []
    for group in groups:
        look = looks[group.label]
        finished = [record.history[metric] for record in group.finished if metric in record.history]
        epochs = min(map(len, finished), default=0)
        if len(finished) > 1 and epochs:
            curves.append(_mean_curve(group.label, metric, np.array([values[:epochs] for values in finished]), look))
        else:
            curves += [Curve(group.label, r.history[metric], *look) for r in group.records if metric in r.history]
    return curves


def _mean_curve(name: str, metric: str, runs: Floats, look: tuple[int, int]) -> Curve:
    """Of runs (K, E), as far as all of them go."""
    low, high = (_possible(metric, runs, ends) for ends in student_band(runs))
    return Curve(name, runs.mean(axis=0), *look, band=Band(low, high))


def _possible(metric: str, runs: Floats, ends: Floats) -> Floats:
    """An interval's ends, none beyond what the metric can be: Student's knows nothing of bounds.

    A metric of runs that have left its bounds (somebody's own loss, an accuracy in percents) has none.
    """
    low, high = bounds(metric)
    reached = runs[np.isfinite(runs)]
    inside = not len(reached) or (low <= reached.min() and reached.max() <= high)
    return np.clip(ends, low, high) if inside else ends


def _looks(comparison: Comparison, groups: Sequence[Group]) -> dict[str, tuple[int, int]]:
    """A colour and a dash pattern for each group: those of its values where two short axes allow it, else in turn."""
    sizes = [len(axis.values) for axis in comparison.axes]
    short = len(sizes) == 2 and sizes[0] <= len(COLOURS) and sizes[1] <= len(DASHES)
    if short and all(map(comparison.on_axes, groups)):
        first, second = comparison.axes
        return {
            g.label: (first.values.index(g.point[first.key]), second.values.index(g.point[second.key])) for g in groups
        }
    return {g.label: (k, k // len(COLOURS)) for k, g in enumerate(groups)}
