"""A cluster as a user starts one by hand: a scheduler and workers, each a process of its own, as on machines of their
own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client
from patience import HANGING_S, wait_until


@dataclass
class Machines:
    """address: of the scheduler; here: where all of them were started."""

    here: Path
    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: list["subprocess.Popen[bytes]"]

    @property
    def overrides(self) -> list[str]:
        """By which a sweep comes here, however long a busy machine takes to answer."""
        return [f"hydra.launcher.scheduler={self.address}", f"hydra.launcher.timeout={HANGING_S}"]

    def start_workers(self, count: int) -> None:
        """So many more, once they are known to the scheduler."""
        alive = sum(worker.poll() is None for worker in self.workers)
        flags = ["--nthreads", "1", "--no-dashboard", "--no-nanny"]
        self.workers += [_dask("worker", self.address, *flags, here=self.here) for _ in range(count)]
        with Client(self.address, timeout=HANGING_S, set_as_default=False) as client:
            client.wait_for_workers(alive + count, timeout=HANGING_S)


@contextmanager
def machines(here: Path, workers: int) -> Iterator[Machines]:
    """A cluster for the block."""
    file = here / "scheduler.json"
    where = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    cluster = Machines(here, "", _dask("scheduler", *where, here=here), [])
    try:
        cluster.address = json.loads(wait_until(lambda: _whole(file)))["address"]
        cluster.start_workers(workers)
        yield cluster
    finally:
        for process in (*cluster.workers, cluster.scheduler):
            process.kill()
            process.wait()


def _whole(file: Path) -> str | None:
    text = file.read_text() if file.exists() else ""
    return text if text.rstrip().endswith("}") else None


def _dask(*arguments: str, here: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
