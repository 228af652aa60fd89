"""The record of a sweep: opened where its folder has one, and jobs that it does not know by their hash added to it."""

import shlex
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from duograd.runner.config import MlflowTracking, RunConfig, dump
from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder, SweepFolder
from duograd.runner.store.overrides import as_text, dotted, key_of
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.naming import folder_name, what_counts
from duograd.runner.sweep.options import Request
from duograd.runner.sweep.plan import Job


def open_record(request: Request, fixed: list[str], config: RunConfig) -> SweepRecord:
    """The record of the sweep to go on with, its jobs as their folders are, or a new one. Writes nothing.

    fixed: the overrides that all jobs share; config: of one of them. Raises UserError where the folder holds a sweep
    and none is to be resumed, or the other way round.
    """
    folder, resume = SweepFolder(request.folder), request.options.resume
    if folder.record.exists() and not resume:
        raise UserError(
            f"{folder.path} already holds a sweep: go on with it (duograd resume {shlex.quote(str(folder.path))}, or "
            "sweep.resume=true), or choose another folder with hydra.sweep.dir=DIR"
        )
    if resume and not folder.record.exists():
        raise UserError(f"sweep.resume=true: {folder.path} holds no sweep: name its folder with hydra.sweep.dir=DIR")
    record = SweepRecord.load(folder.path) if resume else _new_record(request, fixed, config)
    for job in record.jobs:
        job.refresh(folder.path)
    record.command, record.launcher = request.command, request.launcher.model_dump()
    record.origin = request.origin
    return record


def _new_record(request: Request, fixed: list[str], config: RunConfig) -> SweepRecord:
    tracking = config.tracking if isinstance(config.tracking, MlflowTracking) else None
    return SweepRecord(
        id=uuid.uuid4().hex,
        name=request.folder.name,
        task=config.task.name,
        started=time.time(),
        command=request.command,
        directory=str(request.directory),
        overrides=fixed,
        launcher=request.launcher.model_dump(),
        uri=tracking.uri if tracking else None,
        experiment=tracking.experiment or config.task.name if tracking else None,
    )


def merge(sweep: Path, jobs: Sequence[Job], records: list[JobRecord]) -> dict[int, Job]:
    """Adds to `records` those of new jobs; the jobs by the number of their record.

    A known job keeps its number and folder, and takes the name that it has now. Raises UserError where a job of the
    same name had another configuration: its folder holds a run that this one is not. One that never came to train
    (its data could not be read) leaves its place to the job of today.
    """
    _replace_idle(sweep, jobs, records)
    by_hash = {record.hash: record for record in records}
    _refuse_changed(sweep, jobs, records, by_hash)
    numbered = {}
    for job in jobs:
        record = by_hash.get(job.hash) or add(records, job.name, job.hash)
        record.name, record.overrides = job.name, [f"{key}={value}" for key, value in job.swept.items()]
        numbered[record.number] = job
    return numbered


def rebase(record: SweepRecord, fixed: list[str], numbers: Collection[int]) -> None:
    """Makes `fixed` what all jobs share. A job of none of the numbers keeps what it shared with others until now."""
    for job in record.jobs:
        if job.number not in numbers:
            own = {key_of(override) for override in job.overrides}
            lost = [o for o in record.overrides if o not in fixed and key_of(o) not in own]
            job.overrides = [*lost, *job.overrides]
    record.overrides = list(fixed)


def add(records: list[JobRecord], name: str, digest: str) -> JobRecord:
    """Adds the record of a new job, with a number and a folder of its own."""
    folder = folder_name(name, digest, {record.folder for record in records})
    number = max((record.number for record in records), default=-1) + 1
    records.append(JobRecord(number, [], name, digest, folder, str(Path(folder) / RunFolder(Path()).log)))
    return records[-1]


def _replace_idle(sweep: Path, jobs: Sequence[Job], records: Sequence[JobRecord]) -> None:
    names, known = {record.name: record for record in records}, {record.hash for record in records}
    for job in jobs:
        record = names.get(job.name)
        if record is None or record.settled or job.hash in known:
            continue
        if not RunFolder(sweep / record.folder).config.exists():
            record.hash = job.hash


def _refuse_changed(
    sweep: Path, jobs: Sequence[Job], records: Sequence[JobRecord], by_hash: Mapping[str, JobRecord]
) -> None:
    names = {record.name: record for record in records}
    for job in jobs:
        if job.hash not in by_hash and job.name in names:
            what = _what_changed(job, RunFolder(sweep / names[job.name].folder)) or "its configuration is another now"
            raise UserError(
                f"{sweep}: job {job.name} was begun differently: {what}; "
                "resume with the same configuration, or choose another folder: hydra.sweep.dir=DIR, or --dir DIR "
                "of duograd reproduce"
            )


def _what_changed(job: Job, folder: RunFolder) -> str | None:
    """`epochs was 100, is 200 now`, where the job's run had begun."""
    if not folder.config.exists():
        return None
    before = dict(dotted(what_counts(folder.read_config())))
    for key, value in dotted(what_counts(dump(job.config))):
        if key.endswith(".hash") and before.get(key) != value:
            return f"the code of {key.removesuffix('.hash')} was {before.get(key)}, is {value} now"
        if before.get(key) != value:
            return f"{key} was {as_text(before.get(key))}, is {as_text(value)} now"
    return None
