"""Finding run folders in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from duograd.runner.tracking.address import ARTIFACTS


def runs_below(path: Path) -> Iterator[Path]:
    """The run folders in a folder, however deep, by name; the copies that MLflow keeps are none."""
    for folder, below, files in os.walk(path):
        below.sort()
        if "run.json" in files and ARTIFACTS not in Path(folder).resolve().parts:
            yield Path(folder)
