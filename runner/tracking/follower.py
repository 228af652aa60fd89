"""The trainer's end of the mirror: a child process follows the run folder, and training never waits for MLflow.

A process, not a thread: MLflow's work would take the interpreter's lock from the trainer; and a follower outlives a
trainer that is killed, and tells the truth about it. It learns that the trainer is gone when their pipe closes.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

import duograd
from duograd.models.layers.threads import thread_environment

LOG = "mirror.log"
PATIENCE = "DUOGRAD_MLFLOW_SECONDS"  # in the environment: the longest wait for MLflow at an end, in place of the usual
ROOT = Path(duograd.__file__).resolve().parents[1]  # the child finds the package wherever the trainer was started


def patience(usual: float) -> float:
    """The seconds that an end waits for MLflow at the most."""
    text = os.environ.get(PATIENCE, "")
    return float(text) if text.isdecimal() else usual


class Follower:
    """A process that keeps MLflow up to date with a run folder. Nothing in here raises because of tracking."""

    def __init__(self, run_dir: Path, process: subprocess.Popen[bytes] | None, failure: str = "") -> None:
        self._run_dir = run_dir
        self._process = process
        self._failure = failure
        self._later = f"duograd sync {shlex.quote(str(run_dir))}"

    @classmethod
    def start(cls, run_dir: Path, environ: Mapping[str, str] = os.environ) -> "Follower":
        """Start following `run_dir`, which may still be empty. environ: `address.environment` of where to."""
        run_dir = Path(run_dir).resolve()
        try:
            with (run_dir / LOG).open("ab") as log:  # the follower of a killed trainer may still write there
                log.truncate(0)
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "duograd.runner.tracking.follow", str(run_dir)],
                    stdin=subprocess.PIPE,  # never written to: its end is the message
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=_environment(environ),
                    start_new_session=True,  # Ctrl-C in the terminal is the trainer's
                )
        except OSError as error:
            return cls(run_dir, None, f"could not start the mirror ({error.strerror or error})")
        return cls(run_dir, process)

    def conclude(self, timeout_s: float, console: Console) -> None:
        """`finish`, with what there is to say about it on the console."""
        from duograd.runner.display import waiting

        with waiting(console, "bringing MLflow up to date (Ctrl-C leaves that to the background)"):
            trouble = self.finish(timeout_s)
        console.print(Text(trouble or "look at it in MLflow: duograd ui", "yellow" if trouble else ""), soft_wrap=True)

    def finish(self, timeout_s: float = 30.0) -> str | None:
        """Say that the run is over and wait up to `timeout_s` for the mirror; None if MLflow has everything.

        Else one line for the user. Ctrl-C ends the wait. What was not waited for goes on by itself, and ends by itself.
        """
        if self._process is None:
            reason: str | None = self._failure
        elif _ended(self._process, timeout_s):
            reason = self._verdict(self._process.returncode)
        else:
            _hang_up(self._process)
            return f"MLflow is brought up to date in the background; to wait for it: {self._later}"
        return reason and f"tracking: {reason}; the run is safe in {self._run_dir} - later: {self._later}"

    def _verdict(self, code: int) -> str | None:
        return None if code == 0 else self._last_line() or f"the mirror ended with code {code}"

    def _last_line(self) -> str:
        try:
            return (self._run_dir / LOG).read_text(errors="replace").strip().rpartition("\n")[2]
        except OSError:
            return ""


def _ended(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    try:
        process.communicate(timeout=timeout_s)  # closes the pipe, waits
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        return False
    return True


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    """Closes the pipe, which says that the trainer is gone, and lets the process be."""
    if process.stdin:
        process.stdin.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH"))))
    return {**environ, **thread_environment(1), "PYTHONPATH": path}  # it computes nothing
