"""Trials as the jobs of a sweep: asked of Optuna when a worker is free, told when their jobs have ended.

A trial has a job for each of its seeds, one after the other; its value is their mean, and it may be pruned on the way.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import Trial, TrialState

from duograd.runner.compose import Composer
from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.options import SearchOptions
from duograd.runner.sweep.plan import SEED, Job, plan
from duograd.runner.sweep.progress import BestAtRungs, Progress
from duograd.runner.sweep.records import add
from duograd.runner.sweep.space import Space
from duograd.runner.sweep.study import JOB, Study


class TrialJobs:
    """The jobs of a search, by the values of their trials. records: of the sweep, to which those of new jobs are added.

    composed: by number, the jobs that were asked for in this session.
    """

    def __init__(self, composer: Composer, space: Space, directory: Path, records: list[JobRecord]) -> None:
        self._composer, self._space, self._directory, self._records = composer, space, directory, records
        self.composed: dict[int, Job] = {}

    def of(self, values: dict[str, Any], seed: int | None = None) -> JobRecord:
        """The job for the values: a new one, or one that had the same configuration before.

        seed: of a trial that has several. Where it cannot be composed, which no probe foretold, it has FAILED already.
        """
        swept = [*self._space.overrides(values), *([] if seed is None else [f"{SEED}={seed}"])]
        try:
            keys = [*self._space.keys, *([] if seed is None else [SEED])]
            [job] = plan(self._composer, [[*self._space.fixed, *swept]], keys, self._directory)
        except UserError as error:
            record = self._record(",".join(swept), ",".join(swept))
            record.status, record.error = "FAILED", str(error)
        else:
            record = self._record(job.name, job.hash)
            self.composed[record.number] = job
        record.overrides = swept
        return record

    def _record(self, name: str, digest: str) -> JobRecord:
        known = next((record for record in self._records if record.hash == digest), None)
        return known or add(self._records, name, digest)


@dataclass(frozen=True)
class Turn:
    """A trial whose job is out. reached: the values of its earlier seeds."""

    trial: Trial
    reached: tuple[float, ...] = ()

    def mean_with(self, value: float) -> float:
        """The trial's value, were that of the running seed this one."""
        return (sum(self.reached) + value) / (len(self.reached) + 1)


class Trials:
    """A `JobQueue`. Trials of one configuration are one job: its value is told to all of them.

    watch: follows a job in its folder. known: jobs of an earlier session. seeds: of each trial, None for that of the
    configuration. epochs: of the longest trial, by which a trial's second seed is further on than its first.
    """

    def __init__(
        self,
        study: Study,
        jobs: TrialJobs,
        options: SearchOptions,
        watch: Callable[[RunFolder], BestAtRungs],
        known: Sequence[JobRecord],
        seeds: Sequence[int | None] = (None,),
        epochs: int = 0,
    ) -> None:
        self._study, self._jobs, self._options, self._watch = study, jobs, options, watch
        self._seeds, self._epochs = seeds, epochs
        self._out: dict[int, list[Turn]] = {}
        self._watches: dict[int, BestAtRungs] = {}
        self._failures = 0  # of this session: those of earlier ones are tried again
        self._between_seeds = deque[Trial]()
        self._open = deque(study.left_open())
        failed = {job.number for job in known if job.status == "FAILED"}
        self._retries = deque(values for number, values in study.failed().items() if number in failed)
        self._began = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether no further trial is to begin: there are enough, or their time is up."""
        return self._late or (not self._open and self._spent >= self._options.n_trials)

    @property
    def _late(self) -> bool:
        limit = self._options.timeout
        return limit is not None and time.monotonic() - self._began > limit

    @property
    def _spent(self) -> int:
        return self._study.spent() + self._failures

    def ask(self) -> tuple[JobRecord, Job] | None:
        """The next job that has to be run; trials whose values are known are concluded on the way."""
        while self._between_seeds or not self.over:
            if job := self._job(self._between_seeds.popleft() if self._between_seeds else self._trial()):
                return job
        return None

    def tell(self, record: JobRecord) -> None:
        """Concludes a job's trials, or lets them go on to their next seed.

        One whose job was killed stays open, and is gone on with by a resume.
        """
        turns = self._out.pop(record.number)
        if (watch := self._watches.pop(record.number, None)) and record.status == "FINISHED":
            for epoch, value in watch.new():  # what others are compared with
                self._report(turns[0], epoch, value)
        for turn in turns:
            last = len(turn.reached) + 1 == len(self._seeds)
            if record.status != "FINISHED" or _value(record) is None or last:
                self._conclude(turn, record)
            elif self._options.pruner != "none" and turn is turns[0] and turn.trial.should_prune():
                self._study.tell(turn.trial, TrialState.PRUNED)
            else:
                self._between_seeds.append(turn.trial)

    def should_prune(self, record: JobRecord, progress: Progress) -> bool:
        """Reports what is new of a job, and asks the pruner."""
        if self._options.pruner == "none":
            return False
        [turn, *_] = self._out[record.number]
        if record.number not in self._watches:
            self._watches[record.number] = self._watch(progress.folder)
        for epoch, value in self._watches[record.number].new():
            self._report(turn, epoch, value)
            if epoch < progress.epochs and turn.trial.should_prune():
                return True
        return False

    def _report(self, turn: Turn, epoch: int, value: float) -> None:
        """The mean so far, after as many epochs as all of the trial's seeds have had."""
        self._study.report(turn.trial, len(turn.reached) * self._epochs + epoch, turn.mean_with(value))

    def _trial(self) -> Trial:
        """First what was left open, then what failed, then something new."""
        if self._open:
            return self._open.popleft()
        return self._study.retry(self._retries.popleft()) if self._retries else self._study.ask()

    def _job(self, trial: Trial) -> tuple[JobRecord, Job] | None:
        """The job of the trial's next seed; None where its end is known, or will be by another trial."""
        reached: list[float] = []
        for seed in self._seeds:
            record = self._jobs.of(trial.params, *([] if seed is None else [seed]))
            turn, value = Turn(trial, tuple(reached)), _value(record)
            if record.status != "FINISHED" or value is None or len(reached) + 1 == len(self._seeds):
                return self._hand_out(turn, record)
            reached.append(value)
        return None

    def _hand_out(self, turn: Turn, record: JobRecord) -> tuple[JobRecord, Job] | None:
        if turn.trial.user_attrs.get(JOB) != record.number:
            turn.trial.set_user_attr(JOB, record.number)
        if record.number in self._out:
            self._out[record.number].append(turn)
        elif record.settled or record.number not in self._jobs.composed:
            self._conclude(turn, record)
        else:
            self._out[record.number] = [turn]
            return record, self._jobs.composed[record.number]
        return None

    def _conclude(self, turn: Turn, record: JobRecord) -> None:
        """Tells Optuna how the trial ended, by its last job; of a value that is none, that it failed."""
        trial, value = turn.trial, _value(record)
        if record.status == "FINISHED" and value is not None:
            self._study.tell(trial, TrialState.COMPLETE, turn.mean_with(value))
        elif record.status == "PRUNED" or record.diverged:  # a sampler learns from either; of failures it sees nothing
            if value is not None:
                self._report(turn, record.epochs, value)
            self._study.tell(trial, TrialState.PRUNED)
        elif record.status in ("FINISHED", "FAILED"):
            self._failures += 1
            self._study.tell(trial, TrialState.FAIL)


def _value(record: JobRecord) -> float | None:
    """What a job reached; None for nothing that could be compared."""
    best = (record.best or {}).get("value")
    return float(best) if best is not None and math.isfinite(best) else None
