"""python -m benchmarks [NAME …]: all benchmarks, or those named, each in a process of its own."""

import subprocess
import sys

from duograd.runner.cli import complain
from duograd.runner.errors import suggestion

BENCHMARKS = (
    "startup",
    "autoencoder",
    "tracking",
    "recurrent",
    "transformer",
    "convnet",
    "layers",
    "gradcheck",
    "sweep",
    "stack",
)


def main(names: list[str]) -> int:
    """0 well, 1 a benchmark failed, 2 a name is not known."""
    for name in names:
        if name not in BENCHMARKS:
            return complain(f"unknown benchmark {name!r}{suggestion(name, BENCHMARKS)}")
    for name in names or BENCHMARKS:
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
