"""What happens in a worker: one job at a time, in a process that stays warm for the next."""

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from distributed import Reschedule, WorkerPlugin, get_worker
from rich.console import Console

from duograd.data.dataset import DataSet
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.context import RunContext, logged_to
from duograd.runner.errors import UserError, system_fault
from duograd.runner.hooks.interruption import EndFile
from duograd.runner.run import resume, run
from duograd.runner.store import code, files
from duograd.runner.store.folders import RunFolder, SweepFolder
from duograd.runner.store.records import DIED
from duograd.runner.validate import validate_plain

ATTEMPT = ".begun"  # in a job's folder: the attempt that began it
LEAVE_AT = "DUOGRAD_LEAVE_AT"  # in the environment: seconds since 1970, when this process soon comes to its limit
LEFT = "it left its worker, whose time is over"
POLL_SECONDS = 0.05
KEPT = 2  # data sets in a worker's memory


@dataclass(frozen=True)
class Task:
    """What travels to a worker. attempt: unique to each submission of a job."""

    config: dict[str, Any]
    sweep: str
    folder: str
    attempt: str
    name: str
    overrides: list[str]
    swept: Mapping[str, str]
    flags: tuple[str, ...]


class DataCache:
    """The data sets that were used last, so that a hundred jobs read theirs once."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._sets: OrderedDict[str, DataSet] = OrderedDict()

    def load(self, config: RunConfig) -> DataSet:
        """The data set of a configuration. Raises DataError."""
        key = build.data_key(config)
        if key not in self._sets:
            while len(self._sets) >= self._kept:
                self._sets.popitem(last=False)
            self._sets[key] = build.data_set(config)
        self._sets.move_to_end(key)
        return self._sets[key]


class Warm(WorkerPlugin):
    """Makes a process a worker of duograd's. Sent by each sweep anew: no data is kept from one to the next."""

    name = "duograd"

    def __init__(self) -> None:
        self.cache = DataCache()


def warm() -> Warm:
    """What makes this process a worker. One that has just started may be given a job before it has that."""
    worker = get_worker()
    while Warm.name not in worker.plugins:
        time.sleep(POLL_SECONDS)
    plugin = worker.plugins[Warm.name]
    assert isinstance(plugin, Warm)
    return plugin


def work(task: Task) -> str | None:
    """Runs a job in its folder, or goes on with it; what went wrong beyond what its summary says, in one line."""
    sweep, folder = SweepFolder(Path(task.sweep)), RunFolder(Path(task.folder))
    if not sweep.record.exists():
        return f"worker {get_worker().address} does not see {sweep.path}"
    if sweep.end.exists():
        return None
    if leaving():
        _go_home()
        raise Reschedule  # to another worker
    folder.path.mkdir(exist_ok=True)
    if _last_attempt(folder) == task.attempt:
        return DIED  # and Dask would try it again
    files.write_bytes(folder.path / ATTEMPT, task.attempt.encode())
    try:
        _train(task, folder, sweep)
    except UserError as error:
        return _logged(folder, str(error), getattr(error, "traceback", ""))
    except OSError as error:
        return _logged(folder, system_fault(error))
    except Exception as error:
        with logged_to(folder.log) as log:
            log.exception("a fault of duograd's own")
        return f"a fault of duograd's own: {error!r}"
    return LEFT if leaving() and folder.read_summary().get("status") == "KILLED" else None


def leaving() -> bool:
    """Whether this process will soon be ended by what started it, a batch system."""
    return time.time() > float(os.environ.get(LEAVE_AT, inf))


def _go_home() -> None:
    """Takes no more jobs, and leaves room for a worker whose time begins."""
    worker = get_worker()
    worker.loop.add_callback(worker.close_gracefully)
    time.sleep(1.0)  # until the scheduler knows


def _train(task: Task, folder: RunFolder, sweep: SweepFolder) -> None:
    context = RunContext(
        console=quiet(),
        interruption=EndFile(sweep.end, leaving),
        load=warm().cache.load,
        name=task.name,
        swept=task.swept,
        flags=task.flags,
        threads=int(os.environ.get("OMP_NUM_THREADS", "1")),  # what the one who started the worker gave it
        mirrored=False,
        project=sweep.directory(),
        drawn=False,
    )
    code.restore(sweep.path, trust=True, remedy="")  # whoever sent the task has imported it before
    config = validate_plain(task.config)
    if folder.config.exists():
        resume(config, folder, context)
    else:
        run(config, folder, task.overrides, context)


def quiet() -> Console:
    """A console that prints nothing: a worker's output would tear the sweep's table."""
    return Console(quiet=True, force_terminal=False)


def _last_attempt(folder: RunFolder) -> str | None:
    path = folder.path / ATTEMPT
    return path.read_text() if path.exists() else None


def _logged(folder: RunFolder, line: str, traceback: str = "") -> str:
    """traceback: of the user's own code."""
    with logged_to(folder.log) as log:
        log.error("%s", "\n".join(filter(None, (line, traceback))))
    return line
