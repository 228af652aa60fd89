"""Trials as the jobs of a sweep: asked of Optuna when a worker is free, told when their jobs have ended."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import Trial, TrialState

from duograd.runner.compose import Composer
from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.options import SearchOptions
from duograd.runner.sweep.plan import Job, plan
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

    def of(self, values: dict[str, Any]) -> JobRecord:
        """The job for the values: a new one, or one that had the same configuration before.

        Where they cannot be composed, which no probe foretold, it has FAILED already.
        """
        swept = self._space.overrides(values)
        try:
            [job] = plan(self._composer, [[*self._space.fixed, *swept]], self._space.keys, self._directory)
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


class Trials:
    """A `JobQueue`. Trials of one configuration are one job: its value is told to all of them.

    watch: follows a job in its folder. known: jobs of an earlier session.
    """

    def __init__(
        self,
        study: Study,
        jobs: TrialJobs,
        options: SearchOptions,
        watch: Callable[[RunFolder], BestAtRungs],
        known: Sequence[JobRecord],
    ) -> None:
        self._study, self._jobs, self._options, self._watch = study, jobs, options, watch
        self._out: dict[int, list[Trial]] = {}
        self._watches: dict[int, BestAtRungs] = {}
        self._failures = 0  # of this session: those of earlier ones are tried again
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
        while not self.over:
            if job := self._job(self._trial()):
                return job
        return None

    def tell(self, record: JobRecord) -> None:
        """Concludes a job's trials. One that was killed stays open, and is gone on with by a resume."""
        trials = self._out.pop(record.number)
        if (watch := self._watches.pop(record.number, None)) and record.status == "FINISHED":
            for epoch, value in watch.new():  # what others are compared with
                self._study.report(trials[0], epoch, value)
        for trial in trials:
            self._conclude(trial, record)

    def should_prune(self, record: JobRecord, progress: Progress) -> bool:
        """Reports what is new of a job, and asks the pruner."""
        if self._options.pruner == "none":
            return False
        [trial, *_] = self._out[record.number]
        if record.number not in self._watches:
            self._watches[record.number] = self._watch(progress.folder)
        for epoch, value in self._watches[record.number].new():
            self._study.report(trial, epoch, value)
            if epoch < progress.epochs and trial.should_prune():
                return True
        return False

    def _trial(self) -> Trial:
        """First what was left open, then what failed, then something new."""
        if self._open:
            return self._open.popleft()
        return self._study.retry(self._retries.popleft()) if self._retries else self._study.ask()

    def _job(self, trial: Trial) -> tuple[JobRecord, Job] | None:
        """The job to be run for the trial; None where its end is known, or will be by another trial."""
        record = self._jobs.of(trial.params)
        if trial.user_attrs.get(JOB) != record.number:
            trial.set_user_attr(JOB, record.number)
        if record.number in self._out:
            self._out[record.number].append(trial)
        elif record.settled or record.number not in self._jobs.composed:
            self._conclude(trial, record)
        else:
            self._out[record.number] = [trial]
            return record, self._jobs.composed[record.number]
        return None

    def _conclude(self, trial: Trial, record: JobRecord) -> None:
        """Tells Optuna how the trial's job ended; of a value that is none, that it failed."""
        best = (record.best or {}).get("value")
        value = math.nan if best is None else float(best)
        usable = math.isfinite(value)
        if record.status == "FINISHED" and usable:
            self._study.tell(trial, TrialState.COMPLETE, value)
        elif record.status == "PRUNED" or record.diverged:  # a sampler learns from either; of failures it sees nothing
            if usable:
                self._study.report(trial, record.epochs, value)
            self._study.tell(trial, TrialState.PRUNED)
        elif record.status in ("FINISHED", "FAILED"):
            self._failures += 1
            self._study.tell(trial, TrialState.FAIL)
