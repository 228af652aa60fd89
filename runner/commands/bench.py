"""duograd bench [NAME …]: speed and memory, as ratios inside one run; all benchmarks, or those named."""

import os
import subprocess
import sys
from pathlib import Path

from duograd.runner import tied
from duograd.runner.errors import UserError
from duograd.runner.subcommands import command_parser

CHECKOUT = Path(__file__).resolve().parents[2]
DISTORTING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # would choose another matrix kernel than a user's process gets


def main(arguments: list[str]) -> int:
    """The benchmarks' exit code. Raises UserError: no checkout."""
    parser = command_parser("bench", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as layers")
    names = parser.parse_args(arguments).names
    if not (CHECKOUT / "benchmarks").is_dir():
        raise UserError(f"no folder benchmarks in {CHECKOUT}: benchmarks run from a checkout")
    environment = {key: value for key, value in os.environ.items() if key not in DISTORTING}
    command = [sys.executable, "-m", tied.NAME, "benchmarks", *names]
    with tied.pipe() as stdin:
        return subprocess.run(command, cwd=CHECKOUT, env=environment, stdin=stdin).returncode
