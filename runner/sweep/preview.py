"""A sweep before it starts: its jobs, how large their networks are, and how long they will take."""

import statistics
import time
from collections.abc import Mapping, Sequence

from rich.console import Console

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.context import RunContext
from duograd.runner.display import counted, duration
from duograd.runner.errors import UserError
from duograd.runner.hooks.interruption import Interruption
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.cluster import expected_workers, local_workers, threads_each
from duograd.runner.sweep.columns import STATE, VALUE, Column, job_columns, job_table
from duograd.runner.sweep.launcher import LauncherOptions
from duograd.runner.sweep.plan import Job
from duograd.runner.sweep.stacks import stacks
from duograd.runner.sweep.worker import DataCache, quiet

CALIBRATION_SECONDS = 0.5  # of steps, for each of the two networks that are measured
FIXED_SECONDS = 0.5  # of a job beyond its training, in a warm worker
LISTED = 100  # jobs

Seconds = Mapping[int, float]


def preview(
    console: Console, record: SweepRecord, jobs: Mapping[int, Job], launcher: LauncherOptions, estimate: bool
) -> None:
    """Prints the jobs with what differs and their parameters; with `estimate`, the time they will take.

    Reads the data, which decides how large a network is. Raises UserError.
    """
    cache = DataCache()
    parameters = {number: parameter_count(job.config, cache) for number, job in jobs.items()}
    left = {job.number: jobs[job.number].config for job in record.jobs if job.number in jobs and not job.settled}
    seconds = expected(left, parameters, cache, launcher) if estimate and left else {}
    console.print(job_table(_columns(record.jobs[:LISTED], parameters, seconds), console.width), highlight=False)
    console.print(_summary(len(jobs), len(left), seconds, launcher), highlight=False, soft_wrap=True)
    if launcher.stack > 1 and left:
        pairs = [(job, jobs[job.number]) for job in record.jobs if job.number in left]
        plan = stacks(pairs, launcher.stack, expected_workers(launcher, len(pairs)))
        console.print(plan.describe(), highlight=False, soft_wrap=True)


def parameter_count(config: RunConfig, cache: DataCache) -> int:
    """The NumPy twin tells: it has the parameters of the other, and imports no torch. Raises UserError."""
    try:
        return build.parameter_count(build.numpy_engine(config, cache.load(config)))
    except DataError as error:
        raise UserError(str(error)) from None


def expected(
    configs: Mapping[int, RunConfig], parameters: Mapping[int, int], cache: DataCache, launcher: LauncherOptions
) -> Seconds:
    """Seconds of each job: the smallest and the largest network are measured, and a line is drawn between them."""
    small, large = min(configs, key=parameters.__getitem__), max(configs, key=parameters.__getitem__)
    threads = threads_each(local_workers(launcher, len(configs)))
    pace = {number: _seconds_a_sample(configs[number], cache, threads) for number in {small, large}}
    between = parameters[large] - parameters[small]

    def seconds(number: int) -> float:
        at = (parameters[number] - parameters[small]) / between if between else 0.0
        samples = configs[number].epochs * len(cache.load(configs[number]).train)
        return FIXED_SECONDS + samples * (pace[small] + at * (pace[large] - pace[small]))

    return {number: seconds(number) for number in configs}


def wall_seconds(seconds: Seconds, launcher: LauncherOptions) -> float:
    """Until the last job is over, on workers of this machine."""
    return max(sum(seconds.values()) / local_workers(launcher, len(seconds)), max(seconds.values()))


def _seconds_a_sample(config: RunConfig, cache: DataCache, threads: int) -> float:
    """The median of a few gradients, past a first one that warms up."""
    data = cache.load(config)
    engine = build.engine(RunContext(quiet(), Interruption(), threads=threads).threaded(config), data)
    batch = data.train.batch(slice(config.batch_size or len(data.train)))
    engine.loss_and_grad(batch)
    durations: list[float] = []
    while sum(durations) < CALIBRATION_SECONDS:
        start = time.perf_counter()
        float(engine.loss_and_grad(batch)[0]["loss"])  # waits for a device
        durations.append(time.perf_counter() - start)
    return statistics.median(durations) / len(batch)


def _columns(jobs: Sequence[JobRecord], parameters: Mapping[int, int], seconds: Seconds) -> list[Column]:
    sizes = [str(parameters.get(job.number, "")) for job in jobs]
    expected = [duration(seconds[job.number]) if job.number in seconds else "" for job in jobs]
    return [*job_columns(jobs), Column("parameters", sizes, VALUE), Column("expected", expected, STATE)]


def _summary(jobs: int, left: int, seconds: Seconds, launcher: LauncherOptions) -> str:
    unlisted = f" ({jobs - LISTED} not listed)" if jobs > LISTED else ""
    line = f"{jobs} jobs{unlisted}, {left} to run"
    if not seconds:
        return line
    if launcher.scheduler or launcher.cluster:
        return f"{line}: about {duration(sum(seconds.values()))} of one worker's time"
    workers = counted(local_workers(launcher, left), "worker")
    return f"{line}: about {duration(wall_seconds(seconds, launcher))} on {workers}"
