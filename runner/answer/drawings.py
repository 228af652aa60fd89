"""The pictures that any runs have: numbers along their axes, and learning curves over each other."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from duograd.runner.answer.differences import ABSENT, Axis, is_number, shown
from duograd.runner.answer.ranking import Measure, Setting, spread
from duograd.runner.answer.records import Record
from duograd.runner.answer.study import Study
from duograd.runner.figures.along import Along, along
from duograd.runner.figures.heat_map import Side, Table, heat_maps
from duograd.runner.figures.overlay import MOST, Line, overlay
from duograd.runner.figures.scatter import Cloud, scatter
from duograd.runner.figures.style import COLOURS, DASHES

CURVES = ("loss", "accuracy")
SPLITS = {"train": "train", "val": "validation", "test": "test"}
WHEN = {True: "at each run's best epoch", False: "after each run's last update"}
MOST_PANELS = 12  # heat maps of a third axis
MOST_VALUES = 12  # of an axis of a heat map
WHOLE = 0.5  # the share of a heat map's cells that must be filled, else it is mostly paper


@dataclass(frozen=True)
class Drawing:
    """A picture's file, and what it shows."""

    path: Path
    caption: str


def drawings(study: Study, folder: Path) -> Iterator[Drawing]:
    """Draws into a folder: each measure along the axes, then the curves."""
    for measure in study.measures:
        if study.drawn and any(len(setting.values(measure)) for setting in study.settings):
            yield along_axes(study, measure, folder)
    for term in CURVES:
        if found := curves(study, term, folder):
            yield found


def along_axes(study: Study, measure: Measure, folder: Path) -> Drawing:
    """A heat map for two axes, one for each value of a third; a line for one; else each axis over all the others.

    Runs that form no grid are dots at their values of each axis.
    """
    if len(study.drawn) in (2, 3) and _fills_a_map(study):
        return _heat_maps(study, measure, folder)
    if study.scattered:
        return _scatter(study, measure, folder)
    return _lines(study, measure, folder)


def _fills_a_map(study: Study) -> bool:
    sizes = [len(study.along[k].values) for k in study.drawn]
    few = max(sizes[:2]) <= MOST_VALUES and (len(sizes) < 3 or sizes[2] <= MOST_PANELS)
    return few and len(study.settings) >= WHOLE * int(np.prod(sizes))


def _heat_maps(study: Study, measure: Measure, folder: Path) -> Drawing:
    axes = [study.along[k] for k in study.drawn]
    down, across = (Side(axis.name, [shown(value) for value in axis.values]) for axis in axes[:2])
    values = axes[2].values if len(axes) > 2 else (None,)
    tables = [_table(study, measure, value) for value in values]
    path = folder / f"{_file(measure)}.png"
    heat_maps(tables, down, across, measure.rises, path, _title(measure, study), WHEN[measure.at_best], study.footer)
    return Drawing(path, f"{measure.name} over {' × '.join(axis.name for axis in axes)}")


def _table(study: Study, measure: Measure, third: object) -> Table:
    """Means over the first two axes, at a value of the third where there is one."""
    rows, columns, *more = (study.along[k] for k in study.drawn)
    shape = len(rows.values), len(columns.values)
    means, deviations, words = np.full(shape, np.nan), np.full(shape, np.nan), {}
    for setting in study.settings:
        row, column, *panel = (setting.point[k] for k in study.drawn)
        if panel in ([], [third]):
            cell = rows.values.index(row), columns.values.index(column)
            found = setting.values(measure)
            if len(found):
                means[cell], deviations[cell] = found.mean(), spread(found)
            else:
                words[cell] = ending(setting.records[0])
    return Table(f"{more[0].name}={shown(third)}" if more else "", means, deviations, words)


def ending(record: Record) -> str:
    """Why a run has no number: diverged, failed, running, …"""
    return "diverged" if record.summary.get("diverged") else record.status.lower()


def _lines(study: Study, measure: Measure, folder: Path) -> Drawing:
    panels = [_panel(study, measure, index) for index in study.drawn]
    path = folder / f"{_file(measure)}.png"
    along(panels, path, _title(measure, study), WHEN[measure.at_best], study.footer)
    others = ", each over all values of the others" if len(panels) > 1 else ""
    return Drawing(path, f"{measure.name} along {', '.join(panel.name for panel in panels)}{others}")


def _scatter(study: Study, measure: Measure, folder: Path) -> Drawing:
    """Each run at its value of each axis; of those that a search pruned, what they had reached."""
    runs = [record for setting in study.settings for record in setting.records]
    shown_ones = [r for r in runs if r.status in ("FINISHED", "PRUNED") and math.isfinite(measure.of(r))]
    reached = np.array([measure.of(record) for record in shown_ones])
    whole = np.array([record.status == "FINISHED" for record in shown_ones])
    axes = [study.along[k] for k in study.drawn]
    panels = [Cloud(axis.name, _along(axis, shown_ones)) for axis in axes]
    path = folder / f"{_file(measure)}.png"
    scatter(panels, reached, whole, path, _title(measure, study), WHEN[measure.at_best], study.footer)
    return Drawing(path, f"{measure.name} against {', '.join(axis.name for axis in axes)}")


def _along(axis: Axis, records: Sequence[Record]) -> list[float] | list[str]:
    values = [record.parameters.get(axis.key, ABSENT) for record in records]
    return values if all(map(is_number, values)) else [shown(value) for value in values]


def _panel(study: Study, measure: Measure, index: int) -> Along:
    axis = study.along[index]
    at = [[s.values(measure) for s in study.settings if s.point[index] == value] for value in axis.values]
    runs = [np.concatenate([np.empty(0), *values]) for values in at]
    numbers = all(is_number(value) for value in axis.values)
    return Along(axis.name, axis.values if numbers else [shown(v) for v in axis.values], runs)


def _title(measure: Measure, study: Study) -> str:
    return f"{measure.name[0].upper()}{measure.name[1:]}: {study.title}"


def _file(measure: Measure) -> str:
    return measure.name.replace(" ", "_").replace("/", "_")


def curves(study: Study, term: str, folder: Path) -> Drawing | None:
    """The curves of one term over each other, a panel a split; None where no run has any."""
    best = [standing.setting for standing in study.standings[:MOST]]
    settings = [setting for setting in study.settings if setting in best]  # in the order of the sweep, not of success
    looks = _looks(study, settings)
    panels = {
        words: lines for split, words in SPLITS.items() if (lines := _split_lines(settings, looks, f"{split}/{term}"))
    }
    if not panels:
        return None
    path = folder / f"curves_{term}.png"
    left_out = len(study.settings) > MOST
    what = f"{term} by epoch" + (f" · the best {MOST} of {len(study.settings)}" if left_out else "")
    scale: Literal["auto", "linear"] = "auto" if term == "loss" else "linear"
    overlay(panels, path, f"{term.capitalize()}: {study.title}", what, study.footer, scale)
    return Drawing(path, f"{term} by epoch, {', '.join(panels)}")


def _split_lines(settings: Sequence[Setting], looks: dict[str, tuple[int, int]], metric: str) -> list[Line]:
    return [
        Line(setting.label, record.history[metric], *looks[setting.label])
        for setting in settings
        for record in setting.records
        if metric in record.history
    ]


def _looks(study: Study, settings: Sequence[Setting]) -> dict[str, tuple[int, int]]:
    """A colour and a dash pattern for each setting: those of its values where two short axes allow it, else in turn."""
    sizes = [len(axis.values) for axis in study.along]
    if len(sizes) == 2 and sizes[0] <= len(COLOURS) and sizes[1] <= len(DASHES):
        first, second = study.along
        return {s.label: (first.values.index(s.point[0]), second.values.index(s.point[1])) for s in settings}
    return {s.label: (k, k // len(COLOURS)) for k, s in enumerate(settings)}
