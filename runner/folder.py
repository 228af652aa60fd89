"""The run folder: the truth about a run, and the only place that training writes to (docs/run-folder.md)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duograd.runner import locks
from duograd.runner.errors import UserError

SWEEP = "sweep.json"  # in the folder above those of a sweep's jobs


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's files, and its lock."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def identity(self) -> Path:
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def steps(self) -> Path:
        return self.path / "steps.jsonl"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def best(self) -> Path:
        return self.path / "best.safetensors"

    @property
    def frames(self) -> Path:
        return self.path / "frames"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def clock(self) -> Path:
        """Seconds spent so far: apart from the checkpoint, which must be the same bytes on every machine."""
        return self.path / "clock.json"

    @property
    def stop(self) -> Path:
        return self.path / "stop"

    def read_json(self, path: Path) -> dict[str, Any]:
        """The file's object, or {} where there is no such file."""
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        return content

    def history(self) -> dict[str, list[float | None]]:
        """metrics.jsonl by column; a last line torn by a kill is left out."""
        rows = _whole_lines(self.metrics)
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}

    def step_losses(self) -> list[tuple[int, float]]:
        """steps.jsonl: steps and their losses; nothing where it was not written (full batch)."""
        rows = _whole_lines(self.steps) if self.steps.exists() else []
        return [(row["step"], row["train/loss"]) for row in rows]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process. A lock dies with its process, so a killed run leaves none behind."""
        self.path.mkdir(parents=True, exist_ok=True)
        refusal = UserError(f"{self.path} is in use by another run: wait for it to end, or stop it")
        with locks.claimed(self.path / locks.TRAINER, 0, refusal):
            yield

    def refuse_if_used(self) -> None:
        """Raises UserError where the folder already holds a run: nothing is ever overwritten by another."""
        if self.config.exists():
            raise UserError(
                f"{self.path} already holds a run: go on with it by 'duograd resume {self.path}', "
                "or choose another folder with hydra.run.dir=DIR"
            )

    def discard_if_empty(self) -> None:
        """Removes what a run that never started leaves behind: its lock, its folder, and `outputs/<task>` above it.

        Only what is empty goes, and above the run's own folder only what lies below the current directory.
        """
        if not self.config.exists():
            above = [folder for folder in self.path.resolve().parents[:2] if Path.cwd() in folder.parents]
            with suppress(OSError):
                (self.path / locks.TRAINER).unlink(missing_ok=True)
                for folder in (self.path, *above):
                    folder.rmdir()  # fails, and ends this, at the first that is not empty


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; a last line torn by a kill is left out."""
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
