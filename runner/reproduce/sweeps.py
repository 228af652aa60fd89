"""The sweeps of studies, each a command of its own, which saves its jobs when it is asked to end or left alone."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from duograd.data.pasting import quoted
from duograd.runner import tied
from duograd.runner.display import duration
from duograd.runner.reproduce.study import Reproduction
from duograd.runner.reproduce.there import finished_seeds
from duograd.runner.signals import ENDING, handled_by

INTERRUPTED = 128


@dataclass(frozen=True)
class Command:
    """heading: what is printed above what the command says; arguments: what is typed after `duograd`."""

    heading: str
    arguments: Sequence[str]


def commands_of(made: Reproduction, seconds: Mapping[str, float], more: Sequence[str]) -> list[Command]:
    """Of each study one, begun or gone on with. seconds: that each will take; more: further arguments."""
    commands, left = [], sum(seconds.values())
    for position, (name, study) in enumerate(made.studies.items(), 1):
        folder, data = made.folder / name, made.data[study.data]
        heading = f"[{position}/{len(made.studies)}] {name}: {study.title}"
        if expected := seconds.get(name):
            heading += f" (about {duration(expected)}; {duration(left)} with what follows)"
            left -= expected
        if (there := finished_seeds(folder)) > made.seeds:
            heading += f"\n{there} seeds are there, and all of them count: --seeds {made.seeds} takes none away"
        where = [f"hydra.sweep.dir={quoted(str(folder))}", "sweep.resume=auto", "tracking=none"]
        commands.append(Command(heading, [*study.arguments(data, made.seeds, made.quick), *where, *more]))
    return commands


class Commands:
    """Runs them, so many at a time: one alone has the terminal, of several each is printed when it is over."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.RLock()  # between two sweeps no signal is lost
        self._running: set[subprocess.Popen[str]] = set()
        self.interrupted = 0  # the exit code of what a signal ended: nothing begins after it

    def codes(self, commands: Sequence[Command]) -> Iterator[int]:
        """The exit code of each, 128 + a signal; fewer where a signal came between. For main threads only."""
        with handled_by(self._pass_on, *ENDING), ThreadPoolExecutor(self._at_once) as pool:
            yield from (code for code in pool.map(self._code, commands) if code is not None)

    def _pass_on(self, signum: int, frame: object) -> None:
        """Two of a terminal's are one for a sweep."""
        with self._lock:
            self.interrupted = INTERRUPTED + signum
            for process in self._running:
                process.send_signal(signum)

    def _code(self, command: Command) -> int | None:
        """None where nothing begins any more."""
        alone = self._at_once == 1
        output, errors = (None, None) if alone else (subprocess.PIPE, subprocess.STDOUT)
        with tied.pipe() as stdin:
            with self._lock:
                if self.interrupted:
                    return None
                if alone:
                    print(command.heading, flush=True)
                typed = [sys.executable, "-m", tied.NAME, "duograd", *command.arguments]
                process = subprocess.Popen(typed, stdin=stdin, text=True, stdout=output, stderr=errors)
                self._running.add(process)
            said, _ = process.communicate()
        with self._lock:
            self._running.remove(process)
            code = process.returncode if process.returncode >= 0 else INTERRUPTED - process.returncode
            if code > INTERRUPTED:
                self.interrupted = code
            if not alone:
                print(f"{command.heading}\n{said}", end="", flush=True)
        return code
