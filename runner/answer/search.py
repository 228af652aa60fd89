"""What the answer to a search has beside that of a sweep: how it went, and which keys mattered."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from duograd.runner.answer.differences import short_names
from duograd.runner.answer.drawings import Drawing
from duograd.runner.answer.ranking import Measure
from duograd.runner.answer.study import Study
from duograd.runner.answer.tables import Table
from duograd.runner.figures.history import search_history
from duograd.runner.figures.shares import shares
from duograd.runner.search.record import SEARCH, SearchRecord

STATES = {"COMPLETE": "complete", "PRUNED": "ended early", "FAIL": "failed", "RUNNING": "still open"}


def read_search(folder: Path) -> SearchRecord | None:
    """The search of a sweep's folder; None where it is none, or has no trial yet. Raises UserError."""
    search = SearchRecord.load(folder) if (folder / SEARCH).exists() else None
    return search if search and search.trials else None


def search_drawings(search: SearchRecord, study: Study, folder: Path) -> Iterator[Drawing]:
    """Draws into a folder: each trial's value in order; the importances, where they can be told."""
    reached = np.array([np.nan if trial.value is None else trial.value for trial in search.trials], np.float64)
    whole = np.array([trial.state == "COMPLETE" for trial in search.trials])
    what = f"best {search.metric}"
    rises = Measure(search.metric or "", at_best=True).rises
    path = folder / "search_history.png"
    search_history(reached, whole, rises, path, f"Trials: {study.title}", what, study.footer)
    yield Drawing(path, f"{what} of each trial, and the best so far")
    if search.importances:
        names = short_names(list(search.importances))
        found = {names[key]: share for key, share in search.importances.items()}
        path = folder / "importances.png"
        shares(found, path, f"What mattered: {study.title}", f"share in the {what} of complete trials", study.footer)
        yield Drawing(path, "The share of each parameter in the value (PED-ANOVA)")


def search_summary(search: SearchRecord) -> str:
    """`40 trials by tpe, pruned by asha: 30 complete, 8 ended early, 2 failed.`"""
    counts = Counter(trial.state for trial in search.trials)
    ends = ", ".join(f"{counts[state]} {words}" for state, words in STATES.items() if counts[state])
    options = search.options
    pruned = "" if options["pruner"] == "none" else f", pruned by {options['pruner']}"
    jobs = [trial.job for trial in search.trials if trial.job is not None]
    again = len(jobs) - len(set(jobs))
    repeated = f" {again} had the values of another and took its result." if again else ""
    return f"{len(search.trials)} trials by {options['sampler']}{pruned}: {ends}.{repeated}"


def importances(search: SearchRecord) -> Table | None:
    """The share of each key in the value, the largest first; None where it cannot be told."""
    if not search.importances:
        return None
    ordered = sorted(search.importances.items(), key=lambda item: -item[1])
    return Table(["parameter", "importance"], [[key, f"{100 * share:.1f} %"] for key, share in ordered], [False, True])
