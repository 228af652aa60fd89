"""Confusion matrices of the best classifiers side by side: those that the runs counted, else counted anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.answer.drawings import Drawing
from duograd.runner.answer.ranking import best_run
from duograd.runner.answer.rebuild import MissingError, Workshop
from duograd.runner.answer.records import Record
from duograd.runner.answer.study import Study
from duograd.runner.classification import confusion, outputs
from duograd.runner.figures.confusions import confusion_matrices

Counts = NDArray[np.intp]
MOST = 9  # runs
SPLITS = {"test": "test", "val": "validation", "train": "training"}  # the first that is there


def matrices(study: Study, workshop: Workshop, folder: Path) -> Drawing | str:
    """Draws into a folder; a string says why nothing could be drawn."""
    ranked = [standing for standing in study.standings if standing.place]
    found: dict[str, Counts] = {}
    try:
        split, classes = _split_and_classes(study, workshop)
        for standing in ranked[:MOST]:
            run = best_run(standing, study.measure)
            found[standing.setting.label] = counts(run, split, workshop)
    except MissingError as reason:
        return f"Confusion matrices are left out: {reason}"
    path = folder / "confusion.png"
    best = f"the best {MOST} of {len(study.settings)} · " if len(ranked) > MOST else ""
    seeds = "of several seeds the best · " if study.replicated else ""
    confusion_matrices(found, classes, path, f"Confusion: {study.title}", f"{best}{seeds}{SPLITS[split]}", study.footer)
    return Drawing(path, f"confusion matrices on {SPLITS[split]} samples")


def _split_and_classes(study: Study, workshop: Workshop) -> tuple[str, Sequence[str]]:
    """The most telling split that every run has, and the names of the classes."""
    if study.best is None:
        raise MissingError("no run finished")
    told: Mapping[str, Any] = study.best.summary.get("f1") or {}
    if told:
        split = next(name for name in SPLITS if name in told)
        return split, list(told[split])
    data = workshop.data(study.best)
    return data.held_out, data.classes


def counts(run: Record, split: str, workshop: Workshop) -> Counts:
    """The counts (C, C) in summary.json; else those of the last weights, whose metrics summary.json holds."""
    told = (run.summary.get("confusion") or {}).get(split)
    if told is not None:
        return np.array(told, dtype=np.intp)
    data = workshop.data(run)
    samples = data.splits.get(split)
    if samples is None or samples.targets is None:
        raise MissingError(f"{run.name} has no {SPLITS[split]} samples")
    return confusion(
        samples.targets, outputs(workshop.engine(run, best=False), samples).argmax(axis=1), len(data.classes)
    )
