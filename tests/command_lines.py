"""Many command lines in one process of their own: its start is the dear part."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from patience import HANGING_S

TYPE = """
import json, sys
from duograd.runner.cli import main

def type_(arguments):
    sys.argv = ["duograd", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code

codes = [type_(arguments) for arguments in json.loads(sys.argv[1])]
print("CODES", json.dumps(codes))
"""


def exit_codes(
    lines: Sequence[Sequence[str]], cwd: Path, env: Mapping[str, str] | None = None
) -> tuple[list[int], subprocess.CompletedProcess[str]]:
    """What each line ended with, and the process, which has printed what all of them print."""
    command = [sys.executable, "-c", TYPE, json.dumps(lines)]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=HANGING_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.rpartition("CODES ")[2]), done
