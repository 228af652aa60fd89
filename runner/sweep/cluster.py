"""Where jobs run: worker processes on this machine, a cluster that the user started, or a batch queue's."""

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path

import dask
from distributed import Client, LocalCluster, Security
from distributed.comm.core import CommClosedError

from duograd.models.layers.threads import thread_environment
from duograd.runner.errors import UserError
from duograd.runner.sweep.batch import BatchQueue, batch_queue
from duograd.runner.sweep.gpus import shares
from duograd.runner.sweep.launcher import LauncherOptions

SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # a deadly job is tried once, not four times
    "distributed.scheduler.worker-saturation": 1.0,  # no job waits on a worker, and would die with it
    "distributed.logging.distributed": "critical",  # its warnings would tear the table
    "distributed.comm.timeouts.connect": "10s",
    "distributed.scheduler.http.routes": [],  # no page tells others on this machine what is going on
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # it would stop the trainer a hundred times a second to look at it
    # with it, malloc gives every large array back to the system and asks for it again: training takes a fifth longer
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
RESTART_SECONDS = 300.0  # for a worker of our own that died to be there again, on a busy machine


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def local_workers(options: LauncherOptions, jobs: int) -> int:
    """One worker a core, or for each share of the GPUs, and none without a job. Raises UserError."""
    most = options.n_workers or cores()
    if options.gpus_per_job:
        most = len(shares(options.gpus_per_job, options.n_workers))
    return max(1, min(most, jobs))


def expected_workers(options: LauncherOptions, jobs: int) -> int:
    """How many workers there will be, as far as it is known: at least one."""
    elsewhere = options.cluster or options.scheduler
    return (options.n_workers or 1) if elsewhere else local_workers(options, jobs)


def threads_each(workers: int) -> int:
    """The cores divided among workers, so that their threads do not fight."""
    return max(1, cores() // workers)


@dataclass(frozen=True)
class Workers:
    """Where jobs can be sent. patience: seconds without any worker after which a sweep gives up, None for never.

    gpus: what each worker's CUDA is to see, by its name.
    """

    client: Client
    patience: float | None
    queue: BatchQueue | None = None
    gpus: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.client.scheduler.address) if self.client.scheduler else "the scheduler"

    def exposure(self) -> str | None:
        """Who may speak to what listens on the network for this sweep; None where nothing of ours does."""
        if self.queue is None:
            return None
        if self.address.startswith("tls:"):
            return f"workers reach this sweep at {self.address}, with a certificate that only you can read"
        return f"hydra.launcher.tls=false: whoever reaches {self.address} can run code as you, while this sweep lasts"

    def waiting(self) -> str:
        """What a sweep waits for while there is no worker."""
        return self.queue.waiting() if self.queue else "no worker is left: waiting for one"


@contextmanager
def connected(options: LauncherOptions, jobs: int, folder: Path) -> Iterator[Workers]:
    """Workers for so many jobs. Processes that were started here are gone when the block ends. Raises UserError.

    folder: the sweep's, which all machines see.
    """
    for logger in ("distributed", "distributed.client"):  # of lost connections we say one line ourselves
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    with dask.config.set(SETTINGS), ExitStack() as stack:
        if options.cluster is not None:
            queue = stack.enter_context(batch_queue(options, jobs, folder))
            client = stack.enter_context(Client(queue.cluster, set_as_default=False))
            yield Workers(client, options.patience, queue)
        elif options.scheduler is not None:
            client = stack.enter_context(_remote(options.scheduler, options.timeout))
            yield Workers(client, options.patience)
        else:
            cluster = stack.enter_context(_local(local_workers(options, jobs)))
            client = stack.enter_context(Client(cluster, set_as_default=False))
            devices = shares(options.gpus_per_job, options.n_workers) if options.gpus_per_job else []
            yield Workers(client, RESTART_SECONDS, gpus={str(i): visible for i, visible in enumerate(devices)})


@contextmanager
def _local(workers: int) -> Iterator[LocalCluster]:
    """Processes of one job each, that share the cores among them.

    Loopback is every user's, and who may speak to a worker may run code in it: only who has this process's certificate
    may, which no other user can read.
    """
    with _deaf_children():
        cluster = LocalCluster(
            protocol="tls://",
            security=Security.temporary(),
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else a second sweep warns that 8787 is taken
            memory_limit=0,  # a worker that needs much memory is not to be killed at half of the machine's
            silence_logs=logging.CRITICAL,
            env=thread_environment(threads_each(workers)),
        )
    with cluster:
        yield cluster


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Threads that start in the block, and every process that they ever start, do not hear Ctrl-C.

    A terminal sends it to all processes at once; but it is the sweep that ends its jobs, in order.
    """
    resource_tracker.ensure_running()  # else multiprocessing starts it later, and lifts the block as it does
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _remote(address: str, timeout: float) -> Iterator[Client]:
    if address.startswith(("tls", "wss")) and not Security().get_connection_args("client").get("ssl_context"):
        raise UserError(
            f"hydra.launcher.scheduler={address} needs certificates: name their files in "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and …__CLIENT__KEY"
        )
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, CommClosedError) as error:  # TimeoutError is an OSError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"hydra.launcher.scheduler={address} does not answer within {timeout:g} s ({reason}): "
            "start it with 'dask scheduler', or check the address"
        ) from None
    with client:
        yield client
