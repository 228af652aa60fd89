"""Trials as the jobs of a sweep: asked of Optuna when a worker is free, told when their jobs have ended."""

import math
import time
from collections import deque
from collections.abc import Callable

from optuna.trial import Trial

from duograd.runner.search.jobs import Jobs
from duograd.runner.search.options import SearchOptions
from duograd.runner.search.study import Study
from duograd.runner.search.watch import Watch
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.worker import Task


class Trials:
    """A `Source` of jobs. Trials of one configuration are one job: its value is told to all of them.

    task: what to send for a job. watch: how to follow one in its folder. known: jobs of an earlier session.
    """

    def __init__(
        self,
        study: Study,
        jobs: Jobs,
        options: SearchOptions,
        task: Callable[[JobRecord], Task],
        watch: Callable[[RunFolder], Watch],
        known: list[JobRecord],
    ) -> None:
        self._study, self._jobs, self._options, self._task, self._watch = study, jobs, options, task, watch
        self._out: dict[int, list[Trial]] = {}
        self._watches: dict[int, Watch] = {}
        self._failures = 0  # of this session: those of earlier ones are tried again
        self._open = deque(study.left_open())
        failed = {job.number for job in known if job.status == "FAILED"}
        self._again = deque(values for number, values in study.failed().items() if number in failed)
        self._began = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether no further trial is wanted: there are enough, or their time is up."""
        return self._late or (not self._open and self._spent >= self._options.n_trials)

    @property
    def _late(self) -> bool:
        limit = self._options.timeout
        return limit is not None and time.monotonic() - self._began > limit

    @property
    def _spent(self) -> int:
        return self._study.spent() + self._failures

    def ask(self) -> tuple[JobRecord, Task, int] | None:
        """The next job that has to be run; trials whose values are known are told on the way."""
        while not self.over:
            if found := self._job(self._trial()):
                return found
        return None

    def tell(self, job: JobRecord) -> None:
        """A job that was killed is not told: its trial stays open, and is gone on with by a resume."""
        trials = self._out.pop(job.number)
        if (watch := self._watches.pop(job.number, None)) and job.status == "FINISHED":
            for epoch, value in watch.new():  # what others are compared with
                self._study.report(trials[0], epoch, value)
        for trial in trials:
            self._conclude(trial, job)

    def hopeless(self, job: JobRecord, progress: Progress) -> bool:
        """Reports what is new of a job, and asks the pruner."""
        if self._options.pruner == "none":
            return False
        [trial, *_] = self._out[job.number]
        if job.number not in self._watches:
            self._watches[job.number] = self._watch(progress.folder)
        for epoch, value in self._watches[job.number].new():
            self._study.report(trial, epoch, value)
            if epoch < progress.epochs and self._study.hopeless(trial):
                return True
        return False

    def _trial(self) -> Trial:
        """First what was left open, then what failed, then something new."""
        if self._open:
            return self._open.popleft()
        return self._study.again(self._again.popleft()) if self._again else self._study.ask()

    def _job(self, trial: Trial) -> tuple[JobRecord, Task, int] | None:
        """The job to be run for the trial; None where its end is known, or will be by another trial."""
        job = self._jobs.of(trial.params)
        self._study.has_job(trial, job.number)
        if job.number in self._out:
            self._out[job.number].append(trial)
        elif job.settled or job.number not in self._jobs.composed:
            self._conclude(trial, job)
        else:
            self._out[job.number] = [trial]
            return job, self._task(job), self._jobs.composed[job.number].config.epochs
        return None

    def _conclude(self, trial: Trial, job: JobRecord) -> None:
        """Tells Optuna how the trial's job ended; of a value that is none, that it failed."""
        value = _value(job)
        usable = math.isfinite(value)
        if job.status == "FINISHED" and usable:
            self._study.complete(trial, value)
        elif job.status == "PRUNED" or job.diverged:  # a sampler learns from either; of failures it sees nothing
            if usable:
                self._study.report(trial, job.epochs, value)
            self._study.prune(trial)
        elif job.status in ("FINISHED", "FAILED"):
            self._failures += 1
            self._study.fail(trial)


def _value(job: JobRecord) -> float:
    """The best that it reached; NaN for nothing."""
    value = (job.best or {}).get("value")
    return math.nan if value is None else float(value)
