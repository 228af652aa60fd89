"""`python -m runner.tracking.follow RUN_DIR NICENESS`: mirrors a run folder until standard input ends.

Started by `follower.Follower`, which holds the other end of the pipe. What goes wrong is one line on standard error
(`mirror.log` in the folder); the last one is the reason for an exit code other than 0.
"""

import gc
import os
import select
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UserError
from runner.folder import RunFolder
from runner.locks import MIRROR, locked
from runner.tracking.errors import TrackingError
from runner.tracking.follower import LOG

if TYPE_CHECKING:
    from runner.tracking.mirror import Mirror

POLL_S = 2.0  # at 70 epochs/s, 6 metrics each, one call of 1000 metrics takes about one poll
LONGEST_PAUSE_S = 60.0  # between attempts at a store that fails
LIFETIME_S = 120.0  # after the trainer has gone, whatever hangs
OTHER_MIRROR_S = 60.0  # for the follower of a killed trainer to finish before a resumed run's begins


def main(argv: list[str]) -> int:
    """Follow RUN_DIR; exit code 0 if MLflow has everything."""
    run_dir, niceness, trainer = Path(argv[0]), int(argv[1]), os.getppid()
    started = time.time()
    os.nice(niceness)
    over = threading.Event()
    threading.Thread(target=_watch, args=(trainer, over), daemon=True).start()
    try:
        with locked(run_dir / MIRROR, OTHER_MIRROR_S):
            return _follow(run_dir, over, started)
    except OSError as error:
        return _say(str(error))
    finally:
        _drop_empty(run_dir / LOG)


def _watch(trainer: int, over: threading.Event) -> None:
    """Set `over` when the trainer has finished or died; then make sure that this process ends."""
    while os.getppid() == trainer:  # a process that the trainer forked may still hold the pipe open
        readable, _, _ = select.select([0], [], [], POLL_S)
        if readable and not os.read(0, 1):
            break
    over.set()
    time.sleep(LIFETIME_S)
    os._exit(_say(f"MLflow took longer than {LIFETIME_S:g} s"))


def _follow(run_dir: Path, over: threading.Event, started: float) -> int:
    from runner.tracking.mirror import Mirror  # mlflow: 1 to 2 s, so the watch comes first

    gc.freeze()  # what mlflow's import made need not be searched for garbage again: a quarter less work
    mirror = Mirror(since=started)
    pause, said = 0.0, None
    while not over.wait(pause):
        failure = _attempt(mirror, run_dir, alive=True)
        pause = POLL_S if failure is None else min(2 * pause + 1, LONGEST_PAUSE_S)
        if failure not in (None, said):
            _say(failure)
        said = failure
    failure = _attempt(mirror, run_dir, alive=False)
    return 0 if failure is None else _say(failure)


def _attempt(mirror: "Mirror", run_dir: Path, alive: bool) -> str | None:
    """One update; None if all is well, else what failed, in one line."""
    if not RunFolder(run_dir).config.exists():
        return None  # the run has not begun, or never did
    try:
        mirror.update(run_dir, alive=alive)
    except (TrackingError, UserError) as error:
        return str(error)
    except Exception as error:  # a bug of ours must not end the following
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return None


def _say(line: str) -> int:
    print(line, file=sys.stderr, flush=True)
    return 1


def _drop_empty(log: Path) -> None:
    """Leave mirror.log only if there is something in it."""
    sys.stderr.flush()
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
