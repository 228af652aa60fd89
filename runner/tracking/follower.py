"""The trainer's end of the mirror: a child process follows the run folder, and training never waits for MLflow.

A process, not a thread: MLflow's work would take the interpreter's lock from the trainer; and a follower outlives a
trainer that is killed, and tells the truth about it. It learns that the trainer is gone when their pipe closes.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import duograd

LOG = "mirror.log"
ROOT = Path(duograd.__file__).resolve().parents[1]  # the child finds the packages wherever the trainer was started
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # it computes nothing


class Follower:
    """A process that keeps MLflow up to date with a run folder. Nothing in here raises because of tracking."""

    def __init__(self, run_dir: Path, process: subprocess.Popen[bytes] | None, failure: str = "") -> None:
        self._run_dir = run_dir
        self._process = process
        self._failure = failure

    @classmethod
    def start(cls, run_dir: Path, niceness: int = 19) -> "Follower":
        """Start following `run_dir`, which may still be empty, with `niceness` added to the process's."""
        run_dir = Path(run_dir).resolve()
        command = [sys.executable, "-P", "-m", "duograd.runner.tracking.follow", str(run_dir), str(niceness)]
        try:
            with (run_dir / LOG).open("ab") as log:  # the follower of a killed trainer may still write there
                log.truncate(0)
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,  # never written to: its end is the message
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C in the terminal is the trainer's
                )
        except OSError as error:
            return cls(run_dir, None, f"could not start the mirror ({error.strerror or error})")
        return cls(run_dir, process)

    def finish(self, timeout_s: float = 30.0) -> str | None:
        """Say that the run is over and wait up to `timeout_s` for the mirror; None if MLflow has everything.

        Else one line for the user. No process is left behind either way.
        """
        reason = self._reason(timeout_s)
        if reason is None:
            return None
        later = f"duograd sync {shlex.quote(str(self._run_dir))}"
        return f"tracking: {reason}; the run is safe in {self._run_dir} - later: {later}"

    def _reason(self, timeout_s: float) -> str | None:
        if self._process is None:
            return self._failure
        try:
            self._process.communicate(timeout=timeout_s)  # closes the pipe, waits
        except subprocess.TimeoutExpired:
            self._process.kill()  # it can be cut anywhere: the next one asks the store what it has
            self._process.wait()
            return _last_line(self._run_dir / LOG) or f"MLflow took longer than {timeout_s:g} s"
        code = self._process.returncode
        return None if code == 0 else _last_line(self._run_dir / LOG) or f"the mirror ended with code {code}"


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONPATH": path}


def _last_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip().rpartition("\n")[2]
    except OSError:
        return ""
