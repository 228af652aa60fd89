"""What the report of a search has beside that of a sweep: how it went, and which keys mattered."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from duograd.runner.plots.search import search_history, share_bars
from duograd.runner.plots.text import Output
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.ranking import Measure
from duograd.runner.report.tables import Column, Table
from duograd.runner.store.overrides import short_names
from duograd.runner.store.records import SearchRecord

STATES = {"COMPLETE": "complete", "PRUNED": "ended early", "FAIL": "failed", "RUNNING": "still open"}


def charts(search: SearchRecord, comparison: Comparison, folder: Path) -> Iterator[Picture]:
    """Draws into a folder: each trial's value in order; the importances, where they can be told."""
    values = np.array([np.nan if trial.value is None else trial.value for trial in search.trials], np.float64)
    complete = np.array([trial.state == "COMPLETE" for trial in search.trials])
    what, about = f"best {search.metric}", comparison.subject
    rises = Measure(search.metric or "").rises
    path = folder / "search_history.png"
    search_history(values, complete, rises, Output(path, f"Trials: {about}", comparison.footer), what)
    yield Picture(path, f"{what} of each trial, and the best so far")
    if search.importances:
        names = short_names(list(search.importances))
        parts = {names[key]: share for key, share in search.importances.items()}
        path = folder / "importances.png"
        out = Output(path, f"What mattered: {about}", comparison.footer)
        share_bars(parts, out, f"share in the {what} of complete trials")
        yield Picture(path, "How far each parameter sets the best trials apart from the others, in shares (PED-ANOVA)")


def summary(search: SearchRecord) -> str:
    """`40 trials by random, pruned by median (ends …): 30 complete, 8 ended early, 2 failed.`"""
    counts = Counter(trial.state for trial in search.trials)
    ends = ", ".join(f"{counts[state]} {words}" for state, words in STATES.items() if counts[state])
    jobs = [trial.job for trial in search.trials if trial.job is not None]
    again = len(jobs) - len(set(jobs))
    repeated = f" {again} had the values of another and took its result." if again else ""
    return f"{len(search.trials)} trials by {search.method}: {ends}.{repeated}"


def importances(search: SearchRecord) -> Table | None:
    """The share of each key in the value, the largest first; None where it cannot be told."""
    if not search.importances:
        return None
    ordered = dict(sorted(search.importances.items(), key=lambda item: -item[1]))
    percents = [f"{100 * share:.1f} %" for share in ordered.values()]
    return Table([Column("parameter", list(ordered), numeric=False), Column("importance", percents)])
