"""How a run ends and how it goes on: killed, interrupted, diverged, on a full disk. In real processes where one is
killed; else in this one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from builders import tiny
from halting import OPTIMIZER_FILE
from patience import HANGING_S, wait_until
from run_builders import SAME_BYTES, SMALL, summary

from duograd.runner.errors import UserError
from duograd.runner.run import resume, run
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder


def start(folder: Path, *overrides: str) -> subprocess.Popen[str]:
    """A run that goes on while the test does something to it."""
    command = [sys.executable, "-m", "duograd", f"hydra.run.dir={folder.name}", *SMALL, *overrides]
    return subprocess.Popen(command, cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_epochs(folder: Path, epochs: int, process: subprocess.Popen[str]) -> None:
    log = folder / "metrics.jsonl"
    wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= epochs, process)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def test_killed_and_resumed_is_as_if_never_killed(backend, tmp_path, typed):
    """SIGKILL, twice; then the same bytes as an undisturbed run."""
    overrides = [f"backend={backend}", "tracking=none", "epochs=400", "batch_size=50", OPTIMIZER_FILE]
    overrides += ["checkpoint.every_seconds=0.02", "data.count=150"]
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert typed(f"hydra.run.dir={calm}", *SMALL, *overrides)[0] == 0
    for step in (200, 700):  # 3 an epoch
        (tmp_path / f"hold-{step}").touch()
    process = start(killed, *overrides)
    wait_for_epochs(killed, 60, process)
    process.kill()
    process.communicate()
    (tmp_path / "hold-200").unlink()
    assert not (killed / "summary.json").exists()
    command = [sys.executable, "-m", "duograd", "resume", str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    wait_for_epochs(killed, 200, process)
    process.kill()
    process.wait()
    (tmp_path / "hold-700").unlink()
    assert typed("resume", "killed")[0] == 0
    assert summary(killed)["status"] == "FINISHED"
    for name in SAME_BYTES:
        assert (calm / name).read_bytes() == (killed / name).read_bytes()


def test_ctrl_c_ends_well_and_can_be_resumed(tmp_path, typed):
    folder = tmp_path / "run"
    process = start(folder, "epochs=100000", "tracking=none")
    wait_for_epochs(folder, 5, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130
    assert "KILLED: ended by SIGINT" in output
    assert f"go on with it: duograd resume {folder}" in output
    content = summary(folder)
    assert content["status"] == "KILLED"
    assert content["epochs"] == (folder / "metrics.jsonl").read_bytes().count(b"\n")
    (folder / "config.yaml").write_text(
        (folder / "config.yaml").read_text().replace("epochs: 100000", f"epochs: {content['epochs'] + 2}")
    )
    assert typed("resume", "run")[0] == 0
    assert summary(folder)["epochs"] == content["epochs"] + 2


def test_a_diverged_run_fails_and_says_where(tmp_path, typed):
    folder = tmp_path / "run"
    overrides = ["tracking=none", "optimizer.lr=1e30", "loss.lambda=1", "dtype=float32", "epochs=20"]
    code, out, err = typed("hydra.run.dir=run", *SMALL, *overrides)
    content = summary(folder)
    assert code == 1
    assert (content["status"], content["diverged"]) == ("FAILED", True)
    assert content["error"].startswith("the loss became")
    assert " at step " in content["error"]
    assert content["error"] in out
    assert (folder / "best.safetensors").exists()
    assert not err


def test_a_run_that_diverges_in_its_last_update_fails_too(tmp_path, typed):
    overrides = ["optimizer.lr=1e30", "loss.lambda=1", "dtype=float32", "epochs=1", "data.validation_fraction=0.2"]
    code, _, err = typed("hydra.run.dir=run", *SMALL, "tracking=none", "batch_size=null", *overrides)
    content = summary(tmp_path / "run")
    assert (code, content["status"], content["diverged"], err) == (1, "FAILED", True, "")
    assert content["error"].startswith("the train loss became")
    assert (content["metrics"], content["best"]["value"]) == ({}, None)


def test_two_processes_never_write_one_folder(tmp_path, typed):
    folder = tmp_path / "run"
    process = start(folder, "epochs=100000", "tracking=none")
    wait_for_epochs(folder, 1, process)
    second = typed("resume", str(folder))
    process.terminate()
    process.communicate(timeout=HANGING_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert second == (2, "", f"duograd: {folder} is in use by another run: wait for it to end, or stop it\n")


def test_a_full_disk_fails_in_one_line_and_can_be_resumed(tmp_path, monkeypatch):
    """The disk is full while a checkpoint is written: the one before it stays whole."""
    config, folder, write = tiny("checkpoint.every_seconds=0"), RunFolder(tmp_path / "run"), files.write_bytes

    def full(path, content, *before):
        if path.name == "checkpoint.safetensors" and path.exists():
            raise OSError(28, "No space left on device", str(path))
        write(path, content, *before)

    monkeypatch.setattr(files, "write_bytes", full)
    assert run(config, folder, []) == 1
    assert summary(folder.path)["error"] == f"{folder.checkpoint}: No space left on device"
    monkeypatch.setattr(files, "write_bytes", write)
    assert resume(config, folder) == 0
    assert summary(folder.path)["epochs"] == 4


def test_a_damaged_checkpoint_is_a_users_error(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert run(tiny(), folder, []) == 0
    folder.checkpoint.write_bytes(b"not this")
    with pytest.raises(UserError, match="is not a checkpoint of duograd's"):
        resume(tiny(), folder)
