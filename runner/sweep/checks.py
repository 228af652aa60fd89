"""Before a job goes to a cluster: does every worker see the sweep's folder, and have what we have?"""

import socket
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from distributed import Client

from duograd.runner.errors import UserError

PACKAGES = ("duograd", "numpy", "scipy", "torch")


def refuse_unfit(client: Client, folder: Path, timeout: float) -> None:
    """Raises UserError, naming the worker and what is wrong with it."""
    _wait_for_one(client, timeout)
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


def _wait_for_one(client: Client, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError:
        address = client.scheduler.address if client.scheduler else "the scheduler"
        raise UserError(
            f"{address} has no worker after {timeout:g} s: start some with 'dask worker {address} --nthreads 1'"
        ) from None


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
