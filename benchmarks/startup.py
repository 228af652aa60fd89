"""What a command costs before it does anything: `duograd --help` beside `import hydra`."""

import subprocess
import sys

from benchmarks.measure import Target, report, side_by_side


def main() -> None:
    """Prints times and the promised ratio."""
    commands = {
        "duograd --help": [sys.executable, "-m", "duograd", "--help"],
        "import hydra": [sys.executable, "-c", "import hydra"],
    }
    work = {
        name: lambda c=command: subprocess.run(c, check=True, capture_output=True) for name, command in commands.items()
    }
    report("start-up", side_by_side(work, rounds=5, calls=2), [Target("duograd --help", "import hydra", 3.0)])


if __name__ == "__main__":
    main()
