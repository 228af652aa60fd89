"""What a command costs before it does anything: `duograd --help` beside `import hydra`; a run until its first epoch."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Target, report, side_by_side, verdict

IMPORTS = "import numpy, hydra, pydantic"
BEYOND_SECONDS = 0.6  # promised: from the command to its first epoch, beyond what those imports take
POLL = 0.002
RUN = ["task=autoencoder", "tracking=none", "epochs=1000000", "data.count=1000"]


def main() -> None:
    """Prints times and what was promised of them."""
    work = {
        "duograd --help": lambda: python("-m", "duograd", "--help"),
        "import hydra": lambda: python("-c", "import hydra"),
    }
    report("start-up", side_by_side(work, rounds=5, calls=2), [Target("duograd --help", "import hydra", 3.0)])
    runs = {"to the first epoch": first_epoch, IMPORTS: lambda: python("-c", IMPORTS)}
    seconds = side_by_side(runs, rounds=5, calls=2)
    report("a run of the autoencoder", seconds, [])
    beyond = [a - b for a, b in zip(seconds["to the first epoch"], seconds[IMPORTS], strict=True)]
    verdict("to the first epoch, beyond the imports", statistics.median(beyond), BEYOND_SECONDS)


def python(*arguments: str) -> None:
    """Runs an interpreter to its end."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def first_epoch() -> None:
    """Until a run has written the line of its first epoch."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "duograd", *RUN, "hydra.run.dir=run"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        metrics = Path(folder) / "run" / "metrics.jsonl"
        while not (metrics.exists() and metrics.stat().st_size):
            time.sleep(POLL)
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
