"""MLflow, which follows a sweep's folder from another process: started, waited for, and what it says remembered."""

import os
import time

from rich.console import Console

from duograd.runner.store.folders import SweepFolder
from duograd.runner.store.records import SweepRecord
from duograd.runner.sweep.execution import Interrupt
from duograd.runner.tracking import address
from duograd.runner.tracking.cursor import Cursor
from duograd.runner.tracking.follower import LOG, Follower, patience

MIRROR_SECONDS = 60.0  # the longest wait at the end for MLflow to be brought up to date,
MIRROR_SECONDS_A_JOB = 1.0  # and so much more for each job;
INTERRUPTED_SECONDS = 10.0  # or only this, after Ctrl-C
LINK_SECONDS = 60.0  # the longest wait for MLflow to give the sweep's run an id: it is waited for afterwards anyway
POLL_SECONDS = 0.1


class Mirror:
    """The mirror of a sweep, where that is tracked. named_by_user: its address, not by the folder alone."""

    def __init__(self, folder: SweepFolder, record: SweepRecord, interrupt: Interrupt, named_by_user: bool) -> None:
        self._folder, self._record, self._interrupt = folder, record, interrupt
        self._named_by_user = named_by_user
        self._follower: Follower | None = None

    def start(self) -> None:
        """Starts the process that follows the folder."""
        if self._record.uri:
            environ = address.environment(self._record.uri, self._named_by_user, os.environ)
            self._follower = Follower.start(self._folder.path, environ)

    def save_record(self) -> None:
        """Writes sweep.json, with the ids that MLflow has given so far."""
        remember_runs(self._folder, self._record)
        self._record.save(self._folder.path)

    def await_links(self) -> None:
        """Waits until the mirror has created the parent and a child, unless it has a trouble to tell."""
        deadline, log = time.monotonic() + patience(LINK_SECONDS), self._folder.path / LOG
        while self._record.uri and self._interrupt.caught is None and time.monotonic() < deadline:
            remember_runs(self._folder, self._record)
            linked = self._record.parent_run_id and any(job.run_id for job in self._record.jobs)
            if linked or (log.exists() and log.stat().st_size > 0):
                break
            time.sleep(POLL_SECONDS)
        self.save_record()

    def finish(self, console: Console) -> None:
        """Waits for MLflow to be brought up to date: it has been following, so little is left."""
        if self._follower is None:
            return
        usual = patience(MIRROR_SECONDS + MIRROR_SECONDS_A_JOB * len(self._record.jobs))
        self._follower.conclude(usual if self._interrupt.caught is None else INTERRUPTED_SECONDS, console)
        self.save_record()


def remember_runs(folder: SweepFolder, record: SweepRecord) -> None:
    """Takes the MLflow ids from what the mirror keeps in each folder."""
    if record.uri is None:
        return
    record.parent_run_id = record.parent_run_id or Cursor.load(folder.path, record.uri).run_id or None
    for job in record.jobs:
        if job.run_id is None and job.status != "PENDING":
            job.run_id = Cursor.load(folder.path / job.folder, record.uri).run_id or None
