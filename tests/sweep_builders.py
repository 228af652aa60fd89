"""Sweeps in real processes, and looking into them while they go on."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra
from patience import HANGING_S

from duograd.runner import cli

Typed = Callable[..., tuple[Any, str, str]]
SAME_BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl")
SMALL = ["data.count=200", "data.size=4", "dtype=float64"]


def sweep(folder: Path, *overrides: str, tracking: str = "none", answer: bool = False) -> list[str]:
    """The command of a sweep of small runs into a folder; drawing the answer takes seconds."""
    where = [f"hydra.sweep.dir={folder}", f"tracking={tracking}", f"sweep.answer={str(answer).lower()}", *SMALL]
    return [sys.executable, "-m", "duograd", "-m", "task=autoencoder", *where, *overrides]


def done(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=HANGING_S)


def started(command: list[str], cwd: Path) -> subprocess.Popen[str]:
    """A process that goes on while the test does something to it, in a group of its own, as in a terminal."""
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=cwd, text=True, start_new_session=True, **pipe)


def resume(folder: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "duograd", "resume", str(folder), *flags]


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "sweep.json").read_text())


def statuses(folder: Path) -> dict[str, str]:
    return {job["name"]: job["status"] for job in record(folder)["jobs"]}


def results(folder: Path) -> dict[str, tuple]:
    """The final table: of each job its status, metrics and best value."""
    return {job["name"]: (job["status"], job["metrics"], job["best"]) for job in record(folder)["jobs"]}


def epochs(folder: Path) -> int:
    log = folder / "metrics.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def trainer(folder: Path) -> int | None:
    """The process that trains in a run's folder: it has metrics.jsonl open."""
    metrics = str(folder / "metrics.jsonl")
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and metrics in _open_files(entry):
            return int(entry.name)
    return None


def _open_files(process: Path) -> list[str]:
    try:
        return [str(file.readlink()) for file in (process / "fd").iterdir()]
    except OSError:  # it has ended, or is another user's
        return []


def left_behind(group: int) -> list[int]:
    """The processes of a group that still live."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _group(entry) == group]


def _group(process: Path) -> int | None:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[2])


@contextmanager
def typing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *always: str) -> Iterator[Typed]:
    """What `duograd ALWAYS ARGUMENTS` does in this process: its exit code, output and errors."""

    def run(*arguments: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["duograd", *always, *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code, *capsys.readouterr())

    yield run
    GlobalHydra.instance().clear()


def refused_in_one_line(result: tuple[Any, str, str], message: str, here: Path) -> None:
    """A user's fault: one line that begins so, and nothing else, neither printed nor written."""
    code, out, err = result
    assert code == 2
    assert err.startswith(f"duograd: {message}")
    assert (err.count("\n"), out) == (1, "")
    assert not list(here.iterdir())
