"""Optuna's study of a search, kept in a journal in the sweep's folder. Only the sweep's own process opens it."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from duograd.runner.sweep.options import REDUCTION, SearchOptions
from duograd.runner.sweep.space import Axis, Choices, Space

FEWEST = 2  # complete trials, of different values, that importances can be told from
JOB = "job"  # a trial's attribute: the number of the job that ran it
NAME = "search"


class Study:
    """The trials of a search: asked for one by one, and told how they ended. epochs: that the longest trial has."""

    def __init__(
        self, journal: Path, space: Space, options: SearchOptions, higher_is_better: bool, epochs: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        mend(journal)
        self._options = options
        self._distributions = {axis.key: _distribution(axis) for axis in space.axes}
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name=NAME,
            direction="maximize" if higher_is_better else "minimize",
            load_if_exists=True,
            pruner=pruner(options, epochs),
        )

    @property
    def trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def ask(self) -> Trial:
        """A new trial. Its draws are a function of the seed, its number and the trials before it."""
        self._study.sampler = sampler(self._options, len(self.trials))
        return self._study.ask(self._distributions)

    def spent(self) -> int:
        """How many trials there are, past those that failed."""
        return sum(trial.state != TrialState.FAIL for trial in self.trials)

    def retry(self, values: dict[str, Any]) -> Trial:
        """A new trial of given values."""
        self._study.enqueue_trial(values)
        return self.ask()

    def left_open(self) -> Iterator[Trial]:
        """Trials that were out when the process before this one ended. One that was not yet thought out has failed."""
        for trial in self.trials:
            if trial.state == TrialState.RUNNING:
                if set(trial.params) == set(self._distributions):
                    yield Trial(self._study, trial._trial_id)
                else:
                    self._study.tell(trial.number, state=TrialState.FAIL)

    def failed(self) -> dict[int, dict[str, Any]]:
        """The values of trials whose jobs failed, by the number of the job."""
        failed = [trial for trial in self.trials if trial.state == TrialState.FAIL and JOB in trial.user_attrs]
        return {trial.user_attrs[JOB]: dict(trial.params) for trial in failed}

    def report(self, trial: Trial, epoch: int, value: float) -> None:
        """The best value of a trial up to an epoch; what was reported before is not written again."""
        if epoch > max(self.trials[trial.number].intermediate_values, default=0):
            trial.report(value, epoch)

    def tell(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        """How a trial ended. The value of a pruned one is the last that was reported."""
        self._study.tell(trial.number, value, state)

    def importances(self) -> dict[str, float] | None:
        """The share of each key in the value of complete trials, by PED-ANOVA; None where nothing can be told."""
        values = {trial.value for trial in self.trials if trial.state == TrialState.COMPLETE}
        if len(values) < FEWEST or len(self._distributions) < 2:
            return None
        from optuna.importance import get_param_importances  # brings scikit-learn along: 2 s

        return {key: float(share) for key, share in get_param_importances(self._study).items()}


def sampler(options: SearchOptions, number: int) -> BaseSampler:
    """A sampler for the trial of a number alone: none has a state that would have to be saved."""
    seed = int(np.random.SeedSequence([options.seed, number]).generate_state(1)[0])
    match options.sampler:
        case "tpe":
            return TPESampler(seed=seed, n_startup_trials=options.startup_trials, constant_liar=True)
        case "random":
            return RandomSampler(seed=seed)
        case "qmc":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                first = RandomSampler(seed=seed)
                return QMCSampler(
                    seed=options.seed, scramble=True, independent_sampler=first, warn_independent_sampling=False
                )


def pruner(options: SearchOptions, epochs: int) -> BasePruner:
    """What ends trials early. Nothing is reported before the end of the warm-up."""
    match options.pruner:
        case "none":
            return NopPruner()
        case "median":
            return MedianPruner(n_startup_trials=options.startup_trials)
        case "asha":
            return SuccessiveHalvingPruner(min_resource=options.warmup(epochs), reduction_factor=REDUCTION)


def mend(journal: Path) -> None:
    """Cuts off a last line that a kill or a full disk left torn, and a lock whose owner is gone."""
    with suppress(FileNotFoundError):
        content = journal.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with journal.open("r+b") as file:
                file.truncate(whole)
    for lock in (journal.with_name(f"{journal.name}.lock"), *journal.parent.glob(f"{journal.name}.lock*.rename")):
        lock.unlink(missing_ok=True)


def _distribution(axis: Axis) -> BaseDistribution:
    if isinstance(axis, Choices):
        return CategoricalDistribution(axis.values)
    if axis.integer:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log, step=int(axis.step or 1))
    return FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)
