"""A search: a sweep whose jobs are Optuna's trials. search.json says what is looked for, and what came of it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from duograd.runner.compose import Composer
from duograd.runner.errors import UserError
from duograd.runner.registry import LOSSES, higher_is_better
from duograd.runner.store import code
from duograd.runner.store.folders import JOURNAL, SEARCH, SweepFolder
from duograd.runner.store.records import SearchRecord, SweepRecord, TrialRecord
from duograd.runner.sweep.gpus import refuse_absent
from duograd.runner.sweep.options import Request, SearchOptions
from duograd.runner.sweep.plan import SEED, Job, plan
from duograd.runner.sweep.progress import BestAtRungs, rungs
from duograd.runner.sweep.records import open_record
from duograd.runner.sweep.space import Space
from duograd.runner.sweep.study import JOB, Study
from duograd.runner.sweep.sweep import Sweep
from duograd.runner.sweep.trials import TrialJobs, Trials


@dataclass(frozen=True)
class SearchPlan:
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
    def higher_is_better(self) -> bool:
        return higher_is_better(self.monitor or "", LOSSES.of(self.probes[0].config.loss))

    def record(self) -> SearchRecord:
        """Of a search that is about to begin."""
        typed, fixed = list(self.space.typed), list(self.space.fixed)
        return SearchRecord(typed, fixed, self.probes[0].hash, self.options.model_dump(), self.monitor)

    def describe(self) -> str:
        """`40 trials by random, of 100 epochs at the most`."""
        seeds = f"{self.options.seeds} seeds of " if self.options.seeds > 1 else ""
        how = self.record().method
        return f"{self.options.n_trials} trials by {how}, of {seeds}{self.epochs} epochs at the most"

    @property
    def seeds(self) -> list[int | None]:
        """Of each trial, from the configuration's own on; None where that is the only one."""
        first, several = self.probes[0].config.seed, self.options.seeds > 1
        return list(range(first, first + self.options.seeds)) if several else [None]


def plan_search(composer: Composer, space: Space, options: SearchOptions, directory: Path) -> SearchPlan:
    """Checked before anything starts: every end of every axis. Raises UserError."""
    probes = [_probe(composer, space, point, directory) for point in space.probes()]
    search = SearchPlan(space, options, probes)
    if len({job.config.monitor for job in probes}) > 1:
        raise UserError("monitor cannot be searched: trials are compared by it; set one, such as monitor=val/accuracy")
    if options.seeds > 1 and SEED in space.keys:
        raise UserError(f"hydra.sweeper.seeds={options.seeds} and a search over seed: leave one of them out")
    if options.pruner != "none" and options.warmup(search.epochs) >= search.epochs:
        raise UserError(
            f"hydra.sweeper.warmup_epochs={options.warmup(search.epochs)}: with epochs={search.epochs} no trial could "
            "end early; lower it, or set hydra.sweeper.pruner=none"
        )
    return search


def _probe(composer: Composer, space: Space, point: list[str], directory: Path) -> Job:
    try:
        [job] = plan(composer, [[*space.fixed, *point]], space.keys, directory)
    except UserError as error:
        raise UserError(f"{error}; so no trial with {' '.join(point)} could run, and none was started") from None
    return job


def run_search(request: Request, search: SearchPlan, composer: Composer) -> int:
    """Searches, or says what it would search.

    0: all trials came to an end, 1: not so, 128 + a signal. Raises UserError.
    """
    if request.options.dry_run:
        for line in (*search.space.typed, f"{search.describe()}; none was started"):
            Console().print(line, highlight=False, soft_wrap=True, markup=False)
        return 0
    with SweepFolder(request.folder).locked():
        refuse_absent([probe.config for probe in search.probes], request.launcher)
        record = open_record(request, list(search.space.fixed), search.probes[0].config)
        return Sweep(request, record, Search(request, record, search, composer)).run()


class Search:
    """A `JobSource` that asks Optuna, whose journal lies in the folder. Raises UserError where it looks for something
    else than the search that the folder holds."""

    def __init__(self, request: Request, record: SweepRecord, plan: SearchPlan, composer: Composer) -> None:
        self._folder, self._sweep, self._plan = request.folder, record, plan
        self._record = _known(request.folder, plan) if request.options.resume else plan.record()
        self._jobs = TrialJobs(composer, plan.space, request.directory, record.jobs)
        self._study: Study | None = None
        self._trials: Trials | None = None

    def remaining(self) -> int:
        """As many as there may be at the most: a trial can come to a job that is known."""
        return self._trials_left() * self._plan.options.seeds

    def _trials_left(self) -> int:
        if not (self._folder / JOURNAL).exists():
            return self._plan.options.n_trials
        study = self._opened()
        unfinished = sum(not trial.state.is_finished() for trial in study.trials)
        return max(0, self._plan.options.n_trials - study.spent()) + unfinished

    def title(self) -> str:
        trials = self._plan.options.n_trials
        over = trials - self._trials_left()
        return f"search of {trials} trials" + (f", {over} of them over already" if over else "")

    def start(self) -> Trials:
        self._record.save(self._folder)  # before sweep.json: what has one without the other is a grid
        plan = self._plan
        for probe in plan.probes:
            code.keep(probe.config, self._folder)
        watch = partial(
            BestAtRungs,
            monitor=plan.monitor,
            higher_is_better=plan.higher_is_better,
            rungs=rungs(plan.options, plan.epochs),
        )
        known = list(self._sweep.jobs)
        self._trials = Trials(self._opened(), self._jobs, plan.options, watch, known, plan.seeds, plan.epochs)
        return self._trials

    def complete(self) -> bool:
        """Of a space that is searched, where training diverges is found out: that is no failure of the search."""
        enough = self._trials is None or self._trials.over
        return enough and all(job.settled or job.diverged for job in self._sweep.jobs)

    def finish(self) -> None:
        """Writes what every trial came to, and which parameters matter."""
        study, record = self._opened(), self._record
        record.trials = [
            TrialRecord(trial.number, trial.state.name, trial.value, trial.user_attrs.get(JOB))
            for trial in study.trials
        ]
        record.importances = study.importances()
        monitors = [job.best["metric"] for job in self._sweep.jobs if job.best]
        record.metric = next(iter(monitors), record.metric)
        record.save(self._folder)

    def _opened(self) -> Study:
        if self._study is None:
            plan = self._plan
            journal = self._folder / JOURNAL
            self._study = Study(journal, plan.space, plan.options, plan.higher_is_better, plan.epochs)
        return self._study


def _known(folder: Path, plan: SearchPlan) -> SearchRecord:
    """The record of the search to go on with. Raises UserError where it looked for something else."""
    if not (folder / SEARCH).exists():
        raise UserError(f"{folder} holds a sweep that is no search: go on with it without hydra/sweeper=optuna")
    before, now = SearchRecord.load(folder), plan.record()
    if (then := before.options.get("seeds", 1)) != plan.options.seeds:
        raise UserError(
            f"{folder} was begun with hydra.sweeper.seeds={then}: its trials could not be compared with such of "
            f"{plan.options.seeds}; go on with {then}, or choose another folder with hydra.sweep.dir=DIR"
        )
    if before.typed != now.typed or before.digest != now.digest:
        then, today = ({*record.typed, *record.fixed} for record in (before, now))
        changed = f"was {_listed(then - today)}, is {_listed(today - then)} now"
        raise UserError(
            f"{folder} was begun differently: {changed}; resume with the same space and configuration, "
            "or choose another folder with hydra.sweep.dir=DIR"
        )
    before.options, before.fixed = now.options, now.fixed
    return before


def _listed(overrides: set[str]) -> str:
    return " ".join(sorted(overrides)) or "without"
