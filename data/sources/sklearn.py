"""Four real tables that scikit-learn ships: needs neither network nor files."""

from typing import Any, Literal

import numpy as np

from duograd.data.dataset import DataSet
from duograd.data.source import Source
from duograd.data.table import Table, TableConfig, table_dataset
from duograd.data.targets import read_targets

VALUES = ("diabetes",)  # whose targets are values


class Sklearn(TableConfig):
    """set: digits (1797 images of 8 × 8, ten classes), wine (178, three cultivars), breast_cancer (569, two
    diagnoses), diabetes (442 patients, how the disease went on: values).
    """

    name: Literal["sklearn"] = "sklearn"
    set: Literal["digits", "wine", "breast_cancer", "diabetes"] = "wine"

    @property
    def known_targets(self) -> str | None:
        """Known before anything is read."""
        return self.target_kind or ("values" if self.set in VALUES else "classes")

    def key_for(self, targets: str) -> str | None:
        """See SourceConfig."""
        return "data.set=diabetes" if targets == "values" else None  # classes are what it has by itself

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The table. Raises DataError where a split would be empty."""
        from sklearn import datasets

        options = {"scaled": False} if self.set == "diabetes" else {}  # in units, of which training makes its scale
        bunch = getattr(datasets, f"load_{self.set}")(**options)
        classes = [str(name) for name in getattr(bunch, "target_names", ())] if self.set not in VALUES else []
        kind = self.target_kind or ("values" if self.set in VALUES else "classes")
        targets = read_targets(bunch.target, ["progression" if self.set in VALUES else "class"], kind, classes)
        columns = tuple(map(str, bunch.feature_names))
        return table_dataset(self, Table(f"scikit-learn's {self.set}", bunch.data, columns, targets), dtype)


SOURCE = Source(config=Sklearn, inputs="vectors", targets="either", offline=True)
