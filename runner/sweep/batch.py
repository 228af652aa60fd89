"""Workers that a batch queue starts (SLURM, PBS, SGE), by dask-jobqueue: asked for, replaced, counted, sent home."""

import importlib.util
import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Security, Status

from duograd.models.layers.threads import thread_environment
from duograd.runner.errors import UserError
from duograd.runner.sweep.batch_systems import SYSTEMS, System
from duograd.runner.sweep.launcher import LauncherOptions, seconds
from duograd.runner.sweep.worker import LEAVE_AT

LOGS = "queue"  # in the sweep's folder: what the batch system's jobs print
MOST_WORKERS = 20  # that are asked for where nobody said how many
LEAVE_SECONDS = 30  # before the walltime is over: a job saves itself and leaves
LOOK_SECONDS = 2.0  # between two looks at how many workers are missing
POLL_SECONDS = 0.1


class BatchQueue:
    """What was asked of a batch system. cluster: dask-jobqueue's; refusals: what its command said to no avail."""

    def __init__(self, name: str, cluster: Any, refusals: list[str]) -> None:
        self._name, self.cluster, self._refusals = name, cluster, refusals

    def await_first(self, ending: Callable[[], bool]) -> None:
        """Until the batch system has taken a first job, or `ending`. Raises UserError where it takes none."""
        while not (self.jobs() or ending()):
            if self._refusals:
                raise UserError(f"{SYSTEMS[self._name].submit} refuses to start a worker: {self._refusals[-1]}")
            time.sleep(POLL_SECONDS)

    def waiting(self) -> str:
        """`no worker; waiting for the queue (slurm jobs 17, 18)`."""
        jobs = self.jobs()
        if not jobs and self._refusals:
            return f"no worker; {SYSTEMS[self._name].submit} refuses to start one: {self._refusals[-1]}; asking again"
        numbers = f" ({self._name} job{'s' * (len(jobs) > 1)} {', '.join(jobs)})" if jobs else ""
        return f"no worker; waiting for the queue{numbers}"

    def jobs(self) -> list[str]:
        """The batch system's own numbers of the jobs that were asked for and are not over."""
        jobs = [worker.job_id for worker in list(self.cluster.workers.values())]
        return sorted({job for job in jobs if job is not None}, key=lambda job: (len(job), job))


@contextmanager
def batch_queue(options: LauncherOptions, jobs: int, folder: Path) -> Iterator[BatchQueue]:
    """Asks for workers until the block ends, for each that leaves another. Raises UserError."""
    assert options.cluster is not None
    system = SYSTEMS[options.cluster]
    _refuse_missing(options.cluster, system)
    logs = folder / LOGS
    logs.mkdir(parents=True, exist_ok=True)
    refusals: list[str] = []
    with ExitStack() as stack:
        stack.callback(_remove_if_empty, logs)
        tls = {"protocol": "tls://", "security": stack.enter_context(_certified(logs))} if options.tls else {}
        cluster = stack.enter_context(_cluster(system, logs, refusals, **job_options(system, options), **tls))
        workers = min(options.n_workers or MOST_WORKERS, jobs)
        cluster.adapt(minimum=workers, maximum=workers, interval=f"{LOOK_SECONDS:g}s")
        yield BatchQueue(options.cluster, cluster, refusals)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _certified(folder: Path) -> Iterator[Security]:
    """A certificate for the time of the block, in files that workers can read as they are this user's."""
    made = Security.temporary()
    pem = {"cert": str(made.tls_ca_file), "key": str(made.tls_worker_key)}
    files = {kind: folder / f".{kind}.pem" for kind in pem}
    for kind, file in files.items():
        file.unlink(missing_ok=True)  # of a session that was killed
        file.touch(mode=0o600)
        file.write_text(pem[kind])
    roles = {f"tls_{role}_{kind}": str(files[kind]) for role in ("scheduler", "worker", "client") for kind in pem}
    try:
        yield Security(require_encryption=True, tls_ca_file=str(files["cert"]), **roles)
    finally:
        for file in files.values():
            file.unlink(missing_ok=True)


def _refuse_missing(name: str, system: System) -> None:
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise UserError(f"hydra.launcher.cluster={name} needs dask-jobqueue: pip install 'duograd[cluster]'")
    if shutil.which(system.submit) is None:
        raise UserError(f"hydra.launcher.cluster={name}: no command {system.submit} here: start this on a login node")


def _cluster(system: System, logs: Path, refusals: list[str], **options: Any) -> Any:
    """dask-jobqueue's cluster, with a note of each submission that the batch system refuses."""
    before = signal.getsignal(signal.SIGINT)
    import dask_jobqueue  # it takes Ctrl-C for itself

    signal.signal(signal.SIGINT, before)
    cluster_class = getattr(dask_jobqueue, system.cluster)
    return cluster_class(
        job_cls=_noting(cluster_class.job_cls, refusals),
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        log_directory=str(logs),
        silence_logs=logging.CRITICAL,
        **options,
    )


def job_options(system: System, options: LauncherOptions) -> dict[str, Any]:
    """What each job is asked for. A worker has one thread that trains, and the cores of its share for what it calls."""
    threads = options.cores // options.processes
    total = seconds(options.walltime)
    margin = min(LEAVE_SECONDS, total // 2)
    walltime = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
    prologue = [
        *(f"export {name}={count}" for name, count in thread_environment(threads).items()),
        # malloc would give every large array back and ask for it again; the profiler would stop the trainer to look
        "export MALLOC_TRIM_THRESHOLD_=134217728 DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
        f"export {LEAVE_AT}=$(($(date +%s) + {total - margin}))",
        *options.job_script_prologue,
    ]
    return {
        "job_name": "duograd",
        "queue": options.queue,
        system.account: options.account,
        "cores": options.cores,
        "processes": options.processes,
        "memory": options.memory,
        "walltime": walltime,
        "job_extra_directives": options.directives(),
        "job_script_prologue": prologue,
        "worker_extra_args": ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard"],  # the queue limits memory
        "interface": options.interface,
        "python": sys.executable,
    }


def _noting(job_class: Any, refusals: list[str]) -> Any:
    class Noting(job_class):  # type: ignore[misc]
        async def _submit_job(self, script_filename: str) -> Any:
            try:
                return await super()._submit_job(script_filename)
            except RuntimeError as error:
                refusals.append(_last_words(str(error)))
                self.status = Status.failed  # else the cluster could not be closed
                raise

    return Noting


def _last_words(error: str) -> str:
    """What the command printed, of dask-jobqueue's report on its failure."""
    lines = [line.strip() for line in error.partition("stderr:")[2].splitlines() if line.strip()]
    return lines[-1] if lines else error.splitlines()[0]
