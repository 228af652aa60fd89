"""A sweep in a process of its own: Python that asks for one may be a notebook, a thread, or a script without
`if __name__ == "__main__"`, which worker processes would run once more as they start. It ends in
order when the one who asked for it is gone.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from duograd.runner import tied
from duograd.runner.errors import UserError

LOOK_SECONDS = 0.2
WIDTH = 110  # characters of a line where that is no terminal's


def command(arguments: Sequence[str], progress: bool, look: Callable[[], None] = lambda: None) -> int:
    """Runs `duograd ARGUMENTS` to its end; 0, or 1 where a run failed. look: called now and then.

    Ctrl-C ends it in order before KeyboardInterrupt goes on. Raises UserError with what the command says.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        live = progress and sys.stdout.isatty()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", tied.NAME, "duograd", *arguments],
            stdin=subprocess.PIPE,
            stdout=None if live else said,
            stderr=errors,
            env=_environment(live),
        )
        printed = _Printed(said if progress and not live else None)
        try:
            _wait(process, printed, look)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            _wait(process, printed, look)
            raise
        finally:
            process.kill()
            process.communicate()
        errors.seek(0)
        return _verdict(process.returncode, errors.read().decode(errors="replace"))


def _wait(process: "subprocess.Popen[bytes]", printed: "_Printed", look: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(LOOK_SECONDS)
            return printed.more()
        except subprocess.TimeoutExpired:
            printed.more()
            look()


class _Printed:
    """What the process has said, printed here as it comes: sys.stdout may be a cell of a notebook."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file, self._at = file, 0

    def more(self) -> None:
        if self._file is None:
            return
        content = os.pread(self._file.fileno(), 1 << 20, self._at)
        whole = content[: content.rfind(b"\n") + 1]
        self._at += len(whole)
        print(whole.decode(errors="replace"), end="", flush=True)


def _verdict(code: int, errors: str) -> int:
    if code in (0, 1):
        print(errors, end="", file=sys.stderr)
        return code
    if code == 2:
        raise UserError(errors.strip().rpartition("\n")[2].removeprefix("duograd: "))
    raise RuntimeError(f"the sweep's process ended with code {code}: {errors.strip() or 'it was killed'}")


def _environment(live: bool) -> dict[str, str]:
    """In which the child finds the package wherever this process was started, and writes plain text where none draws.

    A notebook's kernel asks for colours by FORCE_COLOR.
    """
    import duograd

    root = Path(duograd.__file__).resolve().parents[1]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    kept = {key: value for key, value in os.environ.items() if live or key != "FORCE_COLOR"}
    return {**kept, "PYTHONPATH": path, **({} if live else {"NO_COLOR": "1", "COLUMNS": str(WIDTH)})}
