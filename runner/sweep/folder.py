"""A sweep's folder: sweep.json, a folder for each job, and requests to end them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from duograd.runner import locks
from duograd.runner.errors import UserError
from duograd.runner.folder import SWEEP

END = ".end"  # while it exists, every job of the sweep ends after its step


@dataclass(frozen=True)
class SweepFolder:
    """The paths of a sweep's files, and its lock."""

    path: Path

    @property
    def record(self) -> Path:
        return self.path / SWEEP

    @property
    def end(self) -> Path:
        return self.path / END

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the sweep for this process; the lock dies with it. Of a sweep that never began nothing stays behind."""
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        refusal = UserError(f"{self.path} is in use by another sweep: wait for it to end, or stop it")
        try:
            with locks.claimed(self.path / locks.SWEEP, 0, refusal):
                yield
        finally:
            if not self.record.exists():
                with suppress(OSError):
                    (self.path / locks.SWEEP).unlink(missing_ok=True)
                    for folder in made:
                        folder.rmdir()  # fails, and ends this, at the first that is not empty
