"""Runs that something else logged to MLflow, as records of a report: only what MLflow knows of them.

Legend: E steps.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.runner.errors import UserError, suggestion
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import REPLICATES, SEED
from duograd.runner.report.records import Floats, Record
from duograd.runner.report.statistics import Interval
from duograd.runner.store.overrides import as_typed

if TYPE_CHECKING:
    from duograd.runner.tracking.logged import LoggedRun

SEEDS = re.compile(r"(.*[._/-])?((random|rng|manual|global|np|torch|data|split)[._-]?)?(seed|random[._-]?state)", re.I)
FOLDS = re.compile(r"(.*[._/-])?(cv[._-]?)?fold([._-]?(index|id|number|no))?", re.I)
FOLD = next(key for key in REPLICATES if key != SEED)
SPLITS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "eval", "dev"), "val"
)
TERMS = {"acc": "accuracy"}
GUESSES = (
    "val/accuracy",
    "val/loss",
    "test/accuracy",
    "test/loss",
    "train/loss",
)  # what is ranked by, the first there is
MOST_STEPS = 100_000  # that a history is laid out by; further apart, values are numbered


@dataclass(frozen=True, eq=False)
class LoggedRecord(Record):
    """A run of MLflow's. settings: its parameters; logged: its metrics over steps; leading: what it is ranked by."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    logged: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    leading: str = ""
    run_id: str = ""
    experiment: str = ""

    @cached_property
    def history(self) -> dict[str, Floats]:
        """Each metric by step (E,), from step 1 on, or from 0 where there is one; NaN where it was not logged."""
        steps = [step for values in self.logged.values() for step, _ in values]
        first = 0 if min(steps, default=1) == 0 else 1
        near = all(first <= step < first + MOST_STEPS for step in steps)
        return {name: _by_step(values, first if near else None) for name, values in self.logged.items()}

    @cached_property
    def parameters(self) -> dict[str, Any]:
        return dict(self.settings)

    @property
    def monitor(self) -> str | None:
        return self.leading


def _by_step(values: Sequence[tuple[int, float]], first: int | None) -> Floats:
    if first is None:
        return np.array([value for _, value in values], np.float64)
    column = np.full(max(step for step, _ in values) - first + 1, np.nan)
    for step, value in values:
        column[step - first] = value
    return column


def logged_comparison(
    name: str,
    runs: Sequence["LoggedRun"],
    metric: str | None = None,
    rises: bool | None = None,
    ignored: Collection[str] = (),
    interval: Interval = "t",
) -> Comparison:
    """The runs of an experiment beside each other.

    metric: to rank by, None guesses; rises: more of it is better, None where its name says. ignored: parameters that
    are no setting. Raises UserError for runs without metrics and for unknown names.
    """
    known = sorted({one for run in runs for one in run.metrics})
    if not known:
        raise UserError(f"no run of experiment '{name}' has logged a metric: there is nothing to compare")
    names = {one: usual_name(one, known) for one in known}
    leading = _leading(names, metric)
    if unknown := [key for key in ignored if not any(key in run.parameters for run in runs)]:
        parameters = sorted({key for run in runs for key in run.parameters})
        raise UserError(f"--ignore {unknown[0]}: no run has that parameter{suggestion(unknown[0], parameters)}")
    records = [_record(run, names, leading, ignored) for run in runs]
    renamed = [f"{one} is {usual}" for one, usual in names.items() if one != usual]
    notes = [f"Metrics under their usual names: {', '.join(renamed)}."] if renamed else []
    if own := _of_one_run_each(records):
        notes.append(f"{own[0]} is another in each run, so that none repeats another: --ignore {own[0]} leaves it out.")
    return Comparison(name, records, interval=interval, rising=rises, along="step", remarks=notes)


def _of_one_run_each(records: Sequence[LoggedRecord]) -> list[str]:
    """Parameters of words that every run has for itself: names, folders."""
    keys = dict.fromkeys(key for record in records for key in record.settings)
    values = {key: [record.settings.get(key) for record in records] for key in keys if key not in REPLICATES}
    words = {key: all(isinstance(value, str) for value in each) for key, each in values.items()}
    return [key for key, each in values.items() if words[key] and len(set(each)) == len(each) > 2]


def usual_name(name: str, known: Iterable[str] = ()) -> str:
    """`val/accuracy` of val_acc, valid-accuracy, Accuracy/validation; the name itself where it says no split.

    Two names that would come to be one stay as they are.
    """
    usual = _usual(name)
    return name if sum(_usual(other) == usual for other in known) > 1 else usual


def _usual(name: str) -> str:
    words = [word for word in re.split(r"[_/.\-\s]+", name.lower()) if word]
    split = next((SPLITS[word] for word in words if word in SPLITS), None)
    rest = [TERMS.get(word, word) for word in words if word not in SPLITS]
    return f"{split}/{'_'.join(rest)}" if split and rest else name


def _leading(names: Mapping[str, str], asked: str | None) -> str:
    if asked is None:
        usual = list(names.values())
        return next((guess for guess in GUESSES if guess in usual), usual[0])
    if asked not in names and asked not in names.values():
        raise UserError(f"--metric {asked}: no run has logged it{suggestion(asked, list(names))}")
    return names.get(asked, asked)


def _record(run: "LoggedRun", names: Mapping[str, str], leading: str, ignored: Collection[str]) -> LoggedRecord:
    logged = {names[name]: values for name, values in run.metrics.items() if values}
    place = Path(f"mlflow:{run.id}")
    return LoggedRecord(
        run.name,
        place,
        run.status,
        config={"logged": True},
        summary={"metrics": {name: values[-1][1] for name, values in logged.items()}, "seconds": run.seconds},
        log=place,
        settings=settings({key: value for key, value in run.parameters.items() if key not in ignored}),
        logged=logged,
        leading=leading,
        run_id=run.id,
        experiment=run.experiment,
    )


def settings(logged: Mapping[str, str]) -> dict[str, Any]:
    """The parameters with their types; those that look like seeds together as `seed`, like folds as `data.fold`."""
    replicates = {SEED: SEEDS, FOLD: FOLDS}
    like = {key: [name for name in logged if pattern.fullmatch(name)] for key, pattern in replicates.items()}
    taken = {name for names in like.values() for name in names}
    together = {key: ", ".join(logged[name] for name in names) for key, names in like.items() if names}
    every = {name: value for name, value in logged.items() if name not in taken} | together
    return {name: as_typed(value) for name, value in every.items()}
