"""`python -m duograd.runner.tracking.follow DIR`: mirrors a run's or a sweep's folder until standard input ends.

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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from duograd.runner.errors import UserError
from duograd.runner.redaction import redact
from duograd.runner.store.folders import SWEEP, RunFolder
from duograd.runner.store.locks import MIRROR, locked
from duograd.runner.tracking import TrackingError
from duograd.runner.tracking.follower import LOG

if TYPE_CHECKING:
    from duograd.runner.tracking.mirror import Mirror

POLL_S = 2.0  # at 70 epochs/s, 6 metrics each, one call of 1000 metrics takes about one poll
SWEEP_POLL_S = 5.0  # each look at a run costs, and a sweep has many
LONGEST_PAUSE_S = 60.0  # between attempts at a store that fails
LIFETIME_S = 900.0  # after the trainer has gone, whatever hangs
OTHER_MIRROR_S = LIFETIME_S  # for an earlier follower to finish before a resumed run's begins
AUTOGROUP = Path("/proc/self/autogroup")
BEHIND, BESIDE = 5, 0  # niceness: a third of what training gets, or as much


def main(argv: list[str]) -> int:
    """Follow DIR; exit code 0 if MLflow has everything."""
    run_dir, trainer, started = Path(argv[0]), os.getppid(), time.time()
    if not _weigh(BEHIND):
        os.nice(BEHIND)  # there is no way back from it
    over = threading.Event()
    threading.Thread(target=_watch, args=(trainer, over), daemon=True).start()
    try:
        with locked(run_dir / MIRROR, OTHER_MIRROR_S):
            return _follow(run_dir, over, started)
    except OSError as error:
        return _say(str(error))
    finally:
        _drop_empty(run_dir / LOG)


def _weigh(niceness: int) -> bool:
    """The weight of this process against training, where Linux weighs sessions: this process has one of its own."""
    for _ in range(10):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:  # not so soon after the last time
            time.sleep(0.1)
        except OSError:
            return False
        else:
            return True
    return False


def _watch(trainer: int, over: threading.Event) -> None:
    """Set `over` when the trainer has finished or died; then make sure that this process ends."""
    while os.getppid() == trainer:  # a process that the trainer forked may still hold the pipe open
        readable, _, _ = select.select([0], [], [], POLL_S)
        if readable and not os.read(0, 1):
            break
    over.set()
    _weigh(BESIDE)  # somebody waits now
    time.sleep(LIFETIME_S)
    os._exit(_say(f"MLflow took longer than {LIFETIME_S:g} s"))


def _follow(run_dir: Path, over: threading.Event, started: float) -> int:
    update = _updater(run_dir, started)  # imports mlflow: 1 to 2 s, so the watch comes first
    gc.freeze()  # what that made need not be searched for garbage again: a quarter less work
    poll = SWEEP_POLL_S if (run_dir / SWEEP).exists() else POLL_S
    pause, said = 0.0, None
    while not over.wait(pause):
        failure = _attempt(update, alive=True)
        pause = poll if failure is None else min(2 * pause + 1, LONGEST_PAUSE_S)
        if failure not in (None, said):
            _say(failure)
        said = failure
    failure = _attempt(update, alive=False)
    return 0 if failure is None else _say(failure)


def _updater(folder: Path, started: float) -> Callable[..., object]:
    """What brings the folder up to date: update(alive=…)."""
    if (folder / SWEEP).exists():
        from duograd.runner.tracking.sweep import SweepMirror

        return SweepMirror(folder, since=started).update

    from duograd.runner.tracking.mirror import Mirror

    return partial(_update_run, Mirror(since=started), folder)


def _update_run(mirror: "Mirror", run_dir: Path, alive: bool) -> None:
    if RunFolder(run_dir).config.exists():  # else the run has not begun, or never did
        mirror.update(run_dir, alive=alive)


def _attempt(update: Callable[..., object], alive: bool) -> str | None:
    """One update; None if all is well, else what failed, in one line."""
    try:
        update(alive=alive)
    except (TrackingError, UserError) as error:
        return str(error)
    except Exception as error:  # a bug of ours must not end the following
        _say(traceback.format_exc().rstrip())
        return f"{type(error).__name__}: {error}"
    return None


def _say(line: str) -> int:
    print(redact(line), file=sys.stderr, flush=True)
    return 1


def _drop_empty(log: Path) -> None:
    """Leave mirror.log only if there is something in it."""
    sys.stderr.flush()
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
