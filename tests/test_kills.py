"""A run that is killed, whenever it may be, and gone on with, ends in the bytes of an undisturbed one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLING = Path(__file__).with_name("killing.py")


def killing(count: int, **more: int) -> str:
    """The last line of the campaign, which ended well. A process of its own: it forks, and must have no threads."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    also = [text for name, number in more.items() for text in (f"--{name}", str(number))]
    done = subprocess.run(
        [sys.executable, str(KILLING), "--count", str(count), *also], capture_output=True, text=True, env=environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


def test_a_few_kills_change_nothing(record_property):
    record_property("count", killing(3))


@pytest.mark.slow
def test_two_hundred_kills_change_nothing(record_property):
    record_property("count", killing(200, signals=30, sweeps=10))
