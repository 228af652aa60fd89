"""A finished training, as its pictures need it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.runner.classification import outputs
from duograd.runner.engines import Engine
from duograd.runner.store.folders import RunFolder

Array = NDArray[Any]
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

    @cached_property
    def _outputs(self) -> dict[str, Array]:
        return {}

    def outputs(self, split: str) -> Array:
        """What the network says of a split's samples, (N, …); the network is asked once, whatever is drawn of it."""
        if split not in self._outputs:
            self._outputs[split] = outputs(self.engine, self.data.splits[split])
        return self._outputs[split]

    def path(self, name: str) -> Path:
        """Where a figure goes."""
        return self.folder.figures / f"{name}.png"

    def history(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """metrics.jsonl by column, (epochs,) each."""
        return {name: np.array(values, dtype=np.float64) for name, values in self.folder.history().items()}
