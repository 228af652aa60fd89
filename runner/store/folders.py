"""The folders of runs and sweeps: where each file lies, who holds them, and which folder is one."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duograd.runner import arguments
from duograd.runner.errors import UserError
from duograd.runner.store import files, lines, locks, moving, schema

SWEEP = "sweep.json"
SEARCH = "search.json"
JOURNAL = "study.journal"  # Optuna's own, of a search
PRUNED = "pruned"  # the text of `stop` by which a search ends a run that is worse than others
ARTIFACTS = "mlartifacts"  # where MLflow keeps copies of files, beside its database
KILLED = "ended without a summary: its process was killed"


class _Inside:
    """The path of a file or folder by its name in another."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: "RunFolder | SweepFolder", _: object = None) -> Path:
        return folder.path / self.name


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's files, and its lock.

    checkpoint_before: the one that `checkpoint` replaced, until the run has finished.
    clock: seconds spent so far, apart from the checkpoint, which must be the same bytes on every machine.
    changes: what was not committed of the checkout when the run began; no file where nothing was.
    """

    path: Path

    config = _Inside("config.yaml")
    identity = _Inside("run.json")
    metrics = _Inside("metrics.jsonl")
    steps = _Inside("steps.jsonl")
    checkpoint = _Inside("checkpoint.safetensors")
    checkpoint_before = _Inside(".checkpoint.before.safetensors")
    best = _Inside("best.safetensors")
    frames = _Inside("frames")
    figures = _Inside("figures")
    log = _Inside("run.log")
    summary = _Inside("summary.json")
    clock = _Inside("clock.json")
    changes = _Inside("git.diff")
    stop = _Inside("stop")
    lock = _Inside(locks.TRAINER)
    mirror_lock = _Inside(locks.MIRROR)

    def read_config(self) -> dict[str, Any]:
        """config.yaml, with absolute paths. Raises DamagedError."""
        content = files.read_yaml(self.config)
        schema.check(self.config, content, schema.ConfigYaml)
        return moving.absolute_config(content, self.path)

    def write_config(self, tree: Mapping[str, Any], project: Path) -> None:
        """config.yaml; project: the directory where the command was given."""
        files.write_yaml(self.config, moving.relative_config(tree, self.path, project))

    def read_identity(self, *needed: str) -> dict[str, Any]:
        """run.json, with the keys that are needed at least, and overrides as Hydra reads them. Raises DamagedError."""
        content = files.read_json(self.identity)
        schema.check(self.identity, content, schema.RunJson, needed)
        typed = [arguments.readable(override) for override in content.get("overrides", [])]
        return content | {"overrides": typed} if typed else content

    def read_summary(self) -> dict[str, Any]:
        """summary.json; {} while the run goes on, or if it was killed. Raises DamagedError."""
        content = files.read_json(self.summary)
        if content:
            schema.check(self.summary, content, schema.SummaryJson)
        return content

    def history(self) -> dict[str, list[float | None]]:
        """metrics.jsonl by column; a last line torn by a kill is left out."""
        return lines.columns(lines.read(self.metrics))

    def step_losses(self) -> list[tuple[int, float]]:
        """steps.jsonl: steps and their losses; nothing where it was not written (full batch)."""
        rows = [row for row in lines.read(self.steps) if {"step", "train/loss"} <= row.keys()]
        return [(row["step"], row["train/loss"]) for row in rows]

    def frame_files(self) -> dict[tuple[str, int], Path]:
        """frames/KEY/STEP.png by key and step, in the order of the steps."""
        paths = sorted(
            (path for path in self.frames.rglob("*.png") if path.stem.isdecimal()), key=lambda p: int(p.stem)
        )
        return {(path.parent.relative_to(self.frames).as_posix(), int(path.stem)): path for path in paths}

    def ending(self) -> tuple[str, str | None]:
        """Status and error: a run without a summary is RUNNING while a process holds it, else KILLED.

        Raises DamagedError.
        """
        summary = self.read_summary()
        if summary:
            return str(summary.get("status")), summary.get("error")
        return ("RUNNING", None) if locks.is_held(self.lock) else ("KILLED", KILLED)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process. A lock dies with its process, so a killed run leaves none behind."""
        self.path.mkdir(parents=True, exist_ok=True)
        refusal = UserError(f"{self.path} is in use by another run: wait for it to end, or stop it")
        with locks.claimed(self.lock, 0, refusal):
            yield

    def refuse_odd_files(self) -> None:
        """Raises UserError where a link, a folder or a pipe stands for one of the run's files: nothing is written."""
        state = (self.checkpoint, self.checkpoint_before, self.best, self.clock, self.lock, self.mirror_lock)
        texts = (self.config, self.identity, self.changes, self.metrics, self.steps, self.log, self.summary, self.stop)
        for path in (*texts, *state):
            if path.is_symlink() or (path.exists() and not path.is_file()):
                what = "a link" if path.is_symlink() else "a folder" if path.is_dir() else "no regular file"
                raise UserError(f"{path} is {what}: put the run's file back, or remove it")
        for path in (self.frames, self.figures):
            if path.exists() and not path.is_dir():
                raise UserError(f"{path} is no folder: remove it")

    def remove_temporaries(self) -> None:
        """Removes what a process that was killed while writing left behind."""
        for path in self.path.rglob(files.TEMPORARY):
            path.unlink(missing_ok=True)

    def refuse_if_used(self) -> None:
        """Raises UserError where the folder already holds a run: nothing is ever overwritten by another."""
        if self.config.exists():
            raise UserError(
                f"{self.path} already holds a run: go on with it (duograd resume {shlex.quote(str(self.path))}), "
                "or choose another folder with hydra.run.dir=DIR"
            )
        for path in (self.metrics, self.steps, self.checkpoint, self.best, self.clock, self.summary):
            if path.exists():
                raise UserError(f"{path} would be overwritten: move it, or choose another folder, hydra.run.dir=DIR")

    def discard_if_empty(self) -> None:
        """Removes what a run that never started leaves behind: its lock, its folder, and `outputs/<task>` above it.

        Only what is empty goes, and above the run's own folder only what lies below the current directory.
        """
        if not self.config.exists():
            above = [folder for folder in self.path.resolve().parents[:2] if Path.cwd() in folder.parents]
            _discard(self.lock, self.path, *above)


@dataclass(frozen=True)
class SweepFolder:
    """The paths of a sweep's files, and its lock. end: while it exists, every job of the sweep ends after its step."""

    path: Path

    record = _Inside(SWEEP)
    end = _Inside(".end")
    lock = _Inside(locks.SWEEP)

    def directory(self) -> Path:
        """Where the sweep's command was given. Raises DamagedError."""
        return Path(moving.absolute(str(files.read_json(self.record).get("directory", ".")), self.path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the sweep for this process; the lock dies with it. Of a sweep that never began nothing stays behind."""
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        refusal = UserError(f"{self.path} is in use by another sweep: wait for it to end, or stop it")
        try:
            with locks.claimed(self.lock, 0, refusal):
                yield
        finally:
            if not self.record.exists():
                _discard(self.lock, *made)


def _discard(lock: Path, *folders: Path) -> None:
    """Removes a lock and, from the innermost outwards, folders that are empty then."""
    with suppress(OSError):
        lock.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()  # fails, and ends this, at the first that is not empty


def is_run_folder(path: Path) -> bool:
    """Whether `path` holds what a run writes at its start."""
    folder = RunFolder(path)
    return folder.identity.is_file() and folder.config.is_file()


def runs_below(path: Path) -> Iterator[Path]:
    """The run folders in a folder, however deep, by name; the copies that MLflow keeps are none."""
    for folder, below, names in os.walk(path):
        below.sort()
        if "run.json" in names and ARTIFACTS not in Path(folder).resolve().parts:
            yield Path(folder)
