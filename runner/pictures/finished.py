"""A finished training, as its pictures need it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.dataset import DataSet
from runner.engines import Engine
from runner.folder import RunFolder

Facts = dict[str, Any]
"""What a picture found out on the way, for summary.json."""


@dataclass(frozen=True)
class Finished:
    """metrics: everything evaluated after the last update. untrained: makes the engine as it was at the start."""

    engine: Engine
    untrained: Callable[[], Engine]
    data: DataSet
    metrics: Mapping[str, float]
    seed: int
    title: str
    footer: str
    folder: RunFolder

    def path(self, name: str) -> Path:
        """Where a figure goes."""
        return self.folder.figures / f"{name}.png"

    def history(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """metrics.jsonl by column, (epochs,) each."""
        return {name: np.array(values, dtype=np.float64) for name, values in self.folder.history().items()}
