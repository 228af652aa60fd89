"""What tracking costs training: the same run with and without MLflow, in turn, every epoch logged.

python -m benchmarks.tracking [EPOCHS]: beside a short run, importing MLflow is most of it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Target, report

EPOCHS, ROUNDS = 1000, 3


def main(epochs: int) -> None:
    """Prints seconds spent training (optimizer steps only), and the promised ratio."""
    seconds: dict[str, list[float]] = {"tracking=mlflow": [], "tracking=none": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS):
            for tracking, seconds_so_far in seconds.items():
                seconds_so_far.append(train_seconds(Path(folder), tracking, turn, epochs))
    report(f"training, {epochs} epochs", seconds, [Target("tracking=mlflow", "tracking=none", 1.03)])


def train_seconds(folder: Path, tracking: str, turn: int, epochs: int) -> float:
    """Runs the main job in a process of its own."""
    run = f"{tracking.partition('=')[2]}_{turn}"
    command = [
        sys.executable,
        "-m",
        "duograd",
        "task=autoencoder",
        f"epochs={epochs}",
        tracking,
        f"hydra.run.dir={run}",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return float(json.loads((folder / run / "summary.json").read_text())["train_seconds"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EPOCHS)
