"""Full and read-only disks, real ones: each test has a small file system of its own, in a name space of its own."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest
from builders import tiny
from command_lines import TYPE
from patience import HANGING_S
from tracking_run import begin, end, train

from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

DUOGRAD = f"{sys.executable} -m duograd"
SMALL = "task=autoencoder tracking=none data.count=60 data.size=4 model.hidden_size=5 dtype=float64"
BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl", "steps.jsonl")
PRIVATE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]  # what is mounted in there is gone with the shell
KEEP = 'keep() { mkdir -p kept && cp -r "$@" kept; }'


@pytest.fixture
def on_a_disk(tmp_path):
    """Runs lines of a shell in a folder that has an empty file system `disk` of 300 kB; what they printed, and errors.

    After each line stands `= CODE`. What is to be looked at afterwards is copied out by `keep FILE…`.
    """
    mounted = "mkdir -p disk && mount -t tmpfs -o size=300k none disk"
    if subprocess.run([*PRIVATE, mounted], cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("needs Linux's user name spaces, in which anybody may mount (unshare --map-root-user --mount)")

    def shell(*lines: str) -> tuple[list[str], str]:
        script = "\n".join([mounted, KEEP, *(f'{line}; echo "= $?"' for line in lines)])
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [*PRIVATE, script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=HANGING_S
        )
        return done.stdout.splitlines(), done.stderr

    return shell


def codes(said: list[str]) -> list[int]:
    return [int(line.removeprefix("= ")) for line in said if line.startswith("= ")]


def test_a_disk_that_is_full_ends_a_run_in_a_line_and_space_lets_it_go_on(on_a_disk, tmp_path):
    """Half an epoch of a log may stand there: what goes on from it ends in the bytes of an undisturbed run."""
    more = ["epochs=1200", "batch_size=20", "checkpoint.every_seconds=0.02", "task.figures=[]"]
    calm = RunFolder(tmp_path / "calm")
    assert run(tiny(*more), calm, []) == 0
    said, errors = on_a_disk(
        f"{DUOGRAD} {SMALL} {' '.join(more)} hydra.run.dir=disk/run",
        "ls -A disk/run disk/run/frames | grep tmp",
        "head -c 1M /dev/zero > disk/rest 2>/dev/null",
        f"{DUOGRAD} {SMALL} hydra.run.dir=disk/another",
        "ls disk",
        "mount -o remount,size=20m disk",
        f"{DUOGRAD} resume disk/run",
        "keep disk/run",
    )
    assert codes(said) == [1, 1, 1, 2, 0, 0, 0, 0], (said, errors)
    [failed] = [line for line in said if line.startswith("FAILED: ")]
    assert failed.startswith(f"FAILED: {tmp_path}/disk/run/")
    assert failed.endswith(": No space left on device")
    assert f"go on with it: duograd resume {tmp_path}/disk/run" in said
    assert errors.startswith(f"duograd: {tmp_path}/disk/another")
    assert errors.endswith(": No space left on device\n")
    assert errors.count("\n") == 1
    for name in BYTES:
        assert (tmp_path / "kept" / "run" / name).read_bytes() == (calm.path / name).read_bytes()


def test_a_disk_that_is_read_only_is_a_line_and_what_is_on_it_can_be_read(on_a_disk, tmp_path):
    finished, killed = RunFolder(tmp_path / "finished"), tmp_path / "killed"
    assert run(tiny("epochs=3", "task.figures=[]"), finished, []) == 0
    shutil.copytree(finished.path, killed)
    (killed / "summary.json").unlink()
    mirrored = begin(tmp_path / "mirrored", f"sqlite:///{tmp_path}/mlflow.db", "id")
    train(mirrored, 1, 5)
    end(mirrored)
    typed = [
        [*SMALL.split(), "hydra.run.dir=disk/run"],
        ["resume", "disk/killed"],
        ["rerun", "disk/finished"],
        ["sync", "disk/mirrored"],
        ["rerun", "disk/finished", "--out", "again"],
        ["compare", "disk/finished", "finished", "--out", "answer"],
    ]
    said, errors = on_a_disk(
        "cp -r finished killed mirrored disk; mount -o remount,ro disk",
        shlex.join([sys.executable, "-c", TYPE, json.dumps(typed)]),
    )
    assert said[-2:] == ["CODES [2, 2, 2, 1, 0, 0]", "= 0"], (said, errors)
    assert len(errors.splitlines()) == 4
    assert all(line.endswith(": Read-only file system") for line in errors.splitlines()), errors
    assert (tmp_path / "answer" / "answer.md").exists()


@pytest.mark.slow
def test_a_database_that_is_read_only_is_a_line_and_sync_brings_what_it_lacks(on_a_disk, tmp_path):
    folder = begin(tmp_path / "run", f"sqlite:///{tmp_path}/disk/mlflow.db", "id")
    train(folder, 1, 5)
    end(folder)
    said, errors = on_a_disk(
        "mount -o remount,size=20m disk",
        f"{DUOGRAD} sync run",
        "rm run/mlflow.json; mount -o remount,ro disk",
        f"{DUOGRAD} sync run",
        f"{DUOGRAD} {SMALL} tracking=mlflow tracking.uri=sqlite:///disk/mlflow.db hydra.run.dir=another",
        "mount -o remount,rw disk",
        f"{DUOGRAD} sync run another",
    )
    assert codes(said) == [0, 0, 0, 1, 0, 0, 0], (said, errors)
    assert "disk/mlflow.db" in errors
    assert len(errors.splitlines()) == 1
    [trouble] = [line for line in said if line.startswith("tracking: ")]
    assert "disk/mlflow.db" in trouble
    assert "the run is safe in" in trouble
    assert sum("epochs," in line for line in said[-4:]) == 2
