"""What happens in a worker: one job at a time, or several that train as one, in a process that stays warm."""

import contextvars
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from distributed import Reschedule, Worker, WorkerPlugin, get_worker
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
from duograd.runner.sweep.gpus import VISIBLE
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
        self._lock = threading.Lock()  # jobs of a stack ask at the same time

    def load(self, config: RunConfig) -> DataSet:
        """The data set of a configuration. Raises DataError."""
        key = build.data_key(config)
        with self._lock:
            if key not in self._sets:
                while len(self._sets) >= self._kept:
                    self._sets.popitem(last=False)
                self._sets[key] = build.data_set(config)
            self._sets.move_to_end(key)
            return self._sets[key]


class Warm(WorkerPlugin):
    """Makes a process a worker of duograd's. Sent by each sweep anew: no data is kept from one to the next.

    gpus: what CUDA is to see, by the worker's name; nothing is said to the others.
    """

    name = "duograd"

    def __init__(self, gpus: Mapping[str, str]) -> None:
        self.gpus, self.cache = gpus, DataCache()

    def __reduce__(self) -> tuple[Any, ...]:
        return Warm, (self.gpus,)  # data stays where it is

    def setup(self, worker: Worker) -> None:
        """Before anything in the process looks for a GPU."""
        if devices := self.gpus.get(str(worker.name)):
            os.environ[VISIBLE] = devices


def warm() -> Warm:
    """What makes this process a worker. One that has just started may be given a job before it has that."""
    worker = get_worker()
    while Warm.name not in worker.plugins:
        time.sleep(POLL_SECONDS)
    plugin = worker.plugins[Warm.name]
    assert isinstance(plugin, Warm)
    plugin.setup(worker)  # which may still be on its way
    return plugin


Errors = dict[str, str | None]
"""What went wrong with each attempt beyond what its summary says, in one line."""


def work(tasks: Sequence[Task], topic: str) -> Errors:
    """Runs jobs in their folders, or goes on with them, several as one. Each of several is told under the topic as it
    ends: its attempt, and what went wrong.
    """
    sweep = SweepFolder(Path(tasks[0].sweep))
    if not sweep.record.exists():
        return {task.attempt: f"worker {get_worker().address} does not see {sweep.path}" for task in tasks}
    if sweep.end.exists():
        return {}
    if leaving():
        _go_home()
        raise Reschedule  # to another worker
    if len(tasks) == 1:
        return {tasks[0].attempt: _work_on(tasks[0], sweep, _context(tasks[0], sweep))}
    return _work_together(tasks, sweep, topic)


def _work_together(tasks: Sequence[Task], sweep: SweepFolder, topic: str) -> Errors:
    """Each job in a thread of its own, and their engines as one."""
    from duograd.runner.engines.torch_stack import Member, Stack

    stack, worker = Stack(len(tasks)), get_worker()
    errors: Errors = {}

    def follow(number: int, task: Task) -> None:
        engine = partial(build.torch_engine, make=partial(Member, stack, number))
        try:
            context = replace(_context(task, sweep), engine=engine, stacked=len(tasks))
            errors[task.attempt] = _work_on(task, sweep, context)
        finally:
            stack.leave()
        worker.log_event(topic, [task.attempt, errors[task.attempt]])

    here = contextvars.copy_context  # it knows which worker this is
    threads = [threading.Thread(target=here().run, args=(follow, *each)) for each in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _work_on(task: Task, sweep: SweepFolder, context: RunContext) -> str | None:
    """Runs one job; what went wrong, in one line."""
    folder = RunFolder(Path(task.folder))
    folder.path.mkdir(exist_ok=True)
    if _last_attempt(folder) == task.attempt:
        return DIED  # and Dask would try it again
    files.write_bytes(folder.path / ATTEMPT, task.attempt.encode())
    try:
        _train(task, folder, sweep, context)
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


def _context(task: Task, sweep: SweepFolder) -> RunContext:
    return RunContext(
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


def _train(task: Task, folder: RunFolder, sweep: SweepFolder, context: RunContext) -> None:
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
