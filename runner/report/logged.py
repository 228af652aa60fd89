"""Runs that anything logged to MLflow, as records of a report: only what MLflow knows of them.

Legend: E steps.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.runner.errors import UserError, suggestion
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.parameters import REPLICATES
from duograd.runner.report.records import Floats, Record
from duograd.runner.report.statistics import Interval
from duograd.runner.report.usual import BEST, FINAL, of_the_end, own_settings, usual_name, usual_settings

if TYPE_CHECKING:
    from duograd.runner.tracking.logged import LoggedRun

GUESSES = (
    "val/accuracy",
    "val/loss",
    "test/accuracy",
    "test/loss",
    "train/loss",
)  # what is ranked by, the first there is
MOST_NAMES = 3  # in a sentence
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
        """Each metric by step (E,), from step 1 on, or from 0 where there is one; NaN where it was not logged.

        A single value at step 0, where MLflow puts what was logged without one, says nothing of where steps begin.
        """
        steps = [step for values in self.logged.values() if not _is_one(values) for step, _ in values]
        first = 0 if min(steps, default=1) == 0 else 1
        near = all(first <= step < first + MOST_STEPS for step in steps)
        return {
            name: _by_step(values, first if near and not _is_one(values) else None)
            for name, values in self.logged.items()
        }

    @cached_property
    def parameters(self) -> dict[str, Any]:
        return dict(self.settings)

    @property
    def monitor(self) -> str | None:
        return self.leading


def _is_one(values: Sequence[tuple[int, float]]) -> bool:
    return len(values) == 1 and values[0][0] == 0


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
    jobs = [run for run in runs if not run.sweep]
    known = sorted({one for run in jobs for one in run.metrics})
    if not known:
        raise UserError(f"no run of experiment '{name}' has logged a metric: there is nothing to compare")
    names = {one: usual_name(one, known) for one in known}
    leading = _leading(names, metric)
    holders = {run.parent for run in jobs if any(names[one] == leading for one in run.metrics)}
    records = [_record(run, names, leading, ignored) for run in jobs if run.id not in holders]
    _check_ignored(ignored, runs)
    renamed = [f"{one} is {usual}" for one, usual in names.items() if one != usual]
    notes = [f"Metrics under their usual names: {', '.join(renamed)}."] if renamed else []
    notes += _left_out([run.name for run in runs if run.sweep or run.id in holders])
    if own := _of_one_run_each(records):
        notes.append(f"{own[0]} is another in each run, so that none repeats another: --ignore {own[0]} leaves it out.")
    return Comparison(name, records, interval=interval, rising=rises, along="step", remarks=notes)


def _check_ignored(ignored: Collection[str], runs: Sequence["LoggedRun"]) -> None:
    known = {key for run in runs for key in (*run.parameters, *_settings(run))}
    if unknown := [key for key in ignored if key not in known]:
        raise UserError(f"--ignore {unknown[0]}: no run has that parameter{suggestion(unknown[0], known)}")


def _left_out(holders: Sequence[str]) -> list[str]:
    """What is said of runs that hold others, as a sweep does its jobs, and may have the value of the best of them."""
    more = f" and {len(holders) - MOST_NAMES} more" if len(holders) > MOST_NAMES else ""
    names = ", ".join(holders[:MOST_NAMES]) + more
    return [f"Not ranked, as the runs below them are: {names}."] if holders else []


def _of_one_run_each(records: Sequence[LoggedRecord]) -> list[str]:
    """Parameters of words that every run has for itself: names, folders."""
    keys = dict.fromkeys(key for record in records for key in record.settings)
    values = {key: [record.settings.get(key) for record in records] for key in keys if key not in REPLICATES}
    words = {key: all(isinstance(value, str) for value in each) for key, each in values.items()}
    return [key for key, each in values.items() if words[key] and len(set(each)) == len(each) > 2]


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
        error=run.error,
        summary={"metrics": _final(logged, run.ours), "seconds": run.seconds, "diverged": run.diverged},
        log=place,
        settings={key: value for key, value in _settings(run, ignored).items() if key not in ignored},
        logged=logged,
        leading=leading,
        run_id=run.id,
        experiment=run.experiment,
    )


def _settings(run: "LoggedRun", ignored: Collection[str] = ()) -> dict[str, Any]:
    logged = {key: value for key, value in run.parameters.items() if key not in ignored}
    return own_settings(logged) if run.ours else usual_settings(logged)


def _final(logged: Mapping[str, Sequence[tuple[int, float]]], ours: bool) -> dict[str, float]:
    """The last values, and what was logged as final ones; runs of ours have all of these, evaluated after the end."""
    last = {name: values[-1][1] for name, values in logged.items()}
    final = {usual: value for name, value in last.items() if (usual := of_the_end(name, FINAL))}
    over_steps = {
        name: value for name, value in last.items() if not any(of_the_end(name, end) for end in (BEST, FINAL))
    }
    return final if ours and final else over_steps | final
