"""Before a job goes to a cluster: does every worker see the sweep's folder, and have what we have?"""

import socket
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from distributed import Client

from duograd.runner.errors import UserError
from duograd.runner.sweep.cluster import Workers

POLL_SECONDS = 0.1
PACKAGES = ("duograd", "numpy", "scipy", "torch")


def refuse_unfit(workers: Workers, folder: Path, ending: Callable[[], bool]) -> None:
    """Raises UserError, naming the worker and what is wrong with it. Waits for a first one, unless `ending`."""
    _wait_for_one(workers, ending)
    client = workers.client
    _refuse_shared_processes(client)
    here = probe(str(folder))
    for address, answer in client.run(probe, str(folder), on_error="return").items():
        if fault := _fault(answer, here, folder):
            raise UserError(f"worker {address}{fault}")


def probe(folder: str) -> dict[str, Any]:
    """What a worker is asked: its versions, and whether it sees the folder of the sweep."""
    return {"host": socket.gethostname(), "sees": Path(folder).is_dir(), "versions": versions()}


def versions() -> dict[str, str]:
    """Of Python and the packages that compute; `none` for one that is not installed."""
    return {"python": python_version(), **{package: _version(package) for package in PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _wait_for_one(workers: Workers, ending: Callable[[], bool]) -> None:
    since = time.monotonic()
    while not workers.client.nthreads() and not ending():
        if workers.patience is not None and time.monotonic() - since > workers.patience:
            raise UserError(
                f"{workers.address} has no worker after {workers.patience:g} s: start some with "
                f"'dask worker {workers.address} --nthreads 1', or wait longer: hydra.launcher.worker_timeout=null"
            )
        time.sleep(POLL_SECONDS)


def _refuse_shared_processes(client: Client) -> None:
    for address, threads in client.nthreads().items():
        if threads != 1:
            raise UserError(
                f"worker {address} runs {threads} jobs in one process, where one that dies takes the others along: "
                "start it with --nthreads 1, and --nworkers for more of them"
            )


def _fault(answer: Any, here: Mapping[str, Any], folder: Path) -> str | None:
    if isinstance(answer, BaseException):
        return f" cannot import duograd ({answer}): install it there as it is here"
    if not answer["sees"]:
        return f" ({answer['host']}) does not see {folder}: choose hydra.sweep.dir=DIR where all machines see it"
    for package, ours in here["versions"].items():
        theirs = answer["versions"][package]
        if theirs != ours:
            return f" ({answer['host']}) has {package} {theirs}, here is {ours}: install the same version"
    return None
