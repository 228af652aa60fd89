"""Drawings of ten shapes: for work without network or files, and for tests. They are no photographs of anything."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import DataSet
from duograd.data.folds import Fold, FoldedConfig
from duograd.data.images import ImagesConfig, image_dataset
from duograd.data.source import Source
from duograd.data.splits import Splits, split_fold
from duograd.data.synthetic.shapes import CLASSES, draw


class Shapes(FoldedConfig, ImagesConfig):
    """Drawings of ten shapes: `count` to train, `test_count` to test; to validate, a fraction of `count` more.

    Folds are split_fold of the `count`.
    """

    name: Literal["shapes"] = "shapes"
    count: int = Field(default=5000, ge=10, le=200_000)
    test_count: int = Field(default=1000, ge=10, le=200_000)
    size: int = Field(default=32, ge=8, le=256)
    validation_fraction: float = Field(default=0.1, ge=0, lt=1)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """As many images of each class as divides evenly; `count` train, and their validation fraction comes on top.

        Each split has its own generator, so that its images do not change with the size of another.
        """
        rngs = (np.random.default_rng([self.seed, use]) for use in range(3))
        fold = self.held_out
        held_out = max(len(CLASSES), round(self.count * fold)) if fold and not isinstance(fold, Fold) else 0
        counts = (self.count, held_out, self.test_count)
        train, validation, test = (draw(n, self.size, rng) if n else None for n, rng in zip(counts, rngs, strict=True))
        assert train is not None
        if isinstance(fold, Fold):
            train, validation = split_fold(train, CLASSES, fold, np.random.default_rng([self.seed, 3]))
        splits = Splits(train, validation, test)
        return image_dataset(self, "synthetic: drawings of ten shapes", splits, dtype, classes=CLASSES, synthetic=True)


SOURCE = Source(config=Shapes, inputs="images", targets="classes", offline=True)
