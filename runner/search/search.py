"""A search from beginning to end: a sweep whose jobs come from Optuna's trials."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from duograd.runner.errors import UserError
from duograd.runner.registry import higher_is_better
from duograd.runner.search.jobs import Jobs
from duograd.runner.search.options import SearchOptions
from duograd.runner.search.source import Trials
from duograd.runner.search.space import Space
from duograd.runner.search.study import JOB, Study
from duograd.runner.search.watch import Watch, rungs
from duograd.runner.store.folders import JOURNAL, SEARCH, SweepFolder
from duograd.runner.store.records import SearchRecord, SweepRecord, TrialRecord
from duograd.runner.sweep.composer import Composer
from duograd.runner.sweep.execute import Source
from duograd.runner.sweep.plan import Job, plan
from duograd.runner.sweep.sweep import Request, Sweep, found, new


@dataclass(frozen=True)
class Wanted:
    """What is searched, and how. probes: jobs at the ends of the space, composed and checked."""

    space: Space
    options: SearchOptions
    probes: list[Job]

    @property
    def epochs(self) -> int:
        """Of the longest trial."""
        return max(job.config.epochs for job in self.probes)

    @property
    def monitor(self) -> str | None:
        return self.probes[0].config.monitor

    @property
    def rises(self) -> bool:
        """Whether a larger value is the better one."""
        return higher_is_better(self.monitor or "", self.probes[0].config.loss.name)


def wanted(composer: Composer, space: Space, options: SearchOptions, directory: Path) -> Wanted:
    """Checked before anything starts: every end of every axis. Raises UserError."""
    asked = Wanted(space, options, [_probe(composer, space, point, directory) for point in space.probes()])
    probes = asked.probes
    if len({job.config.monitor for job in probes}) > 1:
        raise UserError("monitor cannot be searched: trials are compared by it; set one, such as monitor=val/accuracy")
    if options.pruner != "none" and options.warmup(asked.epochs) >= asked.epochs:
        raise UserError(
            f"hydra.sweeper.warmup_epochs={options.warmup(asked.epochs)}: with epochs={asked.epochs} no trial could "
            "end early; lower it, or set hydra.sweeper.pruner=none"
        )
    return asked


def _probe(composer: Composer, space: Space, point: list[str], directory: Path) -> Job:
    try:
        [job] = plan(composer, [[*space.fixed, *point]], space.keys, directory)
    except UserError as error:
        raise UserError(f"{error}; so no trial with {' '.join(point)} could run, and none was started") from None
    return job


def go(request: Request, asked: Wanted, composer: Composer) -> int:
    """Searches; 0: all trials came to an end, 1: not so, 128 + a signal. Raises UserError."""
    folder = SweepFolder(request.folder)
    with folder.locked():
        record = found(folder, request)
        search = begun(folder.path, asked) if record else beginning(asked)
        record = record or new(folder, request)
        for job in record.jobs:
            job.refresh(folder.path)
        record.command, record.launcher = request.command, request.launcher.model_dump()
        return Search(request, folder, record, asked, search, composer).go()


def beginning(asked: Wanted) -> SearchRecord:
    """The record of a search that is about to begin."""
    space, first = asked.space, asked.probes[0]
    return SearchRecord(list(space.typed), list(space.fixed), first.hash, asked.options.model_dump(), asked.monitor)


def begun(folder: Path, asked: Wanted) -> SearchRecord:
    """The record of the search to go on with. Raises UserError where it looked for something else."""
    if not (folder / SEARCH).exists():
        raise UserError(f"{folder} holds a sweep that is no search: go on with it without hydra/sweeper=optuna")
    then, now = SearchRecord.load(folder), beginning(asked)
    if then.typed != now.typed or then.digest != now.digest:
        before, after = ({*r.typed, *r.fixed} for r in (then, now))
        changed = f"was {_listed(before - after)}, is {_listed(after - before)} now"
        raise UserError(
            f"{folder} was begun differently: {changed}; resume with the same space and configuration, "
            "or choose another folder with hydra.sweep.dir=DIR"
        )
    then.options, then.fixed = now.options, now.fixed
    return then


def _listed(overrides: set[str]) -> str:
    return " ".join(sorted(overrides)) or "without"


class Search(Sweep):
    """A sweep on its way, of which nobody knows all jobs."""

    def __init__(
        self,
        request: Request,
        folder: SweepFolder,
        record: SweepRecord,
        asked: Wanted,
        search: SearchRecord,
        composer: Composer,
    ) -> None:
        self.asked, self.search = asked, search
        self.thought_of = Jobs(composer, asked.space, request.directory, record)
        super().__init__(request, folder, record, self.thought_of.composed, Console())
        self.study: Study | None = None
        self.trials: Trials | None = None

    def _wanted(self) -> int:
        """As many as there may be at the most: a trial can come to a job that is known."""
        if (self.folder.path / JOURNAL).exists():
            self.study = self._opened()
            open_ones = sum(not trial.state.is_finished() for trial in self.study.trials)
            return max(0, self.asked.options.n_trials - self.study.spent()) + open_ones
        return self.asked.options.n_trials

    def _opened(self) -> Study:
        asked = self.asked
        return Study(self.folder.path / JOURNAL, asked.space, asked.options, asked.rises, asked.epochs)

    def _say(self, wanted: int) -> None:
        options, over = self.asked.options, self.asked.options.n_trials - wanted
        already = f", {over} of them over already" if over else ""
        line = f"search of {options.n_trials} trials{already}; everything goes to {self.folder.path}"
        self.console.print(line, highlight=False, soft_wrap=True, markup=False)

    def _source(self) -> Source:
        self.study = self.study or self._opened()
        watch = partial(
            Watch,
            monitor=self.asked.monitor,
            rises=self.asked.rises,
            rungs=rungs(self.asked.options, self.asked.epochs),
        )
        self.trials = Trials(self.study, self.thought_of, self.asked.options, self._task, watch, list(self.record.jobs))
        return self.trials

    @contextmanager
    def _told(self) -> Iterator[None]:
        self.search.save(self.folder.path)  # before sweep.json: what has one without the other is a grid
        with super()._told():
            yield

    def _over(self) -> bool:
        """Of a space that is searched, where training diverges is found out: that is no failure of the search."""
        enough = self.trials is None or self.trials.over
        return enough and all(job.settled or job.diverged for job in self.record.jobs)

    def _close(self) -> None:
        super()._close()
        if self.study is not None:
            self.search.trials = [
                TrialRecord(trial.number, trial.state.name, trial.value, trial.user_attrs.get(JOB))
                for trial in self.study.trials
            ]
            self.search.importances = self.study.importances()
        found = [job.best["metric"] for job in self.record.jobs if job.best]
        self.search.metric = next(iter(found), self.search.metric)
        self.search.save(self.folder.path)
