"""MLflow's server over a local database, as a child process that is never left behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from duograd.runner import tied
from duograd.runner.errors import UserError
from duograd.runner.tracking import TrackingError
from duograd.runner.tracking.address import ARTIFACTS, SQLITE, UI_PORT, for_mlflow
from duograd.runner.tracking.links import DIRECT

START_S = 600.0  # 4 s on an idle machine
STOP_S = 5.0  # between asking it to end and ending it
POLL_S = 0.2
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # for language models; costs 5 s and a gigabyte
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
ANY_HOST = ("0.0.0.0", "::")


@contextmanager
def serving(
    database: Path, host: str, port: int, names: Sequence[str] = ()
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve `database` for the block: its address (`http://127.0.0.1:5000`), once it answers, and the process.

    names: under which browsers may ask for it, beside this machine's own (`allowed_hosts`).
    Raises UserError if the port is taken, TrackingError if the server does not start.
    """
    _refuse_taken(host, port)
    noted = database.parent / UI_PORT
    with tempfile.TemporaryFile() as log, tied.pipe() as stdin:
        process = _start(database, host, port, allowed_hosts(host, port, names), stdin, log)
        try:
            url = _url(host, port)
            _wait_for_answer(url, process, log)
            noted.write_text(f"{port}\n")
            yield url, process
        finally:
            noted.unlink(missing_ok=True)
            _stop(process)


def _url(host: str, port: int) -> str:
    name = "127.0.0.1" if host in ANY_HOST else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just ended does not count
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"cannot listen on {host}:{port} ({reason}): choose another --port") from error


def allowed_hosts(host: str, port: int, names: Sequence[str] = ()) -> list[str]:
    """The Host headers that the server answers: this machine's loopback names, the address it listens on, and `names`.

    Any other is a page elsewhere that a browser was led to take for this one (DNS rebinding). MLflow's own default
    lets every name through that begins like a private address.
    """
    own = ["localhost", "127.0.0.1", "[::1]"]
    if host in ANY_HOST:
        own.append(socket.gethostname())
    else:
        own.append(f"[{host}]" if ":" in host else host)
    every = dict.fromkeys([*own, *names])
    return [form for name in every for form in (name, f"{name}:{port}")]


def _start(
    database: Path, host: str, port: int, hosts: Sequence[str], stdin: int, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        "-P",
        "-m",
        tied.NAME,
        "mlflow",
        "server",
        "--workers",
        "1",
        "--host",
        host,
        "--port",
        str(port),
    ]
    stores = [
        "--backend-store-uri",
        for_mlflow(SQLITE + str(database)),
        "--artifacts-destination",
        str(database.parent / ARTIFACTS),
    ]
    quiet = ["--uvicorn-opts", "--log-level warning", "--allowed-hosts", ",".join(hosts)]
    return subprocess.Popen(
        command + stores + quiet,
        stdin=stdin,
        stdout=log,
        stderr=log,
        env={**SETTINGS, **os.environ},
        start_new_session=True,  # one group to end, workers included; Ctrl-C reaches us alone
    )


def _wait_for_answer(url: str, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise TrackingError(f"MLflow's server did not start: {_last_line(log)}")
        if _answers(url):
            return
        time.sleep(POLL_S)
    raise TrackingError(f"MLflow's server did not answer at {url} within {START_S:g} s")


def _answers(url: str) -> bool:
    try:
        with DIRECT.open(f"{url}/health", timeout=START_S) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server and its workers."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
