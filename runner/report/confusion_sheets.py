"""Confusion matrices of the best classifiers side by side: those that the runs counted, else counted anew."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.classification import confusion, outputs
from duograd.runner.plots.confusion import confusion_matrices
from duograd.runner.plots.text import Output, joined
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import REPLICATES, Axis, label
from duograd.runner.report.ranking import Group, Measure, best_run
from duograd.runner.report.records import Record
from duograd.runner.report.restore import MissingError, Restorer

Counts = NDArray[np.intp]
MOST = 9  # runs
SPLITS = {"test": "test", "val": "validation", "train": "training"}  # the first that is there


def sheets(comparison: Comparison, restorer: Restorer, folder: Path) -> Iterator[Picture | str]:
    """Draws into a folder; a string says why nothing could be drawn."""
    ranked = [rank.group for rank in comparison.ranks if rank.place]
    try:
        split, classes = _split_and_classes(comparison, restorer)
        best_runs = dict(_best_of_seeds(group, comparison.measure) for group in ranked)
        alike = {name: run for name, run in best_runs.items() if has_classes(run, split, classes)}
        matrices = {name: counts(run, split, restorer) for name, run in list(alike.items())[:MOST]}
    except MissingError as reason:
        yield f"Confusion matrices are left out: {reason}"
        return
    best = f"the best {MOST} of {len(comparison.groups)}" if len(alike) > MOST else ""
    seeds = f"of several seeds the best {_by(comparison.measure.metric)}" if comparison.replicated else ""
    out = Output(folder / "confusion.png", f"Confusion: {comparison.subject}", comparison.footer)
    confusion_matrices(matrices, classes, out, joined(best, seeds, SPLITS[split]))
    yield Picture(out.path, ", ".join(filter(None, [f"confusion matrices on {SPLITS[split]} samples", seeds])))


def _best_of_seeds(group: Group, measure: Measure) -> tuple[str, Record]:
    """A group's best run and its label, which says of which seed and fold it is where there are several."""
    run = best_run(group, measure)
    axes = [Axis(key, name, ()) for key, name in REPLICATES.items() if len(group.values_of(key)) > 1]
    return " ".join(filter(None, [group.label, label(run.parameters, axes)])), run


def _by(metric: str) -> str:
    """`on validation (val/loss)`."""
    split = SPLITS.get(metric.partition("/")[0])
    return f"on {split} ({metric})" if split else f"by {metric}"


def _split_and_classes(comparison: Comparison, restorer: Restorer) -> tuple[str, Sequence[str]]:
    """The most telling split that every run has, and the names of the classes."""
    if comparison.best is None:
        raise MissingError("no run finished")
    scores: Mapping[str, Any] = comparison.best.summary.get("f1") or {}
    if scores:
        split = next(name for name in SPLITS if name in scores)
        return split, list(scores[split])
    data = restorer.data(comparison.best)
    return data.held_out, data.classes


def has_classes(run: Record, split: str, classes: Sequence[str]) -> bool:
    """Whether it is a classifier, and of those classes as far as its summary says."""
    scores = (run.summary.get("f1") or {}).get(split)
    is_classifier = any(name.endswith("/accuracy") for name in run.metrics)
    return is_classifier and (scores is None or list(scores) == list(classes))


def counts(run: Record, split: str, restorer: Restorer) -> Counts:
    """The counts (C, C) in summary.json; else those of the last weights, whose metrics summary.json holds."""
    counted = (run.summary.get("confusion") or {}).get(split)
    if counted is not None:
        return np.array(counted, dtype=np.intp)
    data = restorer.data(run)
    samples = data.splits.get(split)
    if samples is None or samples.targets is None:
        raise MissingError(f"{run.name} has no {SPLITS[split]} samples")
    classes = outputs(restorer.engine(run, best=False), samples).argmax(axis=1)
    return confusion(samples.targets, classes, len(data.classes))
