"""Data of your own: windows of a recording, a CSV with a column for each channel and the label in the last.

    duograd task=activity data=data.py:windows data.path=walk.csv data.window=50 model=gru epochs=5
    duograd -m task=activity data=data.py:windows data.path=walk.csv data.window=25,50 model=rnn,gru epochs=5

Try it on a recording that is made up: python data.py walk.csv
"""

import csv
import sys
from pathlib import Path

import numpy as np


def windows(path: Path, window: int = 50, step: int = 25):
    """Inputs (N, window, channels), and the label of each. The arguments are data.path, data.window and data.step.

    Splits and classes follow from what is returned; give {"train": (inputs, targets), "test": …} to split it yourself.
    """
    with path.open() as file:
        _, *rows = csv.reader(file)
    samples = np.array([row[:-1] for row in rows], float)
    labels = np.array([row[-1] for row in rows])
    starts = [i for i in range(0, len(rows) - window, step) if len(set(labels[i : i + window])) == 1]
    if not starts:
        raise ValueError(f"no window of {window} rows has one label: set data.window smaller")
    return np.stack([samples[i : i + window] for i in starts]), labels[starts]


def record(path: Path):
    """Writes a recording of three channels: still, walking, running, over and over."""
    rng, lines = np.random.default_rng(0), [("x", "y", "z", "activity")]
    for _ in range(8):
        for label, rate, size in (("still", 0.0, 0.0), ("walking", 0.4, 1.0), ("running", 0.9, 2.0)):
            t = np.arange(200)[:, None]
            xyz = size * np.sin(rate * t + [0, 1, 2]) + 0.3 * rng.standard_normal((200, 3))
            lines += [(*map(str, row.round(4)), label) for row in xyz]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)


if __name__ == "__main__":
    record(Path(sys.argv[1]))
