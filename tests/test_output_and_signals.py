"""Output is not training, and a signal is one for all: saved once, said, and the exit code of its number."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import HANGING_S, wait_until

from duograd.runner import cli

SMALL = ["task=autoencoder", "tracking=none", "data.count=60", "data.size=4", "model.hidden_size=5", "dtype=float64"]
ENDLESS = "epochs=1000000"
DUOGRAD = [sys.executable, "-m", "duograd"]


def started(*arguments, cwd, **pipes):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | pipes
    return subprocess.Popen([*DUOGRAD, *arguments], cwd=cwd, text=True, start_new_session=True, **pipes)


def trains(folder: Path, process) -> None:
    log = folder / "metrics.jsonl"
    wait_until(lambda: log.exists() and log.stat().st_size > 0, process)


def summary(folder: Path):
    return json.loads((folder / "summary.json").read_text())


def test_a_reader_that_leaves_does_not_end_training(tmp_path):
    """As `duograd … | head -1` does."""
    with started(*SMALL, "epochs=300", f"hydra.run.dir={tmp_path / 'run'}", cwd=tmp_path) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(HANGING_S) == 0
    assert (summary(tmp_path / "run")["status"], summary(tmp_path / "run")["epochs"]) == ("FINISHED", 300)


def test_streams_that_are_closed_lead_nowhere(tmp_path):
    """As `duograd … <&- >&- 2>&-` closes them: a file of the run must not become standard output."""
    folder = tmp_path / "run"
    command = shlex.join([*DUOGRAD, *SMALL, "epochs=3", f"hydra.run.dir={folder}"])
    assert subprocess.run(f"{command} <&- >&- 2>&-", shell=True, cwd=tmp_path, timeout=HANGING_S).returncode == 0
    assert summary(folder)["status"] == "FINISHED"
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 3
    assert "Traceback" not in (folder / "run.log").read_text()


def test_what_cannot_be_said_is_not_said(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert cli.exit_code(lambda: len(str(Path.cwd()))) == 2
    monkeypatch.setattr(sys, "stderr", Full())
    assert cli.complain("nobody reads it") == 2


class Full(io.StringIO):
    """As a disk."""

    def write(self, text):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_once_whether_or_not_anybody_reads(signum, tmp_path):
    """As Ctrl-C does to `duograd … | tee`, which it ends first; and a terminal that is closed."""
    folder = tmp_path / "run"
    with started(*SMALL, ENDLESS, f"hydra.run.dir={folder}", cwd=tmp_path) as process:
        trains(folder, process)
        process.stdout.close()
        for _ in range(2):  # a shell and a supervisor
            os.kill(process.pid, signum)
        assert process.wait(HANGING_S) == 128 + signum
    assert summary(folder)["status"] == "KILLED"
    assert (folder / "checkpoint.safetensors").exists()


def test_ctrl_c_ends_all_jobs_that_one_process_runs(tmp_path):
    where = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    jobs = ["-m", "hydra/launcher=basic", "hydra/sweeper=basic", where, *SMALL, ENDLESS, "seed=1,2"]
    with started(*jobs, cwd=tmp_path) as process:
        trains(tmp_path / "sweep" / "0", process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130, said
    assert not (tmp_path / "sweep" / "1" / "config.yaml").exists()


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.2])
def test_ctrl_c_during_the_start_is_no_traceback(seconds, tmp_path):
    """From our first line on: what is before that is Python's own start."""
    code = (
        "from duograd.runner import cli\n"
        "def dispatch(arguments, ours=cli.dispatch):\n"
        "    print('begun', flush=True)\n"
        "    return ours(arguments)\n"
        "cli.dispatch = dispatch\n"
        "cli.main()"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, *SMALL, ENDLESS], cwd=tmp_path, **pipes) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 130, said
    assert "Traceback" not in said


def test_a_reader_that_leaves_a_list_is_no_traceback(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with started("--version", cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, said = process.communicate(timeout=HANGING_S)
    assert said == ""
    assert process.returncode == 128 + signal.SIGPIPE
