"""Several runs as one: a sweep, a search, or any runs side by side."""

import warnings
from collections.abc import Iterator
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duograd.runner.api import frames, notebook, pages, sweep_process
from duograd.runner.api.runs import Run, RunError
from duograd.runner.errors import UserError
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.select import sweep_runs
from duograd.runner.store.folders import SweepFolder, is_run_folder
from duograd.runner.store.records import SweepRecord

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 10  # rows in a notebook


class Runs:
    """Runs of one task beside each other. folder: of their tables, pages and pictures."""

    def __init__(self, comparison: Comparison, folder: Path) -> None:
        self.folder, self._comparison = folder.absolute(), comparison

    @property
    def table(self) -> "DataFrame":
        """A row a run: what differs, by key; status, final metrics, the value that ranks it, seconds, error, folder."""
        return frames.table(self._comparison, self._keys())

    def _keys(self) -> list[str]:
        return self._comparison.differing

    @property
    def best(self) -> Run:
        """The run that did best; of several seeds, the best one's. Raises UserError where none has finished."""
        if self._comparison.best is None:
            raise UserError(f"no run of {self.folder} has finished: its table says why")
        return Run(self._comparison.best.folder)

    @property
    def figures(self) -> pages.Pictures:
        """The pictures by name; a notebook shows them."""
        return pages.Pictures(self.folder / "figures")

    def __iter__(self) -> Iterator[Run]:
        return (Run(r.folder) for r in self._comparison.records if is_run_folder(r.folder))

    def __len__(self) -> int:
        return len(self._comparison.records)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} runs: {self.folder}>"

    def _repr_html_(self) -> str:
        """The best few, and a picture or two."""
        measure, table = self._comparison.measure, self.table.drop(columns=["error", "folder"])
        ranked = table.sort_values(measure.name, ascending=not measure.rises)
        more = f"the best {SHOWN} of {len(self)} runs" if len(self) > SHOWN else f"{len(self)} runs"
        rows: str = ranked.head(SHOWN).to_html(border=0, float_format=lambda value: f"{value:.5g}")
        return pages.card(self._comparison.subject, more, {"folder": self.folder}) + rows + self.figures.first()


class Sweep(Runs):
    """A sweep or a search, read from its folder. Raises UserError where that holds none."""

    def __init__(self, folder: str | PathLike[str]) -> None:
        path = Path(folder)
        super().__init__(sweep_runs(path), path)

    def _keys(self) -> list[str]:
        return [*self._comparison.swept]

    def resume(self, progress: bool = True, n_workers: int | None = None, trust: bool = False) -> "Sweep":
        """Runs what is left of it; the sweep as it is then. trust: also by the copy of own code that the folder keeps.

        Raises as `duograd.sweep` does.
        """
        workers = [] if n_workers is None else ["--n-workers", str(n_workers)]
        trusted = ["--trust"] if trust else []
        return swept(["resume", str(self.folder), *workers, *trusted], self.folder, progress)

    @cached_property
    def importances(self) -> dict[str, float] | None:
        """Of a search: the share that each key has in what came out, where it can be told."""
        search = self._comparison.search
        return search.importances if search else None

    def failures(self) -> "DataFrame":
        """The rows of the table that did not come to their end."""
        table: Any = self.table
        return table[~table.status.isin(["FINISHED", "PRUNED"])]


def swept(arguments: list[str], folder: Path, progress: bool) -> Sweep:
    """The sweep of the folder, which `duograd ARGUMENTS` brings to its end. Raises as `duograd.sweep` does."""
    look = Watch(folder).look if progress and notebook.in_notebook() else lambda: None
    code = sweep_process.command(arguments, progress, look)
    sweep = Sweep(folder)
    failures = sweep.failures()
    if code and len(failures) == len(sweep):
        raise RunError(f"all {len(sweep)} runs failed, the first: {failures.error.iloc[0]}", folder)
    if len(failures):
        warnings.warn(f"{len(failures)} of {len(sweep)} runs failed: {folder}", RuntimeWarning, stacklevel=4)
    return sweep


class Watch:
    """A bar in a notebook that says how many jobs of a sweep are over."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._bar = SweepFolder(folder), notebook.Bar()

    def look(self) -> None:
        """Brings the bar up to date."""
        if self._folder.record.exists():
            record = SweepRecord.load(self._folder.path)
            over = len(record.jobs) - record.count("PENDING", "RUNNING")
            line = f"{over} of {len(record.jobs)} runs over, {record.count('RUNNING')} running"
            self._bar.update(over / max(1, len(record.jobs)), line)
