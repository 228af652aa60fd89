"""A sweep whose jobs all train longer: each keeps its folder, and goes on there under its new hash."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.longer import EPOCHS, fault_with
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.overrides import key_of
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.plan import Job

Hashes = Mapping[str, str]
"""The hash that a job had -> the one that it has now."""


def new_hashes(record: SweepRecord, jobs: Sequence[Job], longer: Sequence[Job], folder: Path) -> Hashes:
    """The new hashes of the jobs of a sweep's record. Raises UserError where one cannot simply go on."""
    if own := [job.name for job in record.jobs if EPOCHS in map(key_of, job.overrides)]:
        raise UserError(f"{folder}: {own[0]} has epochs of its own: resume its run alone, or start a sweep anew")
    for known, job, new in zip(record.jobs, jobs, longer, strict=True):
        if fault := fault_with(job.config, RunFolder(folder / known.folder), new.config.epochs):
            raise UserError(f"{folder}: job {job.name}: {fault}; nothing was started")
    return {job.hash: new.hash for job, new in zip(jobs, longer, strict=True) if job.hash != new.hash}


def reopen(record: SweepRecord, hashes: Hashes) -> list[JobRecord]:
    """Gives the jobs their new hashes; those that had ended, to be gone on with."""
    again = []
    for job in record.jobs:
        if job.hash in hashes:
            job.hash = hashes[job.hash]
            if job.settled:
                job.status = "PENDING"
                again.append(job)
    return again
